//! Counts over moved time: what is a guess, when a limit is reached, what comes of that, and what
//! is forgotten. The clock is the test's.

mod model;

use switch_attacks::{
    Block, Kind, Kinds, Limits, Mode, Pair, Settings, Subject, Verdict, Watch, What,
};
use switch_domain::{
    Acquirer, AsciiText, Bin, Channel, EntryMode, Fingerprint, LinkId, Merchant, MessageClass,
    MessageFacts, MessageKey, MinorUnits, Reason, Timestamp, TransactionType,
};

pub(crate) const WINDOW_S: i64 = 600;
const BIN: Bin = Bin(99_999_912);

pub(crate) fn settings() -> Settings {
    let of_all = Limits { pair: 20, pair_in_alarm: 5, merchant: 60, bin: 100, acquirer: 150 };
    Settings {
        mode: Mode::Block,
        window_s: WINDOW_S,
        block_s: 3_600,
        share_percent: 50,
        small: MinorUnits(2_00),
        entries: 1_000,
        blocks: 100,
        alarms_a_minute: 60,
        untold: 1_000,
        limits: [of_all, of_all, of_all, Limits { pair: 0, pair_in_alarm: 0, ..of_all }],
    }
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_796_000_400 + seconds)
}

pub(crate) fn pair(bin: Bin, merchant: u32) -> Pair {
    let merchant = AsciiText::new(format!("MERCHANT{merchant:07}").as_bytes()).expect("short");
    let acquirer = Acquirer::Institution(AsciiText::new(b"123456").expect("short"));
    Pair { bin, acquirer, merchant }
}

fn unknown() -> Kinds {
    Kinds::NONE.with(Kind::UnknownCard)
}

fn facts(entry: EntryMode, kind: TransactionType) -> MessageFacts {
    MessageFacts {
        key: MessageKey {
            acquirer: Acquirer::Link(LinkId(1)),
            class: MessageClass::AuthorizationRequest,
            stan: 1,
            local_time: 0,
            terminal: AsciiText::EMPTY,
            rrn: AsciiText::EMPTY,
            card: Fingerprint([1; 16]),
        },
        transmitted: 0,
        channel: Channel::Ecommerce,
        entry,
        kind,
        merchant: Merchant { category: 5_999, id: AsciiText::EMPTY },
        country: None,
        network_trace: Default::default(),
    }
}

#[test]
fn what_is_counted_follows_from_the_decision_the_entry_and_the_amount() {
    use EntryMode::{Chip, Ecommerce, Manual, Stripe, Unknown};
    use Kind::{SmallAmount, UnknownCard, WrongCode, WrongExpiry};
    use TransactionType::{AccountVerification, BalanceInquiry, Purchase, Refund};
    let rows: [(EntryMode, TransactionType, i64, Reason, &[Kind]); 17] = [
        (Ecommerce, Purchase, 50_00, Reason::InvalidCardNumber, &[UnknownCard]),
        (Chip, Purchase, 50_00, Reason::InvalidCardNumber, &[UnknownCard]),
        (Stripe, Refund, 50_00, Reason::InvalidCardNumber, &[UnknownCard]),
        (Ecommerce, Purchase, 50_00, Reason::ExpiredCard, &[WrongExpiry]),
        (Ecommerce, Purchase, 50_00, Reason::CardCodeIncorrect, &[WrongCode]),
        (Manual, Purchase, 50_00, Reason::CardCodeTriesExceeded, &[WrongCode]),
        (Manual, Purchase, 2_00, Reason::CardCodeIncorrect, &[WrongCode, SmallAmount]),
        (Unknown, Purchase, 2_00, Reason::Approved, &[SmallAmount]),
        (Unknown, Purchase, 2_01, Reason::Approved, &[]),
        (Ecommerce, AccountVerification, 0, Reason::Approved, &[SmallAmount]),
        (Ecommerce, AccountVerification, 0, Reason::InvalidCardNumber, &[UnknownCard, SmallAmount]),
        (Ecommerce, Refund, 1_00, Reason::Approved, &[]),
        (Ecommerce, BalanceInquiry, 0, Reason::Approved, &[]),
        (Stripe, Purchase, 1_00, Reason::Approved, &[]),
        (Chip, AccountVerification, 0, Reason::Approved, &[]),
        (Ecommerce, Purchase, 50_00, Reason::InsufficientFunds, &[]),
        (Ecommerce, Purchase, 50_00, Reason::CardCodeRequired, &[]),
    ];
    for (entry, kind, minor, reason, expected) in rows {
        let found = Kinds::of(&facts(entry, kind), MinorUnits(minor), reason, MinorUnits(2_00));
        let found: Vec<_> = found.iter().collect();
        assert_eq!(found, expected, "{entry:?} {kind:?} {minor} {reason:?}");
    }
    for kind in Kind::ALL {
        assert_eq!(Kind::from_name(kind.name()), Some(kind));
    }
}

/// What was counted counts for a window, and for a sixth of another at most.
#[test]
fn counts_leave_with_their_window() {
    let rows = [(0, 1), (599, 1), (600, 1), (699, 1), (700, 0), (100_000, 0), (-50, 1)];
    for (later, expected) in rows {
        let watch = Watch::new(settings());
        let one = pair(BIN, 1);
        watch.count(&one, unknown(), at(0));
        for subject in [
            Subject::Pair(one),
            Subject::Bin(BIN),
            Subject::Acquirer(one.acquirer),
            Subject::Merchant(one.acquirer, one.merchant),
        ] {
            let found = watch.counted(&subject, Kind::UnknownCard, at(later));
            assert_eq!(found, expected, "{subject:?} after {later} s");
            assert_eq!(watch.counted(&subject, Kind::WrongCode, at(later)), 0);
        }
        let _ = watch.tidy(at(later));
        assert_eq!(watch.has_counts(), expected > 0, "after {later} s");
    }
}

#[test]
fn a_pair_that_reaches_its_limit_is_blocked_for_a_while() {
    let watch = Watch::new(settings());
    let (bad, other_bin) = (pair(BIN, 1), pair(Bin(99_999_913), 1));
    for second in 0..19 {
        watch.count(&bad, unknown(), at(second));
        assert_eq!(watch.judge(&bad, at(second)), Verdict::Free);
    }
    assert!(!watch.has_blocks() && watch.tidy(at(19)).is_empty());
    watch.count(&bad, unknown(), at(19));
    assert_eq!(watch.judge(&bad, at(19)), Verdict::Blocked);
    for free in [other_bin, pair(BIN, 2)] {
        assert_eq!(watch.judge(&free, at(19)), Verdict::Free);
    }
    let news = watch.tidy(at(20));
    let until = at(19 + 3_600);
    let blocked = What::Blocked { until, shadow: false };
    assert_eq!(news.iter().map(|one| one.what).collect::<Vec<_>>(), [blocked]);
    assert_eq!((news[0].subject, news[0].count, news[0].limit), (Subject::Pair(bad), 20, 20));
    let blocks = watch.blocks(at(20));
    assert_eq!((blocks.len(), blocks[0].met, blocks[0].kind), (1, 1, Kind::UnknownCard));
    assert_eq!(watch.judge(&bad, at(19 + 3_599)), Verdict::Blocked);
    assert_eq!(watch.judge(&bad, until), Verdict::Free, "its time is over");
    let news = watch.tidy(until);
    assert_eq!(news.iter().map(|one| one.what).collect::<Vec<_>>(), [What::Ended { met: 2 }]);
    assert!(!watch.has_blocks() && !watch.has_counts(), "nothing is left of it");
}

/// A block that ends unseen is followed by another where the attempts go on.
#[test]
fn who_goes_on_after_a_block_is_blocked_again() {
    let watch = Watch::new(settings());
    let bad = pair(BIN, 1);
    (0..20).for_each(|second| watch.count(&bad, unknown(), at(second)));
    (4_000..4_020).for_each(|second| watch.count(&bad, unknown(), at(second)));
    assert_eq!(watch.judge(&bad, at(4_020)), Verdict::Blocked);
    let said: Vec<_> = watch.tidy(at(4_020)).iter().map(|news| news.what.name()).collect();
    assert_eq!(said, ["blocked", "ended", "blocked"]);
}

/// A hundred thousand numbers tried at one merchant (T-13): one alarm, and nobody else is refused.
#[test]
fn of_a_sweep_of_a_hundred_thousand_twenty_are_answered() {
    let watch = Watch::new(settings());
    let (bad, neighbour, elsewhere) = (pair(BIN, 1), pair(BIN, 2), pair(Bin(99_999_913), 1));
    let (mut free, mut news) = (0, Vec::new());
    for attempt in 0..100_000_i64 {
        let now = at(attempt / 1_000);
        match watch.judge(&bad, now) {
            Verdict::Blocked => {}
            _ => {
                free += 1;
                watch.count(&bad, unknown(), now);
            }
        }
        if attempt % 50 == 0 {
            // One wrong number in a hundred, as people type them.
            let kinds = if attempt % 5_000 == 0 { unknown() } else { Kinds::NONE };
            for normal in [neighbour, elsewhere] {
                assert_eq!(watch.judge(&normal, now), Verdict::Free);
                watch.count(&normal, kinds, now);
            }
        }
        if attempt % 1_000 == 0 {
            news.extend(watch.tidy(now));
        }
    }
    assert_eq!(free, 20);
    let said: Vec<_> = news.iter().map(|news| (news.what.name(), news.subject)).collect();
    assert_eq!(said, [("blocked", Subject::Pair(bad))]);
    let figures = watch.figures();
    assert_eq!((figures.blocks, figures.refused), (1, 99_980));
}

/// Spread over many merchants, the BIN is in alarm, and each of them is blocked sooner.
#[test]
fn what_is_spread_over_merchants_is_named_and_blocked_sooner() {
    let watch = Watch::new(settings());
    for attempt in 0..100_u32 {
        watch.count(&pair(BIN, attempt % 50), unknown(), at(0));
    }
    let news = watch.tidy(at(1));
    let said: Vec<_> = news.iter().map(|news| (news.what, news.subject)).collect();
    assert_eq!(said, [(What::Alarm, Subject::Bin(BIN))], "two at each merchant");
    for _ in 0..3 {
        assert_eq!(watch.judge(&pair(BIN, 7), at(1)), Verdict::Free);
        watch.count(&pair(BIN, 7), unknown(), at(1));
    }
    assert_eq!(watch.judge(&pair(BIN, 7), at(1)), Verdict::Blocked, "five");
    assert_eq!(watch.judge(&pair(BIN, 8), at(1)), Verdict::Free);
    let news = watch.tidy(at(2));
    assert_eq!(news.len(), 1, "an alarm that goes on is said once in a window: {news:?}");
    (0..50).for_each(|one| watch.count(&pair(BIN, 100 + one), unknown(), at(2)));
    let said: Vec<_> = watch.tidy(at(2)).iter().map(|news| news.subject.name()).collect();
    assert_eq!(said, ["acquirer"], "that was its hundred and fiftieth");
    watch.count(&pair(BIN, 300), unknown(), at(650));
    let said: Vec<_> = watch.tidy(at(650)).iter().map(|news| news.subject.name()).collect();
    assert_eq!(said, ["bin", "acquirer"]);
}

/// A merchant with many good ones is not refused for the wrong ones among them.
#[test]
fn a_share_of_the_attempts_must_be_wrong() {
    let watch = Watch::new(settings());
    let large = pair(BIN, 1);
    watch.count(&large, unknown(), at(0));
    (0..39).for_each(|_| watch.count(&large, Kinds::NONE, at(0)));
    (1..20).for_each(|_| watch.count(&large, unknown(), at(1)));
    assert_eq!(watch.judge(&large, at(1)), Verdict::Free, "20 of 59");
    (0..18).for_each(|_| watch.count(&large, unknown(), at(2)));
    assert_eq!(watch.judge(&large, at(2)), Verdict::Free, "38 of 77");
    watch.count(&large, unknown(), at(2));
    assert_eq!(watch.judge(&large, at(2)), Verdict::Blocked, "39 of 78");
}

#[test]
fn in_shadow_nobody_is_refused() {
    let watch = Watch::new(Settings { mode: Mode::Shadow, ..settings() });
    let bad = pair(BIN, 1);
    (0..60).for_each(|_| watch.count(&bad, unknown(), at(0)));
    assert_eq!(watch.judge(&bad, at(1)), Verdict::Shadow);
    let said: Vec<_> = watch.tidy(at(1)).iter().map(|news| news.what.name()).collect();
    assert_eq!(said, ["blocked", "alarm"], "it goes on, to the limit of the merchant");
    let figures = watch.figures();
    assert_eq!((figures.blocks, figures.shadow_blocks, figures.shadowed), (0, 1, 1));
}

#[test]
fn a_block_is_lifted_and_put_in_force_again() {
    let watch = Watch::new(settings());
    let bad = pair(BIN, 1);
    (0..20).for_each(|_| watch.count(&bad, unknown(), at(0)));
    assert_eq!(watch.lift(&pair(BIN, 2)), None);
    let block = watch.lift(&bad).expect("it was blocked");
    assert_eq!((block.pair, watch.lift(&bad)), (bad, None));
    (0..19).for_each(|_| watch.count(&bad, unknown(), at(1)));
    assert_eq!(watch.judge(&bad, at(1)), Verdict::Free, "what was counted is forgotten");

    let next = Watch::new(settings());
    let over = Block { pair: pair(BIN, 3), until: at(1), ..block };
    next.restore([block, over]);
    assert_eq!(next.judge(&bad, at(2)), Verdict::Blocked);
    assert_eq!(next.judge(&over.pair, at(2)), Verdict::Free);
    assert_eq!(next.blocks(at(2)), [Block { met: 1, ..block }]);
    let shadow = Watch::new(Settings { mode: Mode::Shadow, ..settings() });
    shadow.restore([block]);
    assert_eq!(shadow.judge(&bad, at(2)), Verdict::Shadow);
}

/// Whoever there is no more room for: the one of which nothing was counted for the longest time.
#[test]
fn what_is_full_forgets_the_oldest_and_no_block() {
    let watch = Watch::new(Settings { entries: 10, blocks: 1, ..settings() });
    let bad = pair(BIN, 0);
    (0..20).for_each(|_| watch.count(&bad, unknown(), at(0)));
    (1..10).for_each(|merchant| watch.count(&pair(BIN, merchant), unknown(), at(0)));
    watch.count(&pair(BIN, 1), unknown(), at(1));
    (10..13).for_each(|merchant| watch.count(&pair(BIN, merchant), unknown(), at(2)));
    let counted =
        |merchant| watch.counted(&Subject::Pair(pair(BIN, merchant)), Kind::UnknownCard, at(2));
    let left: Vec<_> = (0..13).map(counted).collect();
    assert_eq!(left, [20, 2, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
    let figures = watch.figures();
    assert_eq!((figures.entries, figures.dropped), ([10, 10, 1, 1], [3, 3, 0, 0]));
    let _ = watch.tidy(at(2));
    (0..30).for_each(|_| watch.count(&pair(BIN, 5), unknown(), at(3)));
    assert_eq!(watch.judge(&pair(BIN, 5), at(3)), Verdict::Free);
    let said: Vec<_> = watch.tidy(at(3)).iter().map(|news| news.what.name()).collect();
    assert_eq!(said, ["not_blocked"], "said once");
}

#[test]
fn so_many_alarms_are_told_in_a_minute() {
    let watch = Watch::new(Settings { alarms_a_minute: 3, ..settings() });
    for merchant in 0..10 {
        (0..60).for_each(|_| watch.count(&pair(Bin(merchant), merchant), unknown(), at(0)));
    }
    let said = watch.tidy(at(1));
    let alarms = said.iter().filter(|news| news.what == What::Alarm).count();
    let blocks = said.iter().filter(|news| news.what.name() == "blocked").count();
    assert_eq!((alarms, blocks), (3, 10), "a block is told always");
    assert_eq!(watch.figures().untold, 8, "ten merchants and their acquirer were in alarm");
    let watch = Watch::new(Settings { untold: 2, ..settings() });
    for merchant in 0..10 {
        (0..20).for_each(|_| watch.count(&pair(Bin(merchant), merchant), unknown(), at(0)));
    }
    assert_eq!((watch.tidy(at(1)).len(), watch.figures().untold), (2, 9));
}

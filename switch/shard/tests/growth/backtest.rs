//! The back-test over a real PostgreSQL, by a clock that the tests set: what a control would have
//! declined, computed by hand, over the two days of the year that are not 24 hours long.

use std::sync::atomic::{AtomicI64, Ordering};

use switch_domain::{
    Amount, AsciiText, BasisPoints, Categories, ControlId, ControlRule, ControlSubject,
    ControlTerms, Currency, Fingerprint, ForeignTerms, IdempotencyKey, MessageClass, MinorUnits,
    NetworkAmounts, Reason, Selector, Timestamp, Window,
};
use switch_shard::{
    Act, Advise, Authorize, BacktestError, BacktestOf, BacktestReport, Command, ReplyOutcome,
    ShardSettings, Sum, Terms, WallClock, backtest,
};
use switch_store::{PastError, Span};

use crate::world::{Holder, PRINT, Serving, World, euro, purchase, settings, text};

/// The clock of each test, in seconds.
static NOW: [AtomicI64; 4] = [const { AtomicI64::new(0) }; 4];

/// In Madrid the day begins that has 23 hours, 2027-03-28; and the day after it.
const SHORT_DAY: i64 = 1_806_188_400;
const AFTER_SHORT: i64 = SHORT_DAY + 23 * 3_600;
/// The day begins that has 25 hours, 2027-10-31; and the day after it.
const LONG_DAY: i64 = 1_824_933_600;
const AFTER_LONG: i64 = LONG_DAY + 25 * 3_600;

fn now<const TEST: usize>() -> Timestamp {
    Timestamp(NOW[TEST].load(Ordering::SeqCst) * 1_000_000)
}

fn by_clock<const TEST: usize>() -> ShardSettings {
    ShardSettings { clock: WallClock::reading(now::<TEST>), ..settings() }
}

fn madrid() -> AsciiText<40> {
    text("Europe/Madrid")
}

fn terms(holder: Holder, rule: ControlRule, selects: Selector) -> ControlTerms {
    let subject = ControlSubject::Card(holder.card);
    ControlTerms { subject, name: text("tried"), shadow: false, selects, rule }
}

fn of(terms: ControlTerms, from: i64, to: i64) -> BacktestOf {
    let span = Span { from: Timestamp(from * 1_000_000), to: Timestamp(to * 1_000_000) };
    BacktestOf { terms, instead_of: None, span, most_of_one: 100, most_listed: 100 }
}

/// The sequence of a node and its purchases.
struct Told<const TEST: usize> {
    world: World,
    serving: Serving,
    holder: Holder,
}

impl<const TEST: usize> Told<TEST> {
    async fn begin(at: i64) -> Self {
        NOW[TEST].store(at, Ordering::SeqCst);
        let world = World::new().await;
        let mut serving = world.serve_with(by_clock::<TEST>()).await;
        let holder = serving.issue(&world.store).await;
        Self { world, serving, holder }
    }

    /// Purchases by second, trace number and amount; `minus` the number of one that is reversed.
    async fn tell(&mut self, story: &[(i64, u32, i64)]) {
        for (at, stan, minor) in story {
            NOW[TEST].store(*at, Ordering::SeqCst);
            if *minor < 0 {
                let original = u32::try_from(-minor).expect("a trace number");
                self.serving.reverse(*stan, original).await;
            } else {
                self.serving.buy(self.holder, *stan, *minor).await;
            }
        }
    }

    async fn end(self) -> (World, Holder) {
        self.serving.stop().await;
        (self.world, self.holder)
    }
}

/// The trace numbers of those that would have been declined.
async fn declined(world: &World, report: &BacktestReport) -> Vec<i64> {
    let mut stans = Vec::new();
    for one in &report.listed {
        let id = one.authorization;
        let sql = format!("SELECT stan::int8 FROM card_authorization WHERE id = {id}");
        let stan = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(world.store.pool()).await;
        stans.push(stan.expect("its row"));
    }
    stans
}

/// Amounts: a day of 23 hours, what is reversed in it, and what a declined purchase does not use.
#[tokio::test(flavor = "multi_thread")]
async fn an_amount_a_day_is_tried_across_the_day_of_23_hours() {
    let mut told = Told::<0>::begin(SHORT_DAY - 3_600).await;
    told.tell(&[
        (SHORT_DAY - 1, 1, 60_00),
        (SHORT_DAY, 2, 60_00),
        (SHORT_DAY + 3_600, 3, 50_00),
        (SHORT_DAY + 7_200, 4, 40_00),
        (SHORT_DAY + 7_300, 5, 1),
        // What would have been declined gives nothing back; what counted does.
        (SHORT_DAY + 7_400, 21, -3),
        (SHORT_DAY + 7_500, 6, 1),
        (SHORT_DAY + 7_600, 22, -4),
        (SHORT_DAY + 7_700, 7, 40_00),
        (AFTER_SHORT - 1, 8, 1),
        (AFTER_SHORT, 9, 10_000),
        (AFTER_SHORT + 1, 10, 1),
    ])
    .await;
    let (world, holder) = told.end().await;
    let rule = ControlRule::Amount(MinorUnits(10_000), Window::Day(madrid()));
    let control = terms(holder, rule, Selector::default());
    let whole = of(control.clone(), SHORT_DAY - 3_600, AFTER_SHORT + 10);
    let report = backtest(&world.store, &whole).await.expect("a report");
    // 60; then 60 of 100, 50 too much, 40 fit, a cent too much (twice); 40 back and 40 again; a
    // cent too much; a new day with 100, and a cent too much.
    assert_eq!(declined(&world, &report).await, [3, 5, 6, 8, 10]);
    assert_eq!((report.asked, report.holders), (10, 1));
    let sums: Vec<_> = report.declined.iter().map(|(key, sum)| (key.0, *sum)).collect();
    let [(reason, sum)] = sums[..] else { panic!("{sums:?}") };
    assert_eq!((reason, sum.count, sum.amount), (Reason::AmountLimitExceeded, 5, 50_04));

    // From the middle of the day on: everything that was granted before counts, 60 and 50.
    let later = of(control.clone(), SHORT_DAY + 7_000, AFTER_SHORT);
    let report = backtest(&world.store, &later).await.expect("a report");
    // 110 of 100 are used already. 50 are given back, a cent fits, and 40 no longer do.
    assert_eq!(declined(&world, &report).await, [4, 5, 7]);
    // In UTC the first belongs to another day than midnight in Madrid says.
    let rule = ControlRule::Amount(MinorUnits(10_000), Window::Day(text("UTC")));
    let utc = of(terms(holder, rule, Selector::default()), SHORT_DAY - 3_600, SHORT_DAY + 10);
    let report = backtest(&world.store, &utc).await.expect("a report");
    assert_eq!(declined(&world, &report).await, [2], "60 and 60 on one day");
    // No more than so many of one card are told at once, and no more than so many are listed.
    let few = BacktestOf { most_of_one: 9, ..whole.clone() };
    let refused = backtest(&world.store, &few).await.expect_err("too many");
    assert!(matches!(refused, BacktestError::Past(PastError::TooMany { most: 9, .. })));
    let short = BacktestOf { most_listed: 2, ..whole };
    let report = backtest(&world.store, &short).await.expect("a report");
    assert_eq!((report.listed.len(), report.declined.len()), (2, 1));
    world.expect_balanced().await;
    world.close().await;
}

/// Counts: a day of 25 hours; an increment is none of its own, and only what is selected counts.
#[tokio::test(flavor = "multi_thread")]
async fn a_count_a_day_is_tried_across_the_day_of_25_hours() {
    let mut told = Told::<1>::begin(LONG_DAY - 60).await;
    told.tell(&[(LONG_DAY, 1, 1_00)]).await;
    told.serving.add(told.holder, 2, 1, 50).await;
    told.serving.buy_at(told.holder, 3, 1_00, 7995).await;
    let hour_25 = LONG_DAY + 24 * 3_600 + 1_800;
    told.tell(&[(hour_25, 4, 1_00), (AFTER_LONG - 1, 5, 1_00), (AFTER_LONG, 6, 1_00)]).await;
    let (world, holder) = told.end().await;
    let (from, to) = (LONG_DAY - 60, AFTER_LONG + 60);
    let count = ControlRule::Count(2, Window::Day(madrid()));
    let groceries = Selector { categories: vec![Categories::one(5411)], ..Selector::default() };
    for (rule, selects, expected) in [
        (count, groceries.clone(), &[5][..]),
        (count, Selector::default(), &[4, 5]),
        (ControlRule::Count(1, Window::Lifetime), groceries.clone(), &[4, 5, 6]),
        (ControlRule::Amount(MinorUnits(1_49), Window::Transaction), groceries.clone(), &[2]),
        (ControlRule::Amount(MinorUnits(1_50), Window::Transaction), groceries.clone(), &[]),
        (ControlRule::AllowOnly, groceries.clone(), &[3]),
        (ControlRule::Forbid, groceries, &[1, 2, 4, 5, 6]),
        (ControlRule::OneMerchant, Selector::default(), &[]),
    ] {
        let tried = of(terms(holder, rule, selects), from, to);
        let report = backtest(&world.store, &tried).await.expect("a report");
        assert_eq!(declined(&world, &report).await, expected, "{rule:?}");
        assert_eq!(report.asked, 6);
    }
    let never = ControlRule::Count(0, Window::Lifetime);
    let nonsense = of(terms(holder, never, Selector::default()), from, to);
    let refused = backtest(&world.store, &nonsense).await.expect_err("no control");
    assert!(matches!(refused, BacktestError::Control(_)), "{refused}");
    world.close().await;
}

/// A change of a control in force: what it alone declined is tried again, and counts where it would
/// be granted. What something else declined as well stays declined.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_a_control_says_what_would_be_declined_no_longer() {
    let mut told = Told::<2>::begin(LONG_DAY).await;
    let once = ControlRule::Count(1, Window::Day(madrid()));
    let define = Act::DefineControl(Box::new(terms(told.holder, once, Selector::default())));
    let key = IdempotencyKey([0xcc; 16]);
    let made = told.serving.done_as(key, define, Fingerprint([7; 16])).await;
    let control = ControlId(made.expect("a control"));
    told.tell(&[(LONG_DAY + 60, 1, 1_00)]).await;
    for (stan, minor) in [(2, 100), (3, 9_900_000), (4, 100)] {
        let request = purchase(told.holder, stan, minor, 5411);
        let command = Command::Authorize(request);
        let outcome = told.serving.send_for(Fingerprint([7; 16]), command, 9).await;
        let ReplyOutcome::Decided(decision) = outcome else { panic!("{outcome:?}") };
        assert_eq!(decision.reason, Reason::CountLimitExceeded, "{stan}");
    }
    let advised = Advise {
        request: advised(purchase(told.holder, 5, 1_00, 5411)),
        approved: true,
        approval_code: None,
        original: None,
    };
    told.serving.send_for(Fingerprint([7; 16]), Command::Advise(advised), 9).await;
    let (world, holder) = told.end().await;
    let tried = |count, instead_of| {
        let rule = ControlRule::Count(count, Window::Day(madrid()));
        let tried = of(terms(holder, rule, Selector::default()), LONG_DAY, LONG_DAY + 600);
        BacktestOf { instead_of, ..tried }
    };
    let sums = |of: &std::collections::BTreeMap<(Reason, _), Sum>| -> Vec<(Reason, u64, i128)> {
        of.iter().map(|((reason, _), sum)| (*reason, sum.count, sum.amount)).collect()
    };
    let reason = Reason::CountLimitExceeded;
    let report = backtest(&world.store, &tried(2, Some(control))).await.expect("a report");
    // The second is granted; the third is short of funds too; the fourth and the advice are over.
    assert_eq!(sums(&report.no_longer), [(reason, 1, 1_00)]);
    assert_eq!((sums(&report.over), sums(&report.declined)), (vec![(reason, 1, 1_00)], vec![]));
    let report = backtest(&world.store, &tried(4, Some(control))).await.expect("a report");
    assert_eq!((sums(&report.no_longer), sums(&report.over)), (vec![(reason, 2, 2_00)], vec![]));
    // A control of its own knows nothing of what another declined.
    let report = backtest(&world.store, &tried(2, None)).await.expect("a report");
    assert_eq!((sums(&report.no_longer), sums(&report.over)), (vec![], vec![]));
    world.close().await;
}

/// What was converted is asked about with what was held of it, and what was approved in part with
/// all that its message asked for.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_converted_or_approved_in_part_counts_as_it_was_granted() {
    let mut told = Told::<3>::begin(LONG_DAY).await;
    let control = told.serving.node.control();
    let partner = *control.partners.keys().next().expect("a partner");
    let programme = *control.programmes.keys().next().expect("a programme");
    let minimum = Some(MinorUnits(1));
    let partial = Act::SetPartialMinimum { partner, currency: euro(), minimum };
    let [markup, margin] = [BasisPoints::ZERO; 2];
    let foreign = ForeignTerms { markup, margin, marks_up_network: false };
    let foreign = Act::SetForeignTerms { programme, terms: Some(foreign) };
    for (number, act) in [(0xcd, partial), (0xce, foreign)] {
        told.serving.done_as(IdempotencyKey([number; 16]), act, PRINT).await;
    }
    let dollars = Currency::from_alphabetic("USD").expect("listed");
    let amount = Amount { minor: MinorUnits(10_000), currency: dollars };
    let billing = Some(Amount { minor: MinorUnits(94_19), currency: euro() });
    let network = Some(Box::new(NetworkAmounts { billing, ..NetworkAmounts::default() }));
    let abroad = Authorize { amount, network, ..purchase(told.holder, 1, 0, 5411) };
    let dear = purchase(told.holder, 2, 2_000_000, 5411);
    let terms_of_terminal = Terms { takes_part: true, ..Terms::default() };
    let dear = Authorize { terms: terms_of_terminal, ..dear };
    for (request, reason) in [(abroad, Reason::Approved), (dear, Reason::ApprovedPartially)] {
        let command = Command::Authorize(request);
        let outcome = told.serving.send_for(PRINT, command, 9).await;
        let ReplyOutcome::Decided(decision) = outcome else { panic!("{outcome:?}") };
        assert_eq!(decision.reason, reason);
    }
    let (world, holder) = told.end().await;
    // A limit has room for all that was asked for or for none; what counts is what came of it.
    for (most, expected) in [
        (94_19 + 2_000_000, &[][..]),
        (94_18 + 2_000_000, &[2]),
        (94_19, &[2]),
        (94_18, &[1, 2]),
        (10_000, &[2]),
    ] {
        let rule = ControlRule::Amount(MinorUnits(most), Window::Day(madrid()));
        let tried = of(terms(holder, rule, Selector::default()), LONG_DAY, LONG_DAY + 600);
        let report = backtest(&world.store, &tried).await.expect("a report");
        assert_eq!(declined(&world, &report).await, expected, "{most}");
    }
    let rule = ControlRule::Amount(MinorUnits(1), Window::Transaction);
    let tried = of(terms(holder, rule, Selector::default()), LONG_DAY, LONG_DAY + 600);
    let report = backtest(&world.store, &tried).await.expect("a report");
    let sums: Vec<_> = report.declined.values().map(|sum| (sum.count, sum.amount)).collect();
    assert_eq!(sums, [(2, 94_19 + 2_000_000)]);
    world.close().await;
}

fn advised(mut request: Authorize) -> Authorize {
    request.facts.key.class = MessageClass::AuthorizationAdvice;
    request
}

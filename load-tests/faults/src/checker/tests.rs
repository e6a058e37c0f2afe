//! The checker on histories made by hand: one that is right, and for each rule one that breaks it
//! and nothing else.

use std::collections::BTreeMap;

use super::asks::AskKind;
use super::history::{Ask, History, Link, Reply, Request, Sent, Stan, What};
use super::tables::{Amounts, Authorization, Tables};
use super::{Evidence, Unanswered, check, requests, sums};

const CARDS: [(i64, i64); 2] = [(71, 10_000), (72, 10_000)];
const POOL: i64 = 5;

fn sent(link: u32) -> Sent {
    Sent { link, at_us: 10, repeat: false, inquest: false }
}

fn reply(link: u32, code: &str, approval: &str) -> Reply {
    let (code, approval) = (code.to_owned(), approval.to_owned());
    Reply { link, at_us: 20, code, approval, inquest: false }
}

fn put(history: &mut History, stan: Stan, what: What, replies: Vec<Reply>) {
    let request = Request { sent: vec![sent(1)], replies, ..Request::new(what) };
    history.requests.insert(stan, request);
}

/// A request that was sent after those before it were answered.
fn then(history: &mut History, stan: Stan, what: What, approval: &str) {
    let at_us = u64::from(stan) * 100;
    put(history, stan, what, vec![Reply { at_us: at_us + 50, ..reply(1, "00", approval) }]);
    history.requests.get_mut(&stan).expect("put").sent[0].at_us = at_us;
}

fn ask(kind: AskKind, card: usize, amount: i64, of: Option<Stan>) -> What {
    What::Ask(Ask { kind, card, amount, of })
}

fn row(stan: Stan, balance: i64, authorized: i64, reversed: i64) -> Authorization {
    Authorization {
        id: i64::from(stan) + 1_000,
        stan,
        balance: Some(balance),
        reason: "approved".into(),
        approval_code: format!("A{stan:05}"),
        requested: authorized,
        authorized,
        reversed,
        closed: reversed > 0,
        ..Authorization::default()
    }
}

/// Two approvals, one of which was reversed; a decline; one that was answered only when asked; and
/// one of each other sort.
fn good() -> Evidence<'static> {
    let mut history = History::default();
    history.links.insert(1, Link { generation: 1, closed_us: None });
    let buy = |card, amount| ask(AskKind::Purchase, card, amount, None);
    let back = |of, standing| What::Reversal { of, standing, advice: false };
    put(&mut history, 1, buy(0, 500), vec![reply(1, "00", "A00001")]);
    put(&mut history, 2, buy(1, 700), vec![reply(1, "00", "A00002")]);
    put(&mut history, 3, back(2, 0), vec![reply(1, "00", "")]);
    history.requests.get_mut(&3).expect("put").sent[0].at_us = 21;
    history.requests.get_mut(&3).expect("put").replies[0].at_us = 29;
    put(&mut history, 4, buy(1, 900), vec![reply(1, "51", "")]);
    put(&mut history, 5, buy(0, 100), Vec::new());
    let asked = history.requests.get_mut(&5).expect("put");
    for _ in 0..2 {
        asked.sent.push(Sent { repeat: true, inquest: true, ..sent(1) });
        asked.replies.push(Reply { inquest: true, ..reply(1, "00", "A00005") });
    }
    asked.cut.push(1);
    then(&mut history, 6, ask(AskKind::Preauthorization, 0, 800, None), "A00006");
    then(&mut history, 7, ask(AskKind::Completion, 0, 750, Some(6)), "");
    then(&mut history, 8, ask(AskKind::Payment, 1, 300, None), "A00008");
    then(&mut history, 9, back(8, 100), "");
    then(&mut history, 10, ask(AskKind::Refund, 0, 200, None), "A00010");
    then(&mut history, 11, ask(AskKind::Inquiry, 0, 0, None), "A00011");
    then(&mut history, 12, ask(AskKind::Advice, 1, 400, None), "");
    then(&mut history, 13, ask(AskKind::Increment, 1, 50, Some(12)), "A00013");
    history.after_healing = vec![1];
    let tables = Tables {
        authorizations: good_rows(),
        reversals: BTreeMap::from([(3, 1), (9, 1)]),
        balances: BTreeMap::from([
            (71, Amounts { ledger: 9_450, held: 600 }),
            (72, Amounts { ledger: 9_900, held: 450 }),
        ]),
        pools: BTreeMap::from([(POOL, Amounts { ledger: 49_350, held: 1_050 })]),
        postings: BTreeMap::from([(978, 0)]),
        network: 650,
        dated_back: 0,
        leaks: Vec::new(),
    };
    Evidence { history, tables, cards: &CARDS, pool: (POOL, 50_000), ..Evidence::default() }
}

fn good_rows() -> Vec<Authorization> {
    let declined = Authorization {
        reason: "insufficient_funds".into(),
        approval_code: String::new(),
        requested: 900,
        closed: true,
        ..row(4, 72, 0, 0)
    };
    let advised = |one: Authorization| Authorization {
        reason: "advice_accepted".into(),
        approval_code: String::new(),
        ..one
    };
    let settled = |one: Authorization, cleared| Authorization { cleared, closed: true, ..one };
    let completion = Authorization { authorized: 0, completes: Some(1_006), ..row(7, 71, 750, 0) };
    vec![
        row(1, 71, 500, 0),
        row(2, 72, 700, 700),
        declined,
        row(5, 71, 100, 0),
        settled(row(6, 71, 800, 0), 750),
        settled(advised(completion), 750),
        settled(row(8, 72, 300, 200), 100),
        settled(row(10, 71, 200, 0), 200),
        Authorization { closed: true, ..row(11, 71, 0, 0) },
        Authorization { incremented: 50, ..advised(row(12, 72, 400, 0)) },
        Authorization { closed: true, completes: Some(1_012), ..row(13, 72, 50, 0) },
    ]
}

/// Breaks something, and tells which rules were found broken.
fn broken(spoil: impl FnOnce(&mut Evidence<'_>)) -> Vec<&'static str> {
    let mut evidence = good();
    spoil(&mut evidence);
    let mut rules: Vec<_> = check(&evidence).into_iter().map(|one| one.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

fn request<'e>(evidence: &'e mut Evidence<'_>, stan: Stan) -> &'e mut Request {
    evidence.history.requests.get_mut(&stan).expect("a request of the good history")
}

fn of<'e>(evidence: &'e mut Evidence<'_>, stan: Stan) -> &'e mut Authorization {
    let mut rows = evidence.tables.authorizations.iter_mut();
    rows.find(|row| row.stan == stan).expect("a row of the good tables")
}

#[test]
fn a_good_run_breaks_no_rule() {
    assert_eq!(broken(|_| {}), [""; 0]);
}

#[test]
fn an_approval_that_is_not_in_the_database_is_found() {
    let lost = broken(|evidence| evidence.tables.authorizations.retain(|row| row.stan != 1));
    assert!(lost.contains(&requests::SEEN), "{lost:?}");
    let voided = broken(|evidence| of(evidence, 1).reason = "issuer_inoperative".into());
    assert_eq!(voided, [requests::SEEN], "{voided:?}");
    let other = broken(|evidence| of(evidence, 1).approval_code = "A99999".into());
    assert_eq!(other, [requests::SEEN]);
    let amount = broken(|evidence| of(evidence, 1).authorized = 499);
    assert!(amount.contains(&requests::SEEN), "{amount:?}");
}

#[test]
fn a_second_hold_is_found() {
    let twice = broken(|evidence| {
        evidence.tables.authorizations.push(row(1, 71, 500, 0));
    });
    assert_eq!(twice, [requests::ONCE, sums::HELD, sums::STANDS]);
}

#[test]
fn answers_that_differ_are_found() {
    let differ = broken(|evidence| {
        request(evidence, 1).sent.push(sent(1));
        request(evidence, 1).replies.push(reply(1, "00", "A77777"));
    });
    assert_eq!(differ, [requests::SAME]);
    let declined = |at_us, asked_at| {
        broken(|evidence| {
            let request = request(evidence, 1);
            request.sent.push(Sent { at_us: asked_at, ..sent(1) });
            request.replies.push(Reply { at_us, ..reply(1, "91", "") });
        })
    };
    assert_eq!(declined(15, 16), [""; 0], "asked again after the decline, and approved");
    assert_eq!(declined(15, 14), [requests::SAME], "approved and declined with no asking between");
    assert_eq!(declined(30, 25), [requests::SAME], "declined after the approval");
    let shed = |repeat| {
        broken(|evidence| {
            evidence.sheds = true;
            let request = request(evidence, 1);
            request.sent[0].link = 2;
            request.replies[0].link = 2;
            request.sent.push(Sent { repeat, ..sent(1) });
            request.replies.push(Reply { at_us: 15, ..reply(1, "91", "") });
        })
    };
    assert_eq!(shed(false), [""; 0], "declined without being looked at");
    assert_eq!(shed(true), [requests::SAME], "a marked repeat is never shed by a decline");
    let malfunction = |unanswered| {
        broken(|evidence| {
            evidence.unanswered = unanswered;
            let request = request(evidence, 1);
            request.sent.push(sent(1));
            request.replies.push(Reply { at_us: 15, ..reply(1, "96", "") });
        })
    };
    assert_eq!(malfunction(Unanswered::One), [""; 0], "one copy failed, the other was approved");
}

#[test]
fn a_decline_that_holds_is_found() {
    let held = broken(|evidence| {
        let row = of(evidence, 4);
        row.reason = "approved".into();
        row.authorized = 900;
        row.closed = false;
    });
    assert_eq!(held, [requests::DECLINED, sums::HELD, sums::STANDS]);
}

#[test]
fn a_reversal_that_gave_back_nothing_or_twice_is_found() {
    let nothing = broken(|evidence| {
        let row = of(evidence, 2);
        (row.reversed, row.closed) = (0, false);
    });
    assert_eq!(nothing, [sums::HELD, requests::REVERSED, sums::STANDS]);
    let twice = broken(|evidence| of(evidence, 2).reversed = 1_400);
    assert_eq!(twice, [requests::REVERSED]);
    let nowhere = broken(|evidence| evidence.tables.reversals.clear());
    assert_eq!(nowhere, [requests::REVERSED]);
    let two = broken(|evidence| {
        evidence.tables.reversals.insert(3, 2);
    });
    assert_eq!(two, [requests::REVERSED]);
}

#[test]
fn a_completion_that_settled_twice_or_nothing_is_found() {
    let all = [sums::SETTLED, sums::STANDS];
    let twice = broken(|evidence| {
        for stan in [6, 7] {
            of(evidence, stan).cleared = 1_500;
        }
        evidence.tables.balances.insert(71, Amounts { ledger: 8_700, held: 600 });
        evidence.tables.pools.insert(POOL, Amounts { ledger: 48_600, held: 1_050 });
        evidence.tables.network = 1_400;
    });
    assert_eq!(twice, all);
    let nothing = broken(|evidence| {
        for stan in [6, 7] {
            of(evidence, stan).cleared = 0;
        }
        evidence.tables.balances.insert(71, Amounts { ledger: 10_200, held: 600 });
        evidence.tables.pools.insert(POOL, Amounts { ledger: 50_100, held: 1_050 });
        evidence.tables.network = -100;
    });
    assert_eq!(nothing, all);
    let held = broken(|evidence| {
        let row = of(evidence, 6);
        (row.closed, row.cleared) = (false, 0);
    });
    assert_eq!(held, [sums::HELD, sums::STANDS]);
    let alone = broken(|evidence| of(evidence, 7).completes = None);
    assert_eq!(alone, [requests::LINKED]);
    let other = broken(|evidence| of(evidence, 7).completes = Some(1_001));
    assert_eq!(other, [requests::LINKED]);
}

#[test]
fn a_refund_that_paid_twice_or_nothing_is_found() {
    for (cleared, ledger, pool, network) in [(400, 9_650, 49_550, 450), (0, 9_250, 49_150, 850)] {
        let wrong = broken(|evidence| {
            of(evidence, 10).cleared = cleared;
            evidence.tables.balances.insert(71, Amounts { ledger, held: 600 });
            evidence.tables.pools.insert(POOL, Amounts { ledger: pool, held: 1_050 });
            evidence.tables.network = network;
        });
        assert_eq!(wrong, [sums::SETTLED, sums::STANDS]);
    }
}

#[test]
fn a_partial_reversal_that_left_another_amount_is_found() {
    let wrong = broken(|evidence| {
        let row = of(evidence, 8);
        (row.cleared, row.reversed) = (300, 0);
    });
    assert_eq!(wrong, [sums::STANDS]);
}

#[test]
fn an_increment_that_holds_nothing_is_found() {
    let wrong = broken(|evidence| of(evidence, 12).incremented = 0);
    assert_eq!(wrong, [sums::HELD, sums::STANDS]);
}

#[test]
fn an_inquiry_that_moves_money_is_found() {
    let wrong = broken(|evidence| {
        let row = of(evidence, 11);
        (row.authorized, row.closed) = (10, false);
    });
    assert_eq!(wrong, [requests::SEEN, sums::HELD, sums::STANDS]);
}

/// What was on its way at once may have been decided in either order, and in no other way.
#[test]
fn messages_about_one_authorization_may_come_in_any_order_in_which_they_were_on_their_way() {
    let reversed = |at_once: bool, held: i64| {
        broken(|evidence| {
            let back = What::Reversal { of: 12, standing: 300, advice: true };
            then(&mut evidence.history, 14, back, "");
            request(evidence, 14).sent[0].at_us = if at_once { 1_320 } else { 1_400 };
            evidence.tables.reversals.insert(14, 1);
            // 450 were held where the increment came first.
            of(evidence, 12).reversed = 450 - held;
            evidence.tables.balances.insert(72, Amounts { ledger: 9_900, held });
            evidence.tables.pools.insert(POOL, Amounts { ledger: 49_350, held: 600 + held });
        })
    };
    assert_eq!(reversed(false, 300), [""; 0]);
    assert_eq!(reversed(true, 300), [""; 0]);
    assert_eq!(reversed(true, 350), [""; 0], "the increment came last");
    assert_eq!(reversed(false, 350), [sums::HELD, sums::STANDS]);
    assert_eq!(reversed(true, 351), [sums::HELD, sums::STANDS]);
}

#[test]
fn a_reply_without_its_request_is_found() {
    let twice = broken(|evidence| request(evidence, 1).replies.push(reply(1, "00", "A00001")));
    assert_eq!(twice, [requests::OWN_LINK]);
    let elsewhere = broken(|evidence| {
        evidence.unanswered = Unanswered::Any;
        request(evidence, 1).replies[0].link = 2;
    });
    assert_eq!(elsewhere, [requests::OWN_LINK]);
    let not_whole = broken(|evidence| request(evidence, 1).cut.push(1));
    assert_eq!(not_whole, [requests::OWN_LINK]);
    let copied = broken(|evidence| {
        request(evidence, 1).copies.push(1);
        request(evidence, 1).replies.push(reply(1, "00", "A00001"));
    });
    assert_eq!(copied, [""; 0]);
}

#[test]
fn an_approval_by_a_fenced_process_is_found() {
    let fenced = |woken| {
        broken(|evidence| {
            evidence.history.fenced.insert(1, woken);
        })
    };
    assert_eq!(fenced(15), [requests::FENCED]);
    assert_eq!(fenced(5_000), [""; 0]);
}

#[test]
fn silence_is_found() {
    let never = broken(|evidence| {
        let request = request(evidence, 5);
        request.replies.clear();
        request.sent.truncate(1);
        evidence.tables.authorizations.retain(|row| row.stan != 5);
        evidence.tables.balances.insert(71, Amounts { ledger: 9_450, held: 500 });
        evidence.tables.pools.insert(POOL, Amounts { ledger: 49_350, held: 950 });
    });
    assert_eq!(never, [requests::DEFINITE]);
    let once = broken(|evidence| {
        evidence.unanswered = Unanswered::Any;
        request(evidence, 5).replies.pop();
    });
    assert_eq!(once, [requests::DEFINITE]);
    let whole = broken(|evidence| request(evidence, 5).cut.clear());
    assert_eq!(whole, [requests::SILENT]);
    let shed = |repeat| {
        broken(|evidence| {
            evidence.sheds = true;
            let request = request(evidence, 1);
            request.sent.extend([Sent { repeat, ..sent(1) }, Sent { repeat, ..sent(1) }]);
        })
    };
    assert_eq!(shed(false), [""; 0], "a copy of what was taken");
    assert_eq!(shed(true), [requests::SILENT], "a marked repeat is taken");
    let closed = broken(|evidence| {
        request(evidence, 5).cut.clear();
        evidence.history.links.insert(1, Link { generation: 1, closed_us: Some(30) });
    });
    assert_eq!(closed, [""; 0]);
}

/// What a defect may cost: one request, unanswered or answered so, and no other.
#[test]
fn more_than_one_request_that_failed_is_found() {
    let fail = |evidence: &mut Evidence<'_>, stan, unanswered| {
        evidence.unanswered = unanswered;
        request(evidence, stan).replies = vec![reply(1, "96", "")];
    };
    for (unanswered, allowed) in
        [(Unanswered::None, false), (Unanswered::One, true), (Unanswered::Any, false)]
    {
        let one = broken(|evidence| fail(evidence, 4, unanswered));
        assert_eq!(one.is_empty(), allowed, "{unanswered:?}: {one:?}");
    }
    let two = broken(|evidence| {
        fail(evidence, 4, Unanswered::One);
        request(evidence, 5).cut.clear();
    });
    assert_eq!(two, [requests::MALFUNCTIONED, requests::SILENT]);
    let again = broken(|evidence| {
        fail(evidence, 4, Unanswered::One);
        let request = request(evidence, 4);
        request.sent.push(Sent { at_us: 30, repeat: true, ..sent(1) });
        request.replies.push(Reply { at_us: 40, ..reply(1, "51", "") });
    });
    assert_eq!(again, [""; 0], "asked again, it is decided anew");
}

#[test]
fn a_decision_that_is_dated_back_is_found() {
    assert_eq!(broken(|evidence| evidence.tables.dated_back = 1), ["I8 time went back"]);
}

#[test]
fn a_purchase_after_healing_that_is_not_approved_is_found() {
    assert_eq!(broken(|evidence| evidence.history.after_healing.push(4)), [requests::HEALED]);
}

#[test]
fn sums_that_do_not_follow_are_found() {
    let balance = broken(|evidence| {
        evidence.tables.balances.insert(71, Amounts { ledger: 9_450, held: 601 });
    });
    assert_eq!(balance, [sums::HELD]);
    let pool = broken(|evidence| {
        evidence.tables.pools.insert(POOL, Amounts { ledger: 49_350, held: 1_049 });
    });
    assert_eq!(pool, [sums::HELD]);
    let gone = broken(|evidence| {
        evidence.tables.balances.remove(&72);
    });
    assert_eq!(gone, [sums::HELD]);
    let below = broken(|evidence| {
        evidence.tables.balances.insert(71, Amounts { ledger: 599, held: 600 });
    });
    assert_eq!(below, [sums::SETTLED, sums::BELOW_ZERO]);
    let paid = broken(|evidence| evidence.tables.network = 651);
    assert_eq!(paid, [sums::SETTLED]);
    let postings = broken(|evidence| {
        evidence.tables.postings.insert(978, 1);
    });
    assert_eq!(postings, [sums::ZERO_SUM]);
}

#[test]
fn the_audit_and_leaks_are_passed_on() {
    let audit = broken(|evidence| evidence.findings.push("a row that differs".into()));
    assert_eq!(audit, ["I6 audit"]);
    let leak = broken(|evidence| evidence.tables.leaks.push("table posting".into()));
    assert_eq!(leak, ["I11 card number"]);
}

#[test]
fn the_history_of_a_request_is_told_in_order() {
    let told = good().history.tell(5);
    assert_eq!(told.len(), 7, "{told:?}");
    assert!(told[0].contains("STAN 000005") && told[1].contains("sent on link 1"), "{told:?}");
    assert!(told[6].contains("cut it on [1]"), "{told:?}");
}

//! The checker on histories made by hand: one that is right, and for each rule one that breaks it
//! and nothing else.

use std::collections::BTreeMap;

use super::history::{History, Link, Reply, Request, Sent, Stan, What};
use super::tables::{Amounts, Authorization, Tables};
use super::{Evidence, Unanswered, check, requests, sums};

const CARDS: [i64; 2] = [71, 72];
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

fn row(stan: Stan, balance: i64, authorized: i64, reversed: i64) -> Authorization {
    Authorization {
        stan,
        balance: Some(balance),
        reason: "approved".into(),
        approval_code: format!("A{stan:05}"),
        authorized,
        reversed,
        closed: reversed > 0,
    }
}

/// Two approvals, one of which was reversed; a decline; one that was answered only when asked.
fn good() -> Evidence<'static> {
    let mut history = History::default();
    history.links.insert(1, Link { generation: 1, closed_us: None });
    let buy = |card, amount| What::Purchase { card, amount };
    put(&mut history, 1, buy(0, 500), vec![reply(1, "00", "A00001")]);
    put(&mut history, 2, buy(1, 700), vec![reply(1, "00", "A00002")]);
    put(&mut history, 3, What::Reversal { of: 2 }, vec![reply(1, "00", "")]);
    put(&mut history, 4, buy(1, 900), vec![reply(1, "51", "")]);
    put(&mut history, 5, buy(0, 100), Vec::new());
    let asked = history.requests.get_mut(&5).expect("put");
    for _ in 0..2 {
        asked.sent.push(Sent { repeat: true, inquest: true, ..sent(1) });
        asked.replies.push(Reply { inquest: true, ..reply(1, "00", "A00005") });
    }
    asked.cut.push(1);
    history.after_healing = vec![1];
    let declined = Authorization {
        reason: "insufficient_funds".into(),
        approval_code: String::new(),
        closed: true,
        ..row(4, 72, 0, 0)
    };
    let authorizations =
        vec![row(1, 71, 500, 0), row(2, 72, 700, 700), declined, row(5, 71, 100, 0)];
    let tables = Tables {
        authorizations,
        reversals: BTreeMap::from([(3, 1)]),
        balances: BTreeMap::from([
            (71, Amounts { ledger: 10_000, held: 600 }),
            (72, Amounts { ledger: 10_000, held: 0 }),
        ]),
        pools: BTreeMap::from([(POOL, Amounts { ledger: 50_000, held: 600 })]),
        postings: BTreeMap::from([(978, 0)]),
        dated_back: 0,
        leaks: Vec::new(),
    };
    Evidence { history, tables, cards: &CARDS, pool: POOL, ..Evidence::default() }
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
    assert_eq!(voided, [requests::SEEN]);
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
    assert_eq!(twice, [requests::ONCE, sums::HELD]);
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
    assert_eq!(held, [requests::DECLINED, sums::HELD]);
}

#[test]
fn a_reversal_that_gave_back_nothing_or_twice_is_found() {
    let nothing = broken(|evidence| {
        let row = of(evidence, 2);
        (row.reversed, row.closed) = (0, false);
    });
    assert_eq!(nothing, [sums::HELD, requests::REVERSED]);
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
    assert_eq!(fenced(25), [""; 0]);
}

#[test]
fn silence_is_found() {
    let never = broken(|evidence| {
        let request = request(evidence, 5);
        request.replies.clear();
        request.sent.truncate(1);
        evidence.tables.authorizations.retain(|row| row.stan != 5);
        evidence.tables.balances.insert(71, Amounts { ledger: 10_000, held: 500 });
        evidence.tables.pools.insert(POOL, Amounts { ledger: 50_000, held: 500 });
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
        evidence.tables.balances.insert(71, Amounts { ledger: 10_000, held: 601 });
    });
    assert_eq!(balance, [sums::HELD]);
    let pool = broken(|evidence| {
        evidence.tables.pools.insert(POOL, Amounts { ledger: 50_000, held: 599 });
    });
    assert_eq!(pool, [sums::HELD]);
    let gone = broken(|evidence| {
        evidence.tables.balances.remove(&72);
    });
    assert_eq!(gone, [sums::HELD]);
    let below = broken(|evidence| {
        evidence.tables.balances.insert(71, Amounts { ledger: 599, held: 600 });
    });
    assert_eq!(below, [sums::BELOW_ZERO]);
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

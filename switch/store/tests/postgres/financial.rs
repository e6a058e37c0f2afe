//! Financial messages in the tables and back: what was settled at once, what completed a hold, what
//! was refunded, and what of it was taken back. The simulated tables tell the same story.

use switch_domain::{
    Account, AuthorizationDelta, BalanceDelta, Completed, Effects, Event, Forgotten, MessageClass,
    MessageKey, MinorUnits, OriginalClass, PoolDelta, Posting, Reason, Record, Seq, StandIn,
    Timestamp, Totals, TransactionType, VaultRef,
};
use switch_store::{Tables, books, decode_records, encode_records};

use crate::life::{
    CONTROL, SHARD, START, answered, authorization, balance, control_rows, euro, keep_cards,
    partner, pool, reversed, second_of, shard_rows,
};
use crate::stage::{Projecting, Stage, Writer};

fn delta(number: u64, totals: Totals, closes: bool) -> AuthorizationDelta {
    let decided_at = Timestamp(START + second_of(number) * 1_000_000);
    AuthorizationDelta { authorization: authorization(number), decided_at, totals, closes }
}

/// What is posted when so much goes to the customer, or comes from there where it is below zero.
fn moved(amount: i64, held: i64) -> Effects {
    let legs = [
        (Account::Balance(balance(1)), amount),
        (Account::Memorandum(partner()), -amount),
        (Account::Pool(pool()), amount),
        (Account::NetworkSettlement(partner()), -amount),
    ];
    let posting =
        |(account, amount)| Posting { account, amount: MinorUnits(amount), currency: euro() };
    let (amount, held) = (MinorUnits(amount), MinorUnits(held));
    Effects {
        balance: Some(BalanceDelta { balance: balance(1), ledger: amount, held }),
        pool: Some(PoolDelta { pool: pool(), level: amount, held }),
        postings: legs.into_iter().map(posting).collect(),
        ..Effects::default()
    }
}

fn cleared(amount: i64) -> Totals {
    Totals { cleared: MinorUnits(amount), ..Totals::default() }
}

/// A financial message, of what it completes or refunds.
fn settled(
    number: u64,
    amount: i64,
    kind: TransactionType,
    completes: Option<u64>,
    effects: Effects,
) -> Record {
    let mut record = answered(second_of(number), number, amount, Reason::Approved, 5);
    if let Event::Authorized(one) = &mut record.event {
        one.facts.kind = kind;
        one.facts.key.class = MessageClass::FinancialRequest;
        if let Some(completed) = completes {
            one.facts.key.class = MessageClass::FinancialAdvice;
            one.reason = Reason::AdviceAccepted;
            one.stand_in = Some(StandIn::Agreed);
            one.approval_code = None;
            let of = delta(completed, Totals::default(), false);
            one.completes =
                Some(Completed { authorization: of.authorization, decided_at: of.decided_at });
        }
    }
    Record { effects, ..record }
}

fn changed(record: Record, change: impl FnOnce(&mut switch_domain::Reversed)) -> Record {
    let mut record = record;
    if let Event::Reversed(one) = &mut record.event {
        change(one);
    }
    record
}

/// Two accounts and what happens to them; behind it a withdrawal of 900 (30), the completion of
/// number 5, of which 700 was held, for 650 (31), a refund of 100 of the withdrawal (32), the
/// reversal of number 6 that leaves 500 of 1,200, that of the completion, and one that comes before
/// its original and leaves 50 of it.
pub(crate) fn rows(vault: [VaultRef; 2]) -> Vec<Vec<Record>> {
    let own = Totals { authorized: MinorUnits(900), ..cleared(900) };
    let withdrawal = Effects { authorization: Some(delta(30, own, true)), ..moved(-900, 0) };
    let completion = Effects {
        authorization: Some(delta(31, cleared(650), true)),
        completed: Some(Box::new(delta(5, cleared(650), true))),
        ..moved(-650, -700)
    };
    let refunded = Totals { refunded: MinorUnits(100), ..Totals::default() };
    let refund = Effects {
        authorization: Some(delta(32, cleared(100), true)),
        completed: Some(Box::new(delta(30, refunded, false))),
        ..moved(100, 0)
    };
    let back = Totals { reversed: MinorUnits(650), ..cleared(-650) };
    let contra = Effects {
        authorization: Some(delta(31, back, true)),
        completed: Some(Box::new(delta(5, back, false))),
        ..moved(650, 0)
    };
    let mut part = reversed(63, 80, Some(6), 700);
    if let Some(delta) = &mut part.effects.authorization {
        delta.closes = false;
    }
    let mut rows = shard_rows(vault);
    rows.push(vec![settled(30, 900, TransactionType::Cash, None, withdrawal)]);
    rows.push(vec![
        settled(31, 650, TransactionType::Purchase, Some(5), completion),
        settled(32, 100, TransactionType::Refund, Some(30), refund),
    ]);
    rows.push(vec![
        changed(part, |one| one.standing = MinorUnits(500)),
        changed(Record { effects: contra, ..reversed(64, 81, Some(31), 0) }, |one| {
            one.key.class = MessageClass::ReversalAdvice;
            one.reference.class = Some(OriginalClass::Financial);
        }),
        changed(reversed(65, 83, None, 0), |one| one.standing = MinorUnits(50)),
    ]);
    rows
}

async fn project(stage: &Stage) -> Vec<Vec<Record>> {
    let vault = keep_cards(&stage.store).await;
    let story = rows(vault);
    for (shard, rows) in [(CONTROL, control_rows()), (SHARD, story.clone())] {
        let mut writer = Writer::new(&stage.store, shard);
        for records in rows {
            writer.append(&records).await;
        }
        Projecting::start(&stage.store, shard).finish().await;
    }
    story
}

#[tokio::test]
async fn what_was_settled_is_in_the_tables_and_comes_back() {
    let stage = Stage::new().await;
    project(&stage).await;
    assert_eq!(books(&stage.store).await.expect("a check"), []);
    let image = stage.store.load(SHARD, Timestamp(START), 1_000).await.expect("an image");
    let of = |number| {
        let id = authorization(number);
        image.authorizations.iter().find(|one| one.id == id).expect("loaded")
    };
    let totals = |number| {
        let t = of(number).totals;
        [t.authorized.0, t.reversed.0, t.cleared.0, t.refunded.0]
    };
    assert_eq!(totals(30), [900, 0, 900, 100], "the withdrawal, a part of it refunded");
    assert_eq!(totals(31), [0, 650, 0, 0], "the completion, taken back");
    assert_eq!(totals(32), [0, 0, 100, 0], "the refund");
    assert_eq!(totals(5), [700, 650, 0, 0], "what was completed, and that taken back");
    assert_eq!(totals(6), [1_200, 700, 0, 0], "what was reversed in part");
    assert_eq!((of(6).held().0, of(5).held().0), (500, 0));
    assert_eq!((of(30).facts.kind, of(31).facts.kind), (TransactionType::Cash, of(5).facts.kind));
    let completes = of(31).completes.expect("it completes one");
    assert_eq!((completes.authorization, completes.decided_at), (of(5).id, of(5).decided_at));
    let account = image.balances.first().expect("an account");
    assert_eq!((account.ledger.0, account.held.0), (50_000 - 900 + 100, 500));
    let reversals: Vec<_> = image
        .reversals
        .iter()
        .map(|one| (one.id.counter(), one.standing.0, one.reference.class))
        .filter(|(id, ..)| *id >= authorization(80).counter())
        .collect();
    let financial = Some(OriginalClass::Financial);
    let id = |number| authorization(number).counter();
    let expected = [(id(80), 500, None), (id(81), 0, financial), (id(83), 50, None)];
    assert_eq!(reversals, expected);
    let completed = "SELECT count(*) FROM authorization_event WHERE kind = 'completed'
        AND coalesce(cleared, 0) + coalesce(refunded, 0) > 0";
    assert_eq!(stage.count(completed).await, 2);
    let legs = "SELECT count(*) FROM posting WHERE account = 'network_settlement'";
    assert_eq!(stage.count(legs).await, 4);
    stage.close().await;
}

/// A completion that came before is found by its own key, and what it completes by what it says.
#[tokio::test]
async fn a_completion_is_looked_up_with_what_it_completes() {
    let stage = Stage::new().await;
    let story = project(&stage).await;
    let key = |number: u64| -> MessageKey {
        let found = story.concat().into_iter().find_map(|record| match record.event {
            Event::Authorized(one) if one.id == authorization(number) => Some(one.facts.key),
            _ => None,
        });
        found.expect("a message")
    };
    let mut tables = stage.store.tables();
    for (own, of, found) in [(31, 5, &[5, 31][..]), (31, 31, &[31]), (32, 30, &[30, 32])] {
        let original = key(of).as_original();
        let traces = Default::default();
        let what = Forgotten::Message { original, answered: Some(key(own)), traces };
        let recalled = tables.recall(SHARD, Seq::NONE, &what).await.expect("asked");
        let recalled = recalled.expect("they are that far");
        let ids: Vec<u64> = recalled.authorizations.iter().map(|one| one.id.counter()).collect();
        let expected: Vec<u64> = found.iter().map(|one| authorization(*one).counter()).collect();
        assert_eq!(ids, expected, "{own} of {of}");
        assert_eq!(recalled.reversal, None);
    }
    stage.close().await;
}

#[test]
fn the_rows_are_read_as_they_were_written() {
    let vault = [VaultRef { row: 1, version: 1 }, VaultRef { row: 2, version: 1 }];
    let records = rows(vault).concat();
    let bytes = encode_records(&records);
    assert_eq!(decode_records(switch_store::FORMAT, &bytes).expect("readable"), records);
}

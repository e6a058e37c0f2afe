//! What advices came to, in the tables and back: the rows hold what they hold, and what people have
//! to look at is found. The simulated tables tell the same story.

use switch_domain::{Event, Forgotten, Reason, Record, Seq, StandIn, Timestamp, VaultRef};
use switch_store::{StoreError, Tables, books, decode_records, encode_records};

use crate::life::{
    CONTROL, SHARD, START, advised, authorization, control_rows, keep_cards, reversed,
    reversed_for_nothing, shard_rows,
};
use crate::stage::{Projecting, Stage, Writer};

/// One of each, with the number of its authorization.
pub(crate) fn each() -> [(u64, StandIn); 6] {
    [
        (17, StandIn::Agreed),
        (18, StandIn::Forced(Reason::InsufficientFunds)),
        (19, StandIn::Suspense(Reason::CurrencyUnacceptable)),
        (20, StandIn::Declined),
        (21, StandIn::Known),
        (22, StandIn::Reversed),
    ]
}

/// Two accounts and what happens to them; behind it one advice of each kind, the reversal of the
/// first, a second one that gives nothing, and one of what was only declined.
pub(crate) fn rows(vault: [VaultRef; 2]) -> Vec<Vec<Record>> {
    let mut rows = shard_rows(vault);
    rows.extend(
        each()
            .chunks(2)
            .map(|two| two.iter().map(|(number, stand_in)| advised(*number, *stand_in)).collect()),
    );
    rows.push(vec![reversed(60, 80, Some(17), 500), reversed_for_nothing(61, 81, 17)]);
    rows.push(vec![reversed_for_nothing(62, 82, 2)]);
    rows
}

#[tokio::test]
async fn what_an_advice_came_to_is_in_the_tables_and_comes_back() {
    let stage = Stage::new().await;
    let vault = keep_cards(&stage.store).await;
    for (shard, rows) in [(CONTROL, control_rows()), (SHARD, rows(vault))] {
        let mut writer = Writer::new(&stage.store, shard);
        for records in rows {
            writer.append(&records).await;
        }
        Projecting::start(&stage.store, shard).finish().await;
    }
    assert_eq!(books(&stage.store).await.expect("a check"), []);
    let image = stage.store.load(SHARD, Timestamp(START), 1_000).await.expect("an image");
    for (number, stand_in) in each() {
        let id = authorization(number);
        let one = image.authorizations.iter().find(|one| one.id == id).expect("loaded");
        assert_eq!((one.stand_in, one.reason), (Some(stand_in), Reason::AdviceAccepted));
        assert_eq!(one.held().0, if number == 18 { 500 } else { 0 }, "{stand_in:?}");
        assert_eq!(one.closed, number != 18, "{stand_in:?}");
    }
    let held = image.balances.first().expect("an account").held.0;
    assert_eq!(held, 1_900 + 500, "what the story before holds, and the forced one");
    let requests = image.authorizations.iter().filter(|one| one.stand_in.is_none()).count();
    assert_eq!(requests, 6);
    let suspense = "SELECT count(*) FROM card_authorization
        WHERE stand_in = 'suspense' AND would_be = 'currency_unacceptable'";
    assert_eq!(stage.count(suspense).await, 1);
    stage.run("UPDATE card_authorization SET would_be = NULL WHERE stand_in = 'forced'").await;
    let damaged = stage.store.load(SHARD, Timestamp(START), 1_000).await;
    let refused = matches!(damaged, Err(StoreError::IllegalValue { column: "stand_in", .. }));
    assert!(refused, "a reason that is missing is not made up");
    stage.close().await;
}

/// The advice of what was declined finds the reversal that came between (W-21); a reversal that
/// gave something back has done its work.
#[tokio::test]
async fn reversals_that_gave_nothing_back_are_looked_up_for_an_advice() {
    let stage = Stage::new().await;
    let vault = keep_cards(&stage.store).await;
    let mut writer = Writer::new(&stage.store, SHARD);
    for records in rows(vault) {
        writer.append(&records).await;
    }
    Projecting::start(&stage.store, SHARD).finish().await;
    let mut tables = stage.store.tables();
    for (number, early) in [(2, &[182][..]), (17, &[181]), (1, &[])] {
        let keys = rows(vault).concat().into_iter().find_map(|record| match record.event {
            Event::Authorized(one) if one.id == authorization(number) => Some(one.facts.key),
            _ => None,
        });
        let original = keys.expect("a key").as_original();
        let what = Forgotten::Message { original, answered: None, traces: Default::default() };
        let recalled = tables.recall(SHARD, Seq::NONE, &what).await.expect("asked");
        let recalled = recalled.expect("they are that far");
        let found: Vec<u64> = recalled.early.iter().map(|one| one.id.counter()).collect();
        assert_eq!(found, early, "of {number}");
    }
    stage.close().await;
}

/// Rows with advices in them must stay readable: these bytes never change.
#[test]
fn the_bytes_of_advices_are_pinned() {
    let records: Vec<Record> =
        each().into_iter().map(|(number, stand_in)| advised(number, stand_in)).collect();
    let bytes = encode_records(&records);
    assert_eq!(decode_records(switch_store::FORMAT, &bytes).expect("readable"), records);
    let last: Vec<String> = records
        .iter()
        .map(|record| {
            let bytes = encode_records(std::slice::from_ref(record));
            let tail = &bytes[bytes.len().saturating_sub(26)..];
            tail.iter().map(|byte| format!("{byte:02x}")).collect()
        })
        .collect();
    assert_eq!(last, PINNED);
}

/// The ends of the records: the code, what the advice came to (tag 13), the reason of it (tag 14).
/// Computed by another implementation, from the rule alone.
const PINNED: [&str; 6] = [
    "0f6164766963655f616363657074656452064131423243336801",
    "4232433368027212696e73756666696369656e745f66756e6473",
    "336803721563757272656e63795f756e61636365707461626c65",
    "0f6164766963655f616363657074656452064131423243336804",
    "0f6164766963655f616363657074656452064131423243336805",
    "0f6164766963655f616363657074656452064131423243336806",
];

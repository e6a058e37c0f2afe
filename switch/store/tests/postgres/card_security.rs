//! References, counters, evidence and what was answered in the tables: they come back as they went.
//! That the simulated database tells the same story is `parity`.

use std::collections::BTreeMap;

use switch_domain::{
    CardCounters, CardId, CardReferences, Cause, Chip, ChipDifference, ChipFact, CounterEffect,
    CryptogramType, Effects, Event, Evidence, Expiry, Finding, LockCode, PinReference,
    PlasticInForce, Reason, Record, ServiceCode, Timestamp, Unverified, VaultRef,
};
use switch_store::StoreError;

use crate::advices;
use crate::life::{CONTROL, SHARD, START, card, control_rows, keep_cards};
use crate::stage::{Projecting, Stage, Writer};

/// The month that a card is renewed to.
const RENEWED: u16 = 3107;
/// The counter of the message that locks its card.
const LOCKING: u64 = 121;

fn references(version: u32) -> Box<CardReferences> {
    let pin = match version % 3 {
        0 => None,
        1 => PinReference::pvv(1, b"1234").ok(),
        _ => PinReference::offset(b"123456789012").ok(),
    };
    let code_generation = u8::try_from(version).expect("small");
    let service_code = ServiceCode::new(201).ok();
    let awaited = (version % 2 == 1).then_some(3);
    let plastic = PlasticInForce { since: 1, awaited };
    Box::new(CardReferences { version, service_code, sequence: 1, pin, code_generation, plastic })
}

fn changed(at: Timestamp, card: CardId, version: u32) -> Record {
    let event = Event::CardReferencesChanged { card, references: references(version) };
    Record { at, cause: Cause::Switch, event, effects: Effects::default() }
}

fn renewed(at: Timestamp, card: CardId, version: u32) -> Record {
    let expiry = Expiry::from_yymm(RENEWED).expect("a month");
    let event = Event::CardRenewed { card, expiry, references: references(version) };
    Record { at, cause: Cause::Switch, event, effects: Effects::default() }
}

fn evidence(number: u64) -> Option<Box<Evidence>> {
    let findings = [Finding::Matched, Finding::Mismatched, Finding::Unverified(Unverified::NoKey)];
    let finding = findings[usize::try_from(number).expect("small") % 3];
    let chip = Chip {
        atc: u16::try_from(number).expect("small"),
        sequence: 1,
        cryptogram: Finding::Matched,
        kind: CryptogramType::Request,
        differs: [ChipDifference::Amount, ChipDifference::Date].into_iter().collect(),
        tolerated: [ChipDifference::Date].into_iter().collect(),
        facts: [ChipFact::ScriptFailed, ChipFact::CounterJumped].into_iter().collect(),
    };
    let found = Evidence {
        references: 1,
        pin: finding,
        code: if number.is_multiple_of(2) { finding } else { Finding::Absent },
        chip: (!number.is_multiple_of(4)).then_some(chip),
        fallback: number.is_multiple_of(5),
        ..Evidence::default()
    };
    (!number.is_multiple_of(6)).then(|| Box::new(found))
}

/// The story of advices, of which most were verified and counted, a card whose references change,
/// and that is renewed, and one that is renewed in the row that issued it.
pub(crate) fn rows(vault: [VaultRef; 2]) -> Vec<Vec<Record>> {
    let mut rows = advices::rows(vault);
    let mut counted: BTreeMap<CardId, CardCounters> = BTreeMap::new();
    for record in rows.iter_mut().flatten() {
        let Event::Authorized(one) = &mut record.event else { continue };
        let number = one.id.counter();
        one.evidence = evidence(number);
        one.answered = number.is_multiple_of(2).then_some(Reason::NotHonoured);
        let (Some(card), Some(_)) = (one.card, &one.evidence) else { continue };
        let counters = counted.entry(card).or_default();
        counters.wrong_pins += 2;
        counters.forgiven_pins += 1;
        counters.add_chip(1, u16::try_from(number).expect("small"));
        counters.add_wrong_code(record.at);
        let (counters, locks) = (counters.clone(), number == LOCKING);
        record.effects.counters = Some(Box::new(CounterEffect { card, counters, locks }));
    }
    for (row, place) in (1..).zip([3, 5, 7]) {
        let at = rows[place][0].at;
        rows[place].insert(0, changed(at, card(1), row));
    }
    let last = rows.last_mut().expect("rows");
    let at = last[0].at;
    last.insert(0, renewed(at, card(1), 4));
    let issued = rows.iter_mut().find(|row| row.iter().any(|one| is_issued(one, card(2))));
    let issued = issued.expect("a second card");
    let at = issued.last().expect("records").at;
    issued.push(renewed(at, card(2), 1));
    rows
}

fn is_issued(record: &Record, card: CardId) -> bool {
    matches!(&record.event, Event::CardIssued(issued) if issued.card == card)
}

#[tokio::test]
async fn they_come_back_as_they_went_and_are_null_where_there_are_none() {
    let stage = Stage::new().await;
    let vault = keep_cards(&stage.store).await;
    let (control, cards) = (control_rows(), rows(vault));
    for (shard, rows) in [(CONTROL, &control), (SHARD, &cards)] {
        let mut writer = Writer::new(&stage.store, shard);
        for records in rows {
            writer.append(records).await;
        }
        Projecting::start(&stage.store, shard).finish().await;
    }
    let image = stage.store.load(CONTROL, Timestamp(START), 1_000).await.expect("an image");
    let programme = image.control.programmes.values().next().expect("a programme");
    assert_eq!(programme.security.as_ref().map(|terms| terms.pin_limit), Some(5));

    let image = stage.store.load(SHARD, Timestamp(START), 1_000).await.expect("an image");
    let mut last = None;
    for record in cards.iter().flatten() {
        last = record.effects.counters.as_deref().or(last);
        let Event::Authorized(made) = &record.event else { continue };
        let row = image.authorizations.iter().find(|one| one.id == made.id).expect("a row");
        // What was never sent was answered otherwise.
        let voided = row.reason != made.reason;
        assert_eq!(row.answered, made.answered.filter(|_| !voided));
    }
    let last = last.expect("something was counted");
    assert_eq!(image.counters, [(last.card, last.counters.clone())]);
    let (first, _) = image.cards.iter().find(|(one, _)| one.id == card(1)).expect("a card");
    assert_eq!(first.references, Some(references(4)));
    let (second, _) = image.cards.iter().find(|(one, _)| one.id == card(2)).expect("a card");
    assert_eq!(second.references, Some(references(1)));
    assert_eq!([first.expiry.yymm(), second.expiry.yymm()], [RENEWED; 2]);
    assert_eq!(first.lock, Some(LockCode::PinTriesExceeded), "a message locked it");
    let records: Vec<Record> = cards.concat();
    let differ = stage.store.decisions_differ(&records).await.expect("compared");
    assert_eq!(differ, [""; 0]);
    let wrong = "SELECT count(*) FROM card_authorization WHERE evidence LIKE '%pin=mismatched%'";
    assert!(stage.count(wrong).await > 2);
    let tries = "SELECT count(*) FROM card_counter WHERE pin_tries > 5";
    assert_eq!(stage.count(tries).await, 1);
    stage.run("UPDATE card_authorization SET evidence = NULL").await;
    let differ = stage.store.decisions_differ(&records).await.expect("compared");
    assert!(!differ.is_empty(), "somebody took it away");
    stage.run("UPDATE card_counter SET counters = '\\xff'").await;
    let damaged = stage.store.load(SHARD, Timestamp(START), 1_000).await;
    assert!(matches!(damaged, Err(StoreError::IllegalValue { column: "counters", .. })));
    stage.close().await;
}

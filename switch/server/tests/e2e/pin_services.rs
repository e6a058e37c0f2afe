//! Services of the PIN over a real link: a change is in force for the issuer and for the chip when
//! its answer leaves, what is wrong of one changes nothing, the chip's word about its command is
//! kept, and where a peer has no place for a new PIN nothing is granted.

use simulators::chip::{CardKind, Flaw, IssuerAnswer, Signed};
use simulators::hsm::HsmUnit;
use switch_domain::{ScriptKind, ScriptStanding};

use crate::chips::{Chips, by_software, by_unit, unit};
use crate::speaker::{Draft, Value};

/// Of the peers that have a place for a new PIN.
const DIALECT: &str = "mip-like";
/// What the holder wants instead.
const NEW_PIN: &str = "4711";
const CHANGE: &str = "920000";
const UNBLOCK: &str = "910000";

async fn start(kind: CardKind, unit: Option<&HsmUnit>) -> Chips {
    Chips::start(kind, DIALECT, |config| match unit {
        Some(unit) => by_unit(config, unit),
        None => by_software(config),
    })
    .await
}

/// Sends it; the code, what the chip makes of the answer, and how many commands it obeyed of how
/// many.
async fn ask(
    chips: &mut Chips,
    mti: &str,
    (draft, signed): &(Draft, Signed),
) -> (String, IssuerAnswer, (usize, usize)) {
    let said = chips.speaker.ask(mti, draft).await;
    let told = chips.speaker.chip_data(&said);
    let judged = signed.judge_chip_data(&told);
    (said.action, judged, chips.card.obey(signed, &told))
}

/// A request for another PIN, in this block.
fn wanting(chips: &mut Chips, new: [u8; 8], flaw: Option<Flaw>) -> (Draft, Signed) {
    let (mut draft, signed) = chips.message(CHANGE, 0, flaw);
    draft.push((125, Value::Bytes(new.to_vec())));
    (draft, signed)
}

async fn change(chips: &mut Chips, flaw: Option<Flaw>) -> (String, IssuerAnswer, (usize, usize)) {
    let new = chips.block_of(NEW_PIN);
    let message = wanting(chips, new, flaw);
    ask(chips, "100", &message).await
}

const RIGHT: IssuerAnswer = IssuerAnswer::Right { approved: true };

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_pin_is_in_force_for_the_issuer_and_the_chip() {
    let unit = unit().await;
    let by_either = CardKind::ALL.into_iter().flat_map(|kind| [(kind, None), (kind, Some(&unit))]);
    for (kind, by) in by_either {
        let mut chips = start(kind, by).await;
        let old = chips.card.pin_block_0(None);
        assert_eq!(change(&mut chips, None).await, ("00".to_owned(), RIGHT, (1, 1)), "{kind:?}");
        assert_eq!(chips.card.facts().pin, NEW_PIN, "{kind:?}: the chip has it");
        let sent = Some((ScriptKind::ChangePin, ScriptStanding::Sent));
        assert_eq!(chips.script().await, sent, "{kind:?}");
        chips = chips.restart().await;
        assert_eq!(chips.script().await, sent, "{kind:?}");
        // The terminal takes the new one from the holder, who may still enter the old one.
        assert_eq!(chips.buy(None).await.0, "00", "{kind:?}");
        let performed = Some((ScriptKind::ChangePin, ScriptStanding::Performed));
        assert_eq!(chips.script().await, performed, "{kind:?}");
        let (mut draft, signed) = chips.message("000000", 100, None);
        draft.retain(|(field, _)| *field != 52);
        draft.push((52, Value::Bytes(old.to_vec())));
        assert_eq!(ask(&mut chips, "100", &(draft, signed)).await.0, "55", "{kind:?}: the old one");
        let reasons = chips.reasons().await;
        assert_eq!(reasons, ["approved", "approved", "incorrect_pin"], "{kind:?}");
        chips.stage.end().await;
    }
    let made = unit.tally().commands_of("KY") + unit.tally().commands_of("KU");
    assert_eq!(made, 5, "of units, for one change with each card");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_of_a_change_changes_nothing_and_a_repeat_changes_it_once() {
    let unit = unit().await;
    for by in [None, Some(&unit)] {
        changes_nothing_or_once(start(CardKind::Visa18, by).await).await;
    }
}

async fn changes_nothing_or_once(mut chips: Chips) {
    assert_eq!(change(&mut chips, Some(Flaw::Pin)).await.0, "55");
    let (code, judged, obeyed) = change(&mut chips, Some(Flaw::Cryptogram)).await;
    assert_eq!((code.as_str(), judged, obeyed), ("59", IssuerAnswer::Absent, (0, 0)));
    let message = chips.message(CHANGE, 0, None);
    let (code, _, obeyed) = ask(&mut chips, "100", &message).await;
    assert_eq!((code.as_str(), obeyed), ("40", (0, 0)), "no new PIN came");
    let unreadable = wanting(&mut chips, [0x5A; 8], None);
    let (code, _, obeyed) = ask(&mut chips, "100", &unreadable).await;
    assert_eq!((code.as_str(), obeyed), ("30", (0, 0)), "it is none");
    assert_eq!(chips.script().await, None);
    assert_eq!(chips.buy(None).await.0, "00", "the old one holds");

    let new = chips.block_of(NEW_PIN);
    let message = wanting(&mut chips, new, None);
    let first = ask(&mut chips, "100", &message).await;
    assert_eq!(first, ("00".to_owned(), RIGHT, (1, 1)));
    let again = ask(&mut chips, "101", &message).await;
    assert_eq!(again, first, "the same answer, with the same command");
    let (mut other, signed) = message.clone();
    other.retain(|(field, _)| *field != 125);
    other.push((125, Value::Bytes(chips.block_of("9999").to_vec())));
    let (code, _, obeyed) = ask(&mut chips, "101", &(other, signed)).await;
    assert_eq!((code.as_str(), obeyed), ("00", (0, 0)), "no command for another PIN");
    assert_eq!(chips.card.facts().pin, NEW_PIN);
    assert_eq!(chips.buy(None).await.0, "00");
    assert_eq!(chips.reasons().await.len(), 7, "and all of it is in the tables");
    let changed = "SELECT count(*) FROM audit_entry WHERE kind = 'card_references_changed'";
    // Data and reference at the beginning, and this one.
    assert_eq!(crate::chips::number(&chips.stage, changed).await, 3);
    chips.stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unblocked_chip_says_what_became_of_it() {
    let unit = unit().await;
    for by in [None, Some(&unit)] {
        let mut chips = start(CardKind::Visa22, by).await;
        let message = chips.message(UNBLOCK, 0, None);
        let answer = ask(&mut chips, "100", &message).await;
        assert_eq!(answer, ("00".to_owned(), RIGHT, (1, 1)));
        let sent = Some((ScriptKind::UnblockPin, ScriptStanding::Sent));
        assert_eq!(chips.script().await, sent);
        // A command that is not for this transaction: the chip refuses it, and says so.
        let message = chips.message(UNBLOCK, 0, None);
        let said = chips.speaker.ask("100", &message.0).await;
        let mut told = chips.speaker.chip_data(&said);
        let last = told.last_mut().expect("a command");
        *last ^= 1;
        assert_eq!(chips.card.obey(&message.1, &told), (0, 1));
        assert_eq!(chips.buy(None).await.0, "00");
        let failed = Some((ScriptKind::UnblockPin, ScriptStanding::Failed));
        assert_eq!(chips.script().await, failed);
        assert_eq!(change(&mut chips, None).await, ("00".to_owned(), RIGHT, (1, 1)));
        assert_eq!(chips.buy(None).await.0, "00");
        let performed = Some((ScriptKind::ChangePin, ScriptStanding::Performed));
        assert_eq!(chips.script().await, performed);
        chips.stage.end().await;
    }
    assert_eq!(unit.tally().commands_of("KY") + unit.tally().commands_of("KU"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_without_a_place_for_a_new_pin_changes_none() {
    let mut chips = Chips::start(CardKind::Visa18, "iso87-ascii", by_software).await;
    let message = chips.message(CHANGE, 0, None);
    let (code, _, obeyed) = ask(&mut chips, "100", &message).await;
    assert_eq!((code.as_str(), obeyed), ("40", (0, 0)));
    let message = chips.message(UNBLOCK, 0, None);
    let (code, judged, obeyed) = ask(&mut chips, "100", &message).await;
    assert_eq!((code.as_str(), judged, obeyed), ("00", RIGHT, (1, 1)), "that takes none");
    assert_eq!(chips.reasons().await, ["function_not_supported", "approved"]);
    chips.stage.end().await;
}

//! What verification found, as it counts for a decision: which findings are needed, how many tries
//! are left, what is counted of them afterwards, what is recorded and what is told (C-20 to C-23).
//! It owns that a PIN whose tries are used up is looked at by nobody. It verifies nothing itself.

use switch_domain::{
    CardCounters, CardScript, Chip, ChipFact, Circumstances, CounterEffect, CounterStanding,
    Direction, EntryMode, Evidence, Finding, NeededChecks, Reason, ScriptKind, ScriptStanding,
    ServiceCode, TransactionType, Unverified,
};

use crate::checks::{self, Case};

/// What was found out, as far as it still counts: what was compared with something that was
/// replaced meanwhile says nothing.
pub(crate) fn evidence(case: &Case<'_>) -> Evidence {
    let Some(found) = case.request.evidence.as_deref() else { return Evidence::default() };
    let references = case.card.and_then(|card| card.references.as_deref());
    if references.map_or(0, |references| references.version) == found.references {
        return *found;
    }
    let stale = |finding| match finding {
        Finding::Matched | Finding::Mismatched => Finding::Unverified(Unverified::Stale),
        Finding::Absent | Finding::Unverified(_) => finding,
    };
    let Evidence { stripe, code, pin, .. } = *found;
    Evidence { stripe: stale(stripe), code: stale(code), pin: stale(pin), ..*found }
}

/// Whether it asks for a decision: an advice tells of one.
pub(crate) const fn is_request(case: &Case<'_>) -> bool {
    !case.request.facts.key.class.is_advice()
}

/// Whether it asks for one, and is the first of its purchase. What comes later rests on that, and
/// who gives goods back needs to prove nothing.
pub(crate) const fn is_first_request(case: &Case<'_>) -> bool {
    let later = case.adds.is_some() || case.completes.is_some();
    is_request(case) && !later && !matches!(case.direction(), Direction::Credit)
}

/// Whether the programme needs it where and how the card is used.
pub(crate) fn is_needed(case: &Case<'_>, of: fn(&NeededChecks) -> Circumstances) -> bool {
    let facts = &case.request.facts;
    let where_needed = case.terms.map(|terms| of(&terms.needed));
    let needed = where_needed.is_some_and(|all| all.contains(facts.channel, facts.entry));
    needed && is_first_request(case)
}

/// Whether a chip was read, by its contacts or without.
pub(crate) const fn chip_was_read(case: &Case<'_>) -> bool {
    matches!(case.request.facts.entry, EntryMode::Chip | EntryMode::Contactless)
}

/// Whether nothing of the card was read.
pub(crate) const fn is_card_not_present(case: &Case<'_>) -> bool {
    let entry = case.request.facts.entry;
    matches!(entry, EntryMode::Unknown | EntryMode::Manual | EntryMode::Ecommerce)
}

/// Whether it was verified at all: without terms, or by a link that verifies nothing, it was not.
pub(crate) const fn is_verified(case: &Case<'_>) -> bool {
    case.terms.is_some() && case.request.evidence.is_some()
}

/// Whether its answer has to take a command along for the chip, which only its cryptogram asks for:
/// an unblock is for the chip alone, and a new PIN for the chip too, unless the card has none.
pub(crate) fn commands_chip(case: &Case<'_>) -> bool {
    let references = case.card.and_then(|card| card.references.as_deref());
    let code = references.and_then(|references| references.service_code);
    let has_chip = code.is_none_or(ServiceCode::has_chip);
    let of_chip = match case.request.facts.kind {
        TransactionType::PinUnblock => true,
        TransactionType::PinChange => has_chip || chip_was_read(case),
        _ => false,
    };
    of_chip && is_request(case)
}

/// Whether a service of the PIN has all that it takes.
pub(crate) fn judge_pin_service(case: &Case<'_>) -> Result<(), Reason> {
    let found = evidence(case);
    let changes = case.request.facts.kind == TransactionType::PinChange;
    let (wrong, missing) = (Reason::VerificationDataInvalid, Reason::FunctionNotSupported);
    judge(found.new_pin, changes, wrong, missing)?;
    judge(found.script, commands_chip(case), wrong, missing)
}

/// What a finding comes to.
pub(crate) const fn judge(
    found: Finding,
    needed: bool,
    wrong: Reason,
    missing: Reason,
) -> Result<(), Reason> {
    match found {
        Finding::Mismatched => Err(wrong),
        Finding::Absent if needed => Err(missing),
        Finding::Unverified(why) if needed => Err(unverified(why)),
        Finding::Matched | Finding::Absent | Finding::Unverified(_) => Ok(()),
    }
}

/// Why something that is needed and cannot be verified is declined: never granted, never skipped.
const fn unverified(why: Unverified) -> Reason {
    match why {
        Unverified::NoKey => Reason::VerificationKeyMissing,
        Unverified::NoReference => Reason::VerificationReferenceMissing,
        Unverified::Malformed => Reason::VerificationDataInvalid,
        Unverified::UnknownProfile => Reason::CryptogramProfileUnknown,
        // Sent again it is verified anew.
        Unverified::Unavailable | Unverified::Skipped | Unverified::Stale => {
            Reason::VerificationUnavailable
        }
    }
}

/// How many more PINs of the card may be wrong.
pub(crate) fn pin_tries_left(case: &Case<'_>) -> u32 {
    let limit = case.terms.map_or(0, |terms| u32::from(terms.pin_limit));
    let tries = case.card.map_or(0, |card| case.state.pin_tries(card.id));
    limit.saturating_sub(tries)
}

/// Whether the printed code of the card may be wrong once more.
pub(crate) fn code_tries_are_left(case: &Case<'_>) -> bool {
    let limit = case.terms.map_or(0, |terms| usize::from(terms.code_limit));
    case.card.is_none_or(|card| case.state.code_tries(card.id, case.now) < limit)
}

/// What a chip's counter is to those before it; `None` where the card has too many chips to tell.
pub(crate) fn counter_standing(case: &Case<'_>, chip: &Chip) -> Option<CounterStanding> {
    let counters = case.card.and_then(|card| case.state.counters_of(card.id));
    let Some(counters) = counters else { return Some(CounterStanding::Above(0)) };
    match counters.chip(chip.sequence) {
        Some(before) => Some(before.standing(chip.atc)),
        None if counters.chips.len() < CardCounters::MOST_CHIPS => Some(CounterStanding::Above(0)),
        None => None,
    }
}

/// Whether the check of the PIN may be told: it is asked for, and nothing before it declines.
pub(crate) fn tells_pin(case: &Case<'_>) -> bool {
    is_request(case) && case.card.is_some() && checks::reaches_pin(case)
}

/// What the record keeps of what was found: of a PIN that was not looked at, only that it was not.
pub(crate) fn recorded(case: &Case<'_>) -> Option<Box<Evidence>> {
    let (terms, _) = (case.terms?, case.request.evidence.as_ref()?);
    let mut found = evidence(case);
    let said = matches!(found.pin, Finding::Matched | Finding::Mismatched);
    if said && !tells_pin(case) {
        found.pin = Finding::Unverified(Unverified::Skipped);
    }
    if let Some(chip) = &mut found.chip
        && let Some(CounterStanding::Above(by)) = counter_standing(case, chip)
        && terms.counter.is_jump(by)
    {
        chip.facts.insert(ChipFact::CounterJumped);
    }
    Some(Box::new(found))
}

/// What is counted of it, where it changes anything. A wrong PIN counts where the answer says that
/// it is wrong, and a right one forgives where every check up to it passed.
pub(crate) fn counted(case: &Case<'_>, reason: Reason) -> Option<Box<CounterEffect>> {
    let (_, card, _) = (case.terms?, case.card?, case.request.evidence.as_ref()?);
    let found = evidence(case);
    let before = case.state.counters_of(card.id);
    let mut counters = before.cloned().unwrap_or_default();
    let mut locks = false;
    let (told, left) = (is_request(case), pin_tries_left(case));
    match (found.pin, reason) {
        (Finding::Mismatched, Reason::IncorrectPin | Reason::PinTriesExceeded)
            if told && left > 0 =>
        {
            counters.wrong_pins = counters.wrong_pins.saturating_add(1);
            locks = left == 1;
        }
        (Finding::Matched, _) if counters.pin_tries() > 0 && tells_pin(case) => {
            counters.forgiven_pins = counters.wrong_pins;
        }
        _ => {}
    }
    if told && reason == Reason::CardCodeIncorrect {
        counters.add_wrong_code(case.now);
    }
    if uses_chip_and_pin(case, &found, reason) {
        counters.chip_pins_used = counters.chip_pins;
    }
    let vouched = found.chip.filter(|chip| chip.cryptogram == Finding::Matched);
    if let Some(chip) = vouched {
        counters.add_chip(chip.sequence, chip.atc);
        counters.script = counters.script.map(|script| script.heard(&chip));
        counters.script = sent(case, &found, &chip, reason).or(counters.script);
    }
    let changes = before.map_or(counters != CardCounters::default(), |before| *before != counters);
    changes.then(|| Box::new(CounterEffect { card: card.id, counters, locks }))
}

/// Whether it is granted with the chip by its contacts and the PIN online: then the chip's own PIN
/// is no longer taken for another one (SR-179). Without contacts a chip learns nothing (SR-180).
fn uses_chip_and_pin(case: &Case<'_>, found: &Evidence, reason: Reason) -> bool {
    let facts = &case.request.facts;
    let of_pin = matches!(facts.kind, TransactionType::PinChange | TransactionType::PinUnblock);
    let granted = reason.is_approval() && is_request(case) && !of_pin;
    granted && facts.entry == EntryMode::Chip && found.pin == Finding::Matched
}

/// The command that the answer takes along for the chip, where it does.
fn sent(case: &Case<'_>, found: &Evidence, chip: &Chip, reason: Reason) -> Option<CardScript> {
    let kind = match case.request.facts.kind {
        TransactionType::PinChange => ScriptKind::ChangePin,
        TransactionType::PinUnblock => ScriptKind::UnblockPin,
        _ => return None,
    };
    let goes = is_request(case) && reason.is_approval() && found.script == Finding::Matched;
    let (sequence, atc) = (chip.sequence, chip.atc);
    goes.then_some(CardScript { kind, sequence, atc, standing: ScriptStanding::Sent })
}

/// What is answered in place of a reason that the programme does not tell: without the card being
/// present, who guesses does not learn whether number, expiry or code was wrong (T-14).
pub(crate) fn answered(case: &Case<'_>, reason: Reason) -> Option<Reason> {
    let alike = case.terms.is_some_and(|terms| terms.answers_alike) && is_card_not_present(case);
    let guessed = matches!(
        reason,
        Reason::InvalidCardNumber
            | Reason::ExpiredCard
            | Reason::CardCodeIncorrect
            | Reason::CardCodeTriesExceeded
    );
    (alike && guessed).then_some(Reason::NotHonoured)
}

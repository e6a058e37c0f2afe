//! Decides management commands. It owns deduplication by key and the split of work by subject; each
//! subject's rules stand in its own file.

mod balance;
mod card;
mod card_security;
mod control;
mod digest;
mod fee;
mod fee_digest;
mod rate;
mod renewal;
mod spend_control;

use switch_domain::{Cause, Effects, Event, Record, Timestamp};

use crate::state::Subject;
use crate::{Act, Answer, Headroom, Manage, Outcome, Refusal, State, transfer};

pub(crate) use control::{LARGEST_AMOUNT, positive};
pub use spend_control::ControlLimits;
pub(crate) use spend_control::sensible;

/// What a command changes, if it changes anything, and the identifier it made.
pub(crate) struct Change {
    pub(crate) event: Event,
    pub(crate) effects: Effects,
    pub(crate) made: Option<i64>,
}

impl Change {
    /// A change that moves no money.
    fn plain(event: Event, made: Option<i64>) -> Self {
        Self { event, effects: Effects::default(), made }
    }
}

/// `Ok(None)` where the command asks for what is so already: its key is remembered all the same.
pub(crate) type Decided = Result<Option<Change>, Refusal>;

pub(crate) fn decide(
    state: &State,
    manage: &Manage,
    headroom: &dyn Headroom,
    now: Timestamp,
) -> Outcome {
    let digest = digest::of(&manage.act);
    if let Some(done) = state.command_done(manage.key) {
        let same = done.digest.is_none_or(|before| before == digest);
        return match done.refused {
            _ if !same => Outcome::refused(Refusal::KeyReused),
            Some(refusal) => Outcome::refused(Refusal::Outside(refusal)),
            None => Outcome { answer: Answer::Done(done.made), record: None },
        };
    }
    if Subject::of_act(&manage.act).is_some_and(|subject| state.is_in_flight(subject)) {
        return Outcome { answer: Answer::Busy, record: None };
    }
    let (answer, change) = match change(state, &manage.act, headroom, now) {
        Err(refusal) => match refused_on_record(&manage.act, refusal) {
            Some(event) => (Answer::Refused(refusal), Change::plain(event, None)),
            None => return Outcome::refused(refusal),
        },
        Ok(change) => {
            let change = change.unwrap_or_else(|| Change::plain(Event::NothingChanged, None));
            (Answer::Done(change.made), change)
        }
    };
    let cause = Cause::Command { key: manage.key, digest: Some(digest), actor: manage.actor };
    let Change { event, effects, .. } = change;
    Outcome { answer, record: Some(Record { at: now, cause, event, effects }) }
}

/// What is recorded of a refusal: who tried to lock a card from outside must be known, and a repeat
/// is answered as its original was. Of other refusals nothing is remembered.
const fn refused_on_record(act: &Act, refusal: Refusal) -> Option<Event> {
    match (act, refusal) {
        (Act::LockOutside { card, ask, .. }, Refusal::Outside(refusal)) => {
            Some(Event::LockRefused { card: *card, ask: *ask, refusal })
        }
        _ => None,
    }
}

fn change(state: &State, act: &Act, headroom: &dyn Headroom, now: Timestamp) -> Decided {
    match act {
        Act::DefinePartner { name } => control::define_partner(state, *name),
        Act::RenamePartner { partner, name } => control::rename_partner(state, *partner, *name),
        Act::SetPartnerState { partner, state: new } => {
            control::set_partner_state(state, *partner, *new)
        }
        Act::SetPartialMinimum { partner, currency, minimum } => {
            control::set_partial_minimum(state, *partner, *currency, *minimum)
        }
        Act::OpenPool { partner, kind, currency } => {
            control::open_pool(state, *partner, *kind, *currency)
        }
        Act::ReloadPool { pool, amount, reference } => {
            control::reload_pool(state, *pool, *amount, *reference)
        }
        Act::DefineProgramme { .. } => control::define_programme(state, act),
        Act::RenameProgramme { programme, name } => {
            control::rename_programme(state, *programme, *name)
        }
        Act::SetForeignTerms { programme, terms } => rate::set_terms(state, *programme, *terms),
        Act::SetRate(rate) => rate::set(state, rate, now),
        Act::RemoveRate { from, to } => rate::remove(state, *from, *to),
        Act::SetFees { programme, schedule } => fee::set(state, *programme, schedule.as_deref()),
        Act::ChargeFee { .. } | Act::RefundFee { .. } => charged(state, act),
        Act::OpenBalance { programme, customer } => balance::open(state, *programme, *customer),
        Act::SetBalanceState { balance, state: new } => balance::set_state(state, *balance, *new),
        Act::CreditBalance { balance, amount, reference } => {
            balance::credit(state, *balance, *amount, *reference, headroom)
        }
        Act::Transfer { from, to, amount, reference, target } => {
            transfer::send(state, (*from, *to), *amount, *reference, *target)
        }
        Act::SetCustomerState { customer, state: new } => {
            balance::set_customer_state(state, *customer, *new)
        }
        Act::IssueCard { balance, vault, expiry, status } => {
            card::issue(state, *balance, *vault, *expiry, *status)
        }
        Act::ActivateCard { card } => card::activate(state, *card),
        Act::RemoveCard { card } => card::remove(state, *card),
        Act::LockCard { card, lock } => card::lock(state, *card, *lock),
        Act::UnlockCard { card } => card::unlock(state, *card),
        Act::DefineControl(terms) => spend_control::define(state, terms),
        Act::ChangeControl { control, terms } => spend_control::change(state, *control, terms),
        Act::RemoveControl { control, subject } => spend_control::remove(state, *control, *subject),
        Act::SetCardSecurity { programme, terms } => {
            card_security::set_terms(state, *programme, terms.as_deref())
        }
        Act::SetCardData { card, service_code, sequence } => {
            card_security::set_data(state, *card, *service_code, *sequence)
        }
        Act::AwaitPlastic { card, sequence } => renewal::await_plastic(state, *card, *sequence),
        Act::RenewCard { card, expiry, plastic } => renewal::renew(state, *card, *expiry, *plastic),
        Act::SetPinReference { card, reference } => card_security::set_pin(state, *card, reference),
        Act::ResetCardCode { card } => card_security::reset_code(state, *card, now),
        Act::LockOutside { card, ask, may } => card::lock_outside(state, *card, *ask, *may),
    }
}

/// A fee for an act or a period, or one given back.
fn charged(state: &State, act: &Act) -> Decided {
    match *act {
        Act::ChargeFee { balance, card, event, fee, taken, reference } => {
            fee::charge(state, fee::Charge { balance, card, event, fee, taken, reference })
        }
        Act::RefundFee { balance, card, event, fee, taken, reference } => {
            fee::refund(state, fee::Charge { balance, card, event, fee, taken, reference })
        }
        _ => Ok(None),
    }
}

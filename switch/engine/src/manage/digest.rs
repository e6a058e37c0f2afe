//! The digest of a command: tells whether two that came under one idempotency key ask for the same.
//! It owns which parts count. The bytes that are hashed are the same in every version: a command
//! may come again after an upgrade. A vault row does not count: each sending of "issue a card" may
//! have put the number there anew.

use sha2::{Digest as _, Sha256};
use switch_domain::{
    BalanceState, CardId, CardSecurityTerms, CardStatus, CommandDigest, ControlRule,
    ControlSubject, ControlTerms, CustomerState, ExchangeRate, ExpiryOrder, ForeignTerms, Funding,
    LockCode, LowerCounter, NeededChecks, OutsideAsk, PartnerState, PinMethod, PoolKind, Window,
};

use super::fee_digest::{of_charge, of_schedule};
use crate::Act;

/// The first eight bytes of SHA-256 over the kind of act and its parts, each with its length.
pub(super) struct Parts(Sha256);

impl Parts {
    pub(super) fn new(kind: u8) -> Self {
        Self(Sha256::new()).number(i64::from(kind))
    }

    pub(super) fn number(self, number: i64) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    pub(super) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
        self
    }

    fn digest(self) -> CommandDigest {
        let hash: [u8; 32] = self.0.finalize().into();
        let [a, b, c, d, e, f, g, h, ..] = hash;
        CommandDigest(i64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }
}

/// The digest of what a command asks for. Numbers of kinds are never reused.
pub(super) fn of(act: &Act) -> CommandDigest {
    let parts = match act {
        Act::DefinePartner { name } => Parts::new(1).text(name.as_str()),
        Act::RenamePartner { partner, name } => {
            Parts::new(31).number(partner.0).text(name.as_str())
        }
        Act::RenameProgramme { programme, name } => {
            Parts::new(32).number(programme.0).text(name.as_str())
        }
        Act::SetPartnerState { partner, state } => {
            let state = match state {
                PartnerState::Active => 1,
                PartnerState::Suspended => 2,
            };
            Parts::new(2).number(partner.0).number(state)
        }
        Act::SetPartialMinimum { partner, currency, minimum } => Parts::new(24)
            .number(partner.0)
            .number(i64::from(currency.numeric()))
            .number(minimum.map_or(0, |minimum| minimum.0)),
        Act::OpenPool { partner, kind, currency } => {
            let kind = match kind {
                PoolKind::Credit => 1,
                PoolKind::Deposit => 2,
            };
            Parts::new(3).number(partner.0).number(kind).number(i64::from(currency.numeric()))
        }
        Act::ReloadPool { pool, amount, reference } => {
            Parts::new(4).number(pool.0).number(amount.0).text(reference.as_str())
        }
        Act::DefineProgramme { partner, name, bins, currency, funding } => {
            let (funded, pool) = match funding {
                Funding::Credit(pool) => (1, pool.0),
                Funding::Deposit(pool) => (2, pool.0),
            };
            Parts::new(5)
                .number(partner.0)
                .text(name.as_str())
                .number(i64::from(bins.low.0))
                .number(i64::from(bins.high.0))
                .number(i64::from(bins.pan_length))
                .number(i64::from(currency.numeric()))
                .number(funded)
                .number(pool)
        }
        Act::SetForeignTerms { programme, terms } => {
            let parts = Parts::new(20).number(programme.0);
            match terms {
                None => parts.number(0),
                Some(terms) => of_foreign(parts.number(1), *terms),
            }
        }
        Act::SetCardSecurity { programme, terms } => {
            of_security(Parts::new(25).number(programme.0), terms.as_deref())
        }
        Act::SetFees { programme, schedule } => {
            of_schedule(Parts::new(33).number(programme.0), schedule.as_deref())
        }
        Act::ChargeFee { .. } => of_charge(Parts::new(34), act),
        Act::RefundFee { .. } => of_charge(Parts::new(35), act),
        Act::SetRate(rate) => of_rate(Parts::new(21), rate),
        Act::RemoveRate { from, to } => {
            Parts::new(22).number(i64::from(from.numeric())).number(i64::from(to.numeric()))
        }
        _ => of_customers(act),
    };
    parts.digest()
}

/// Acts on accounts, customers and cards.
fn of_customers(act: &Act) -> Parts {
    match act {
        Act::OpenBalance { programme, customer } => {
            Parts::new(6).number(programme.0).number(customer.0)
        }
        Act::SetBalanceState { balance, state } => {
            let state = match state {
                BalanceState::Active => 1,
                BalanceState::Blocked => 2,
                BalanceState::Closed => 3,
            };
            Parts::new(7).number(balance.0).number(state)
        }
        Act::CreditBalance { balance, amount, reference } => {
            Parts::new(8).number(balance.0).number(amount.0).text(reference.as_str())
        }
        Act::SetCustomerState { customer, state } => {
            let state = match state {
                CustomerState::Active => 1,
                CustomerState::Blocked => 2,
            };
            Parts::new(9).number(customer.0).number(state)
        }
        Act::IssueCard { balance, expiry, status, .. } => {
            let status = match status {
                CardStatus::Inactive => 1,
                CardStatus::Active => 2,
                CardStatus::Removed => 3,
            };
            Parts::new(10).number(balance.0).number(i64::from(expiry.yymm())).number(status)
        }
        Act::ActivateCard { card } => Parts::new(11).number(card.0),
        Act::RemoveCard { card } => Parts::new(12).number(card.0),
        Act::LockCard { card, lock } => {
            Parts::new(13).number(card.0).number(i64::from(lock.number()))
        }
        Act::UnlockCard { card } => Parts::new(14).number(card.0),
        Act::Transfer { from, to, amount, reference, .. } => {
            Parts::new(15).number(from.0).number(to.0).number(amount.0).text(reference.as_str())
        }
        Act::LockOutside { card, ask, .. } => of_outside(*card, *ask),
        Act::DefineControl(terms) => of_terms(Parts::new(17), terms),
        Act::ChangeControl { control, terms } => of_terms(Parts::new(18).number(control.0), terms),
        Act::RemoveControl { control, subject } => {
            of_subject(Parts::new(19).number(control.0), *subject)
        }
        Act::DefinePartner { .. }
        | Act::RenamePartner { .. }
        | Act::RenameProgramme { .. }
        | Act::SetPartnerState { .. }
        | Act::SetPartialMinimum { .. }
        | Act::OpenPool { .. }
        | Act::ReloadPool { .. }
        | Act::DefineProgramme { .. }
        | Act::SetForeignTerms { .. }
        | Act::SetCardSecurity { .. }
        | Act::SetRate(_)
        | Act::RemoveRate { .. }
        | Act::SetFees { .. }
        | Act::ChargeFee { .. }
        | Act::RefundFee { .. } => Parts::new(0),
        Act::SetCardData { .. }
        | Act::AwaitPlastic { .. }
        | Act::RenewCard { .. }
        | Act::SetPinReference { .. }
        | Act::ResetCardCode { .. } => of_card_data(act),
    }
}

/// Acts on what a card's values are compared with.
fn of_card_data(act: &Act) -> Parts {
    match act {
        Act::SetCardData { card, service_code, sequence } => Parts::new(26)
            .number(card.0)
            .number(service_code.map_or(-1, |code| i64::from(code.number())))
            .number(i64::from(*sequence)),
        // Nothing of the reference: its digits are few, and who has the digest could try them all.
        Act::SetPinReference { card, .. } => Parts::new(27).number(card.0),
        Act::ResetCardCode { card } => Parts::new(28).number(card.0),
        Act::AwaitPlastic { card, sequence } => {
            Parts::new(29).number(card.0).number(i64::from(*sequence))
        }
        Act::RenewCard { card, expiry, plastic } => {
            let (code, sequence) = plastic.map_or((-1, -1), |(code, sequence)| {
                (i64::from(code.number()), i64::from(sequence))
            });
            let parts = Parts::new(30).number(card.0).number(i64::from(expiry.yymm()));
            parts.number(code).number(sequence)
        }
        _ => Parts::new(0),
    }
}

fn of_foreign(parts: Parts, terms: ForeignTerms) -> Parts {
    parts
        .number(i64::from(terms.markup.points()))
        .number(i64::from(terms.margin.points()))
        .number(i64::from(terms.marks_up_network))
}

fn of_security(parts: Parts, terms: Option<&CardSecurityTerms>) -> Parts {
    let Some(terms) = terms else { return parts.number(0) };
    let count = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
    let keys = &terms.keys;
    let mut parts = parts.number(1).number(count(keys.cvk2.len()));
    for key in keys.cvk2.iter().chain([&keys.cvk, &keys.pvk]) {
        parts = parts.text(key.as_str());
    }
    for key in [&keys.imk_ac, &keys.imk_smi, &keys.imk_smc] {
        parts = parts.text(key.as_str());
    }
    parts = match &terms.pin {
        None => parts.number(0),
        Some(PinMethod::Pvv) => parts.number(1),
        Some(PinMethod::Offset { decimalisation, length }) => {
            parts.number(2).bytes(decimalisation).number(i64::from(*length))
        }
    };
    parts = parts.number(count(terms.profiles.len()));
    for profile in &terms.profiles {
        parts = parts.text(profile.as_str());
    }
    let NeededChecks { pin, stripe, chip_value, code, cryptogram } = terms.needed;
    for needed in [pin, stripe, chip_value, code, cryptogram] {
        parts = parts.number(i64::from(needed.bits()));
    }
    parts
        .number(i64::from(terms.code_expiry == ExpiryOrder::MonthYear))
        .number(i64::from(terms.pin_limit))
        .number(i64::from(terms.code_limit))
        .number(i64::from(terms.counter.lower == LowerCounter::Take))
        .number(i64::from(terms.counter.jump))
        .number(i64::from(terms.counter.declines_jump))
        .number(terms.fallback_floor.0)
        .number(i64::from(terms.refused_facts.bits()))
        .number(i64::from(terms.answers_alike))
}

fn of_rate(parts: Parts, rate: &ExchangeRate) -> Parts {
    parts
        .number(i64::from(rate.from.numeric()))
        .number(i64::from(rate.to.numeric()))
        .text(&rate.rate.to_string())
        .text(rate.source.as_str())
        .number(rate.at.0)
}

fn of_outside(card: Option<CardId>, ask: OutsideAsk) -> Parts {
    let number = |code: LockCode| i64::from(code.number());
    let (kind, code) = match ask {
        OutsideAsk::Lock(code) => (1, number(code)),
        OutsideAsk::Unlock(code) => (2, code.map_or(0, number)),
    };
    Parts::new(16).number(card.map_or(0, |card| card.0)).number(kind).number(code)
}

fn of_subject(parts: Parts, subject: ControlSubject) -> Parts {
    match subject {
        ControlSubject::Card(card) => parts.number(1).number(card.0),
        ControlSubject::Balance(balance) => parts.number(2).number(balance.0),
        ControlSubject::Programme(programme) => parts.number(3).number(programme.0),
    }
}

fn of_terms(parts: Parts, terms: &ControlTerms) -> Parts {
    let selects = &terms.selects;
    let count = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
    let mut parts = of_subject(parts, terms.subject)
        .text(terms.name.as_str())
        .number(i64::from(terms.shadow))
        .number(i64::from(selects.uses.bits()))
        .number(count(selects.categories.len()));
    for one in &selects.categories {
        parts = parts.number(i64::from(one.first)).number(i64::from(one.last));
    }
    parts = parts.number(count(selects.countries.len()));
    for one in &selects.countries {
        parts = parts.number(i64::from(one.numeric()));
    }
    parts = parts.number(selects.abroad_of.map_or(0, |home| i64::from(home.numeric())));
    parts = parts.number(count(selects.merchants.len()));
    for one in &selects.merchants {
        parts = parts.text(one.as_str());
    }
    parts = match &selects.hours {
        None => parts.number(0),
        Some(hours) => parts
            .number(i64::from(hours.days))
            .number(i64::from(hours.from))
            .number(i64::from(hours.to))
            .text(hours.zone.as_str()),
    };
    match &terms.rule {
        ControlRule::Forbid => parts.number(1),
        ControlRule::AllowOnly => parts.number(2),
        ControlRule::OneMerchant => parts.number(3),
        ControlRule::Amount(most, window) => of_window(parts.number(4).number(most.0), window),
        ControlRule::Count(most, window) => {
            of_window(parts.number(5).number(i64::from(*most)), window)
        }
    }
}

fn of_window(parts: Parts, window: &Window) -> Parts {
    let (kind, hours) = match window {
        Window::Transaction => (1, 0),
        Window::Rolling(hours) => (2, *hours),
        Window::Day(_) => (3, 0),
        Window::Week(_) => (4, 0),
        Window::Month(_) => (5, 0),
        Window::Year(_) => (6, 0),
        Window::Lifetime => (7, 0),
    };
    let zone = window.zone().map_or("", |zone| zone.as_str());
    parts.number(kind).number(i64::from(hours)).text(zone)
}

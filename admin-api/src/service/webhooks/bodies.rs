//! What messages say: the public shape of the seed's vendor. It owns that
//! there is no card number in it but its last four digits, and no key of ours but those that paths
//! name.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Value, json};
use switch_domain::{
    Authorized, CardStatus, Channel, Country, Currency, Direction, EntryMode, FeeCharged, Taken,
    Timestamp,
};
use uuid::Uuid;

use super::EventKind;
use super::facts::{CardNow, Later, external, why};
use crate::service::cards::month_and_year;

/// A card, as far as messages tell of it.
#[derive(Clone, Debug)]
pub(super) struct CardFacts {
    pub(super) partner: i64,
    pub(super) last_four: String,
    /// The account's name outside; none of one that was opened by command.
    pub(super) balance: Option<Uuid>,
}

/// An authorization that was told before.
#[derive(Clone, Debug)]
pub(super) struct Before {
    pub(super) partner: Option<i64>,
    pub(super) card: Option<i64>,
    pub(super) at: Timestamp,
    pub(super) currency: String,
    pub(super) external: Option<String>,
    pub(super) channel: String,
    pub(super) entry: String,
    pub(super) mcc: i32,
    pub(super) merchant: String,
    pub(super) country: Option<&'static str>,
    pub(super) credit: bool,
}

/// What bodies are made of beside the records.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) cards: HashMap<i64, CardFacts>,
    pub(super) authorizations: HashMap<i64, Before>,
    /// What accounts are called outside.
    pub(super) balances: HashMap<i64, Uuid>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outer {
    status: &'static str,
    date: String,
    description: String,
    transaction: Transaction,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Transaction {
    id: String,
    balance_id: Option<Uuid>,
    resource_id: Option<String>,
    resource: &'static str,
    card_id: Option<String>,
    external_transaction_id: Option<String>,
    reference_external_transaction_id: Option<String>,
    #[serde(rename = "type")]
    kind: &'static str,
    category: &'static str,
    /// Minor units of `currency`, the account's.
    amount: i64,
    currency: String,
    /// As the merchant asked for it.
    original_amount: i64,
    original_currency: String,
    status: &'static str,
    description: String,
    date: String,
    reference_external_transaction_date: Option<String>,
    transaction_data: TransactionData,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TransactionData {
    mcc: String,
    merchant_identifier: String,
    capture_mode: &'static str,
    last_four_digits: Option<String>,
    acquirer_country: Option<&'static str>,
}

/// A moment as bodies have it: RFC 3339, in UTC.
pub(super) fn written(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0).map(|at| at.to_string()).unwrap_or_default()
}

/// That a fee was charged for an act or a period.
pub(super) fn fee(at: Timestamp, fee: &FeeCharged, known: &Known) -> Value {
    json!({
        "status": "SUCCESS",
        "date": written(at),
        "description": if fee.amount.minor.is_negative() { "GIVEN_BACK" } else { "CHARGED" },
        "fee": {
            "event": fee.event.name(),
            "amount": fee.amount.minor.0,
            "currency": fee.amount.currency.alphabetic(),
            "taken": match fee.taken {
                Taken::AtOnce => "AT_ONCE",
                Taken::Invoiced => "INVOICED",
            },
            "reference": fee.reference.as_str(),
            "balanceId": known.balances.get(&fee.balance.0),
            "cardId": fee.card.map(|card| card.0.to_string()),
        },
    })
}

/// That a message was answered.
pub(super) fn answered(kind: EventKind, at: Timestamp, made: &Authorized, known: &Known) -> Value {
    let card = made.card.and_then(|card| known.cards.get(&card.0));
    let first = made.completes.and_then(|one| known.authorizations.get(&one.authorization.0));
    let (outer, inner) = match kind {
        EventKind::AuthorizationApproved => ("SUCCESS", "AUTHORIZED"),
        EventKind::TransactionCleared | EventKind::TransactionRefunded => ("SUCCESS", "CLEARED"),
        _ => ("DECLINED", "DECLINED"),
    };
    let description = why(made);
    let requested = made.requested;
    let amount = made.portion.as_deref().map_or(requested.minor, |portion| portion.sum());
    let original = made.conversion.as_deref().map_or(requested, |done| done.transaction);
    let facts = &made.facts;
    let credit = facts.kind.direction() == Direction::Credit;
    let card_id = made.card.map(|card| card.0.to_string());
    to_value(&Outer {
        status: outer,
        date: written(at),
        description: description.clone(),
        transaction: Transaction {
            id: made.id.0.to_string(),
            balance_id: card.and_then(|card| card.balance),
            resource_id: card_id.clone(),
            resource: "card",
            card_id,
            external_transaction_id: external(facts.key.rrn.as_str(), facts.key.stan),
            reference_external_transaction_id: first.and_then(|first| first.external.clone()),
            kind: channel(facts.channel),
            category: category(credit),
            amount: amount.0,
            currency: requested.currency.to_string(),
            original_amount: original.minor.0,
            original_currency: original.currency.to_string(),
            status: inner,
            description,
            date: written(at),
            reference_external_transaction_date: first.map(|first| written(first.at)),
            transaction_data: TransactionData {
                mcc: format!("{:04}", facts.merchant.category),
                merchant_identifier: facts.merchant.id.as_str().trim().to_owned(),
                capture_mode: capture(facts.entry),
                last_four_digits: card.map(|card| card.last_four.clone()),
                acquirer_country: facts.country.map(Country::alpha3),
            },
        },
    })
}

/// That something became of an authorization.
pub(super) fn later(at: Timestamp, later: &Later, before: &Before, known: &Known) -> Value {
    let card = before.card.and_then(|card| known.cards.get(&card));
    let card_id = before.card.map(|card| card.to_string());
    to_value(&Outer {
        status: "SUCCESS",
        date: written(at),
        description: later.why.clone(),
        transaction: Transaction {
            id: later.authorization.to_string(),
            balance_id: card.and_then(|card| card.balance),
            resource_id: card_id.clone(),
            resource: "card",
            card_id,
            external_transaction_id: later.external.clone().or_else(|| before.external.clone()),
            reference_external_transaction_id: before.external.clone(),
            kind: channel_named(&before.channel),
            // What was taken comes back, and the other way round.
            category: category(!before.credit),
            amount: later.amount,
            currency: before.currency.clone(),
            original_amount: later.amount,
            original_currency: before.currency.clone(),
            status: "REVERSED",
            description: later.why.clone(),
            date: written(at),
            reference_external_transaction_date: Some(written(before.at)),
            transaction_data: TransactionData {
                mcc: format!("{:04}", before.mcc),
                merchant_identifier: before.merchant.trim().to_owned(),
                capture_mode: capture_named(&before.entry),
                last_four_digits: card.map(|card| card.last_four.clone()),
                acquirer_country: before.country,
            },
        },
    })
}

/// That a card is another than before.
pub(super) fn card(at: Timestamp, (id, now): (i64, CardNow), card: &CardFacts) -> Value {
    let (status, lock) = match now {
        CardNow::Is(CardStatus::Inactive) => ("INACTIVE", Value::Null),
        CardNow::Is(CardStatus::Active) => ("ACTIVE", Value::Null),
        CardNow::Is(CardStatus::Removed) => ("REMOVED", Value::Null),
        CardNow::Locked(code) => ("LOCKED", json!({ "reasonCode": code.number() })),
        CardNow::Unlocked => ("UNLOCKED", Value::Null),
        CardNow::Renewed(_) => ("RENEWED", Value::Null),
    };
    let mut told = json!({
        "cardId": id.to_string(),
        "balanceId": card.balance,
        "lastFourDigits": card.last_four,
        "status": status,
        "lock": lock,
    });
    if let (CardNow::Renewed(expiry), Some(members)) = (now, told.as_object_mut()) {
        members.insert("expiry".to_owned(), month_and_year(expiry).into());
    }
    json!({ "status": "SUCCESS", "date": written(at), "description": status, "card": told })
}

fn to_value(outer: &Outer) -> Value {
    serde_json::to_value(outer).unwrap_or_default()
}

const fn category(credit: bool) -> &'static str {
    if credit { "CREDIT" } else { "DEBIT" }
}

const fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Pos => "POS",
        Channel::Atm => "ATM",
        Channel::Ecommerce => "ECOMMERCE",
    }
}

/// By the name in tables.
fn channel_named(name: &str) -> &'static str {
    channel(match name {
        "atm" => Channel::Atm,
        "ecommerce" => Channel::Ecommerce,
        _ => Channel::Pos,
    })
}

const fn capture(entry: EntryMode) -> &'static str {
    match entry {
        EntryMode::Unknown => "UNKNOWN",
        EntryMode::Manual => "MANUAL",
        EntryMode::Stripe => "MAGSTRIPE",
        EntryMode::Chip => "CHIP",
        EntryMode::Contactless => "NFC",
        EntryMode::ContactlessStripe => "NFC_MAGSTRIPE",
        EntryMode::Ecommerce => "ECOM",
    }
}

/// By the name in tables.
fn capture_named(name: &str) -> &'static str {
    capture(match name {
        "manual" => EntryMode::Manual,
        "stripe" => EntryMode::Stripe,
        "chip" => EntryMode::Chip,
        "contactless" => EntryMode::Contactless,
        "contactless_stripe" => EntryMode::ContactlessStripe,
        "ecommerce" => EntryMode::Ecommerce,
        _ => EntryMode::Unknown,
    })
}

/// Letters for a number; nothing for one that this version does not know.
pub(super) fn currency(numeric: i16) -> String {
    let known = u16::try_from(numeric).ok().and_then(|code| Currency::from_numeric(code).ok());
    known.map(|currency| currency.to_string()).unwrap_or_default()
}

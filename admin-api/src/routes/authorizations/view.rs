//! An authorization in JSON, and what happened to it. It owns the names of members, and what of the
//! reason a holder is told.

use serde::Serialize;
use switch_domain::{ApprovalCode, Authorization, Country, Currency, MinorUnits, Reason};
use switch_store::{DecisionEvent, Explained, Words as Chosen};
use utoipa::ToSchema;

use crate::routes::amounts::Money;
use crate::routes::served::written;
use crate::service::authorizations::words;

/// Who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::routes) enum Reader {
    /// The partner, or an operator: everything.
    Issuer,
    /// Whose card it is: nothing of what stands against fraud.
    Holder,
}

/// What it was for, and what became of that, in the account's currency.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct AmountsView {
    /// As the merchant asked, where that was in another currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    original: Option<Money>,
    requested: Money,
    /// Granted, where that was a part.
    #[serde(skip_serializing_if = "Option::is_none")]
    granted: Option<Money>,
    /// What the acquirer takes on top, where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    fee: Option<Money>,
    /// Held or moved by it when it was granted.
    authorized: Money,
    /// Added by increments.
    incremented: Money,
    /// Taken back.
    reversed: Money,
    /// Settled.
    cleared: Money,
    /// Given back after that.
    refunded: Money,
    /// Held now.
    held: Money,
}

impl AmountsView {
    fn of(one: &Authorization) -> Self {
        let money = |minor| Money::of(minor, one.currency);
        let portion = one.portion.as_deref();
        let original = one.conversion.as_deref().map(|done| done.transaction);
        let fee = portion.map(|portion| portion.fee).filter(|fee| !fee.is_zero());
        Self {
            original: original.map(|amount| Money::of(amount.minor, amount.currency)),
            requested: money(one.requested),
            granted: portion.map(|portion| money(portion.approved)),
            fee: fee.map(money),
            authorized: money(one.totals.authorized),
            incremented: money(one.totals.incremented),
            reversed: money(one.totals.reversed),
            cleared: money(one.totals.cleared),
            refunded: money(one.totals.refunded),
            held: money(one.held()),
        }
    }
}

/// Something that was decided of a card.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct AuthorizationView {
    /// Its name: digits, as text; `transaction.id` of webhooks.
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    authorization_id: String,
    /// The card.
    #[serde(skip_serializing_if = "Option::is_none")]
    card_id: Option<String>,
    /// When it was decided, in UTC.
    #[schema(format = DateTime)]
    at: String,
    /// Whether it was granted.
    approved: bool,
    /// `APPROVED` or `DECLINED`; of advices what they came to: `GRANTED_IN_OUR_STEAD` and so on.
    outcome: String,
    /// Why, as a code: `INSUFFICIENT_FUNDS`. Holders are told `NOT_HONOURED` of what stands against
    /// fraud.
    reason: String,
    /// The same in words.
    description: String,
    /// `AUTHORIZATION`, `FINANCIAL`, or an advice of one.
    class: String,
    /// What was asked for: `PURCHASE`, `CASH`, `REFUND` and so on.
    kind: String,
    amounts: AmountsView,
    /// Whether it is over: nothing is held, and nothing more is expected.
    closed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval_code: Option<String>,
    /// The merchant's number (DE42).
    merchant: String,
    /// The merchant's category.
    #[schema(pattern = "^[0-9]{4}$")]
    mcc: String,
    /// Where the merchant is, as `ES`.
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    /// How the card was read: `CHIP`, `CONTACTLESS`, `STRIPE`, `MANUAL`, `ECOMMERCE` and so on.
    entry_mode: String,
    /// `POS`, `ATM` or `ECOMMERCE`.
    channel: String,
    /// The authorization that it completes or adds to.
    #[serde(skip_serializing_if = "Option::is_none")]
    completes: Option<String>,
}

/// A stable name as codes are written.
pub(super) fn code(name: &str) -> String {
    name.to_uppercase().replace(' ', "_")
}

fn in_words(reason: Reason) -> String {
    reason.name().replace('_', " ")
}

impl AuthorizationView {
    pub(super) fn of(one: &Authorization, chosen: &Chosen, reader: Reader) -> Self {
        let facts = &one.facts;
        let reason = match reader {
            Reader::Issuer => words::reason(one),
            Reader::Holder => words::told_to_holder(words::reason(one)),
        };
        Self {
            authorization_id: one.id.0.to_string(),
            card_id: one.card.map(|card| card.0.to_string()),
            at: written(one.decided_at),
            approved: words::is_granted(one),
            outcome: code(words::outcome(one)),
            reason: code(reason.name()),
            description: in_words(reason),
            class: code(chosen.class),
            kind: code(chosen.kind),
            amounts: AmountsView::of(one),
            closed: one.closed,
            approval_code: one.approval_code.as_ref().map(ApprovalCode::as_str).map(str::to_owned),
            merchant: facts.merchant.id.as_str().trim().to_owned(),
            mcc: format!("{:04}", facts.merchant.category),
            country: facts.country.map(Country::alpha2).map(str::to_owned),
            entry_mode: code(chosen.entry),
            channel: code(chosen.channel),
            completes: one.completes.map(|first| first.authorization.0.to_string()),
        }
    }
}

/// What an event did to amounts; what it did nothing to is left out.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct MovedView {
    #[serde(skip_serializing_if = "Option::is_none")]
    incremented: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reversed: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cleared: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refunded: Option<Money>,
    /// Held more by it, or below zero less.
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<Money>,
}

/// Something that happened to an authorization after it was decided.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct EventView {
    /// When, in UTC.
    #[schema(format = DateTime)]
    at: String,
    /// `REVERSED`, `REVERSED_EARLY`, `COMPLETED`, `INCREMENTED`, `EXPIRED`, `VOIDED`.
    kind: String,
    /// The message that did it, by its number; the authorization's own where none did.
    message_id: String,
    /// What that message was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    answered: Option<String>,
    moved: MovedView,
    /// Whether the authorization was over with it.
    closed: bool,
}

impl EventView {
    fn of(event: &DecisionEvent, currency: Currency, reader: Reader) -> Self {
        let moved = |minor: MinorUnits| (!minor.is_zero()).then(|| Money::of(minor, currency));
        let answered =
            event.reason.as_deref().map(|name| match (reader, Reason::from_name(name)) {
                (Reader::Holder, Some(reason)) => words::told_to_holder(reason).name(),
                _ => name,
            });
        Self {
            at: written(event.at),
            kind: code(&event.kind),
            message_id: event.id.to_string(),
            answered: answered.map(code),
            moved: MovedView {
                incremented: moved(event.incremented),
                reversed: moved(event.reversed),
                cleared: moved(event.cleared),
                refunded: moved(event.refunded),
                held: moved(event.held),
            },
            closed: event.closes,
        }
    }
}

/// An authorization and its life.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct HoldersAuthorization {
    pub(super) authorization: AuthorizationView,
    /// What happened to it, the oldest first.
    pub(super) events: Vec<EventView>,
    /// Whether there are more than are told.
    pub(super) more_events: bool,
}

impl HoldersAuthorization {
    pub(super) fn of(one: &Explained, reader: Reader) -> Self {
        let currency = one.authorization.currency;
        let event = |event| EventView::of(event, currency, reader);
        Self {
            authorization: AuthorizationView::of(&one.authorization, &one.words, reader),
            events: one.events.iter().map(event).collect(),
            more_events: one.more_events,
        }
    }
}

//! Which records of the journal partners are told of, and as what. It owns that list: a record that
//! changes nothing for a card or its money says nothing.

use switch_domain::{
    Authorized, CardId, CardStatus, Direction, Effects, Event, Expiry, FeeCharged, LockCode,
    PartnerId, Reason, Record, StandIn, Timestamp,
};

use super::EventKind;

/// Something that a partner may be told.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    pub(super) kind: EventKind,
    pub(super) at: Timestamp,
    /// Where the record says it; else it is found by the card or the authorization.
    pub(super) partner: Option<PartnerId>,
    pub(super) about: About,
}

/// What it is about.
#[derive(Clone, Debug)]
pub(super) enum About {
    /// A message was answered.
    Answered(Box<Authorized>),
    /// Something became of an authorization that was answered before.
    Later(Later),
    /// A card is another than before.
    Card(CardId, CardNow),
    /// A fee was charged.
    Fee(Box<FeeCharged>),
}

/// What became of an authorization.
#[derive(Clone, Debug)]
pub(super) struct Later {
    pub(super) authorization: i64,
    /// What was given back, in minor units.
    pub(super) amount: i64,
    /// Why, in a word.
    pub(super) why: String,
    /// What the message that did it is called by its sender.
    pub(super) external: Option<String>,
}

/// What a card is from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CardNow {
    Is(CardStatus),
    Locked(LockCode),
    Unlocked,
    Renewed(Expiry),
}

/// What a record says, in its order.
pub(super) fn facts(record: Record) -> Vec<Fact> {
    let Record { at, event, effects, .. } = record;
    let fact = |kind, partner, about| Some(Fact { kind, at, partner, about });
    let card = |kind, card, now| fact(kind, None, About::Card(card, now));
    // The lock that a wrong PIN brings stands in the record of the wrong PIN.
    let locks = effects.counters.as_deref().filter(|effect| effect.locks).map(|it| it.card);
    let first = match event {
        Event::Authorized(made) => {
            let partner = made.partner;
            kind_of(&made).and_then(|kind| fact(kind, partner, About::Answered(Box::new(made))))
        }
        Event::Reversed(one) => one.original.filter(|_| moved(&effects)).and_then(|original| {
            let later = Later {
                authorization: original.0,
                amount: given_back(&effects),
                why: "REVERSED".to_owned(),
                external: external(one.key.rrn.as_str(), one.key.stan),
            };
            fact(EventKind::AuthorizationReversed, one.partner, About::Later(later))
        }),
        Event::Voided(one) => fact(
            EventKind::AuthorizationVoided,
            None,
            About::Later(Later {
                authorization: one.authorization.0,
                amount: given_back(&effects),
                why: word(one.reason),
                external: None,
            }),
        ),
        Event::Expired(one) => fact(
            EventKind::AuthorizationExpired,
            one.partner,
            About::Later(Later {
                authorization: one.authorization.0,
                amount: given_back(&effects),
                why: "EXPIRED".to_owned(),
                external: None,
            }),
        ),
        Event::FeeCharged(fee) => fact(EventKind::FeeCharged, Some(fee.partner), About::Fee(fee)),
        Event::CardIssued(one) => {
            let about = About::Card(one.card, CardNow::Is(one.status));
            fact(EventKind::CardIssued, Some(one.partner), about)
        }
        Event::CardStatusChanged { card: id, status } => match status {
            CardStatus::Active => card(EventKind::CardActivated, id, CardNow::Is(status)),
            CardStatus::Removed => card(EventKind::CardRemoved, id, CardNow::Is(status)),
            CardStatus::Inactive => None,
        },
        Event::CardLockChanged { card: id, lock } => match lock {
            Some(lock) => card(EventKind::CardLocked, id, CardNow::Locked(lock)),
            None => card(EventKind::CardUnlocked, id, CardNow::Unlocked),
        },
        Event::CardRenewed { card: id, expiry, .. } => {
            card(EventKind::CardRenewed, id, CardNow::Renewed(expiry))
        }
        _ => None,
    };
    let second = locks.and_then(|id| {
        let lock = LockCode::from_number(6)?;
        card(EventKind::CardLocked, id, CardNow::Locked(lock))
    });
    first.into_iter().chain(second).collect()
}

/// A card that is another than before.
#[derive(Clone, Copy, Debug)]
pub(in crate::service) struct CardChanged {
    pub(in crate::service) card: CardId,
    /// It is good until a later month.
    pub(in crate::service) is_renewal: bool,
}

/// The cards that are locked, unlocked, in use, renewed or gone by a record.
pub(in crate::service) fn cards_changed(record: Record) -> Vec<CardChanged> {
    let changes = |fact: Fact| match (fact.kind, fact.about) {
        (EventKind::CardIssued, _) | (_, About::Answered(_) | About::Later(_) | About::Fee(_)) => {
            None
        }
        (_, About::Card(card, now)) => {
            Some(CardChanged { card, is_renewal: matches!(now, CardNow::Renewed(_)) })
        }
    };
    facts(record).into_iter().filter_map(changes).collect()
}

/// As what an answer is told; `None` for an advice of what was told before.
fn kind_of(made: &Authorized) -> Option<EventKind> {
    if made.stand_in == Some(StandIn::Known) {
        return None;
    }
    if made.settles() {
        return Some(match made.facts.kind.direction() {
            Direction::Credit => EventKind::TransactionRefunded,
            Direction::Debit | Direction::None => EventKind::TransactionCleared,
        });
    }
    let granted = match made.stand_in {
        Some(stand_in) => stand_in.holds(),
        None => made.reason.is_approval() && !made.reversed_before,
    };
    Some(if granted { EventKind::AuthorizationApproved } else { EventKind::AuthorizationDeclined })
}

/// Why an answer is what it is, in a word: of an advice, why it would have been declined.
pub(super) fn why(made: &Authorized) -> String {
    match made.stand_in {
        Some(StandIn::Agreed) => word(Reason::Approved),
        Some(stand_in) => stand_in.would_be().map_or_else(|| stand_in.name().to_uppercase(), word),
        None if made.reversed_before => "REVERSED".to_owned(),
        None => word(made.reason),
    }
}

pub(super) fn word(reason: Reason) -> String {
    reason.name().to_uppercase()
}

/// What its sender calls a message: DE37, or where it has none DE11.
pub(super) fn external(rrn: &str, stan: u64) -> Option<String> {
    let rrn = rrn.trim();
    if !rrn.is_empty() {
        return Some(rrn.to_owned());
    }
    (stan > 0).then(|| format!("{stan:06}"))
}

fn moved(effects: &Effects) -> bool {
    effects.of_authorizations().next().is_some()
}

/// What came back to the account of the amount, whether it was held or taken; no fee is in it.
fn given_back(effects: &Effects) -> i64 {
    let Some(delta) = effects.authorization else { return 0 };
    let totals = delta.totals;
    let all = [totals.reversed.0, totals.cleared.0, totals.refunded.0];
    let told = all.into_iter().find(|amount| *amount != 0);
    let fees = effects
        .fees
        .as_ref()
        .map_or(0, |fees| fees.own.held.0.saturating_add(fees.completed.held.0));
    let held = || effects.balance.map_or(0, |balance| balance.held.0.saturating_sub(fees));
    told.unwrap_or_else(held).saturating_abs()
}

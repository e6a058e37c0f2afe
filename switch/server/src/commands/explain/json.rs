//! A decision as one JSON object, for programs. It owns the names of its members; the words are
//! those of `admin-api`.

use admin_api::authorizations::words;
use serde_json::{Map, Value, json};
use switch_domain::{Acquirer, ApprovalCode, Country, Currency};
use switch_store::{ControlSaid, DecisionEvent, DecisionPosting, Explained};

use crate::commands::days::at;

/// The whole of it.
pub(super) fn told(one: &Explained) -> Value {
    let row = &one.authorization;
    let reason = row.answered.unwrap_or(row.reason);
    let would_be = row.stand_in.and_then(switch_domain::StandIn::would_be);
    json!({
        "authorization": row.id.0,
        "outcome": words::outcome(row),
        "reason": words::reason(row).name(),
        "decided_at": at(row.decided_at),
        "amounts": members(words::amounts(one)),
        "message": message(one),
        "card": row.card.map(|id| id.0),
        "card_last_four": one.last_four,
        "balance": row.balance.map(|id| id.0),
        "partner": one.partner.as_ref().map(|(id, name)| json!({ "id": id.0, "name": name })),
        "completes": row.completes.map(|first| first.authorization.0),
        "answer": {
            "reason": reason.name(),
            "action_code_1987": reason.action_code_1987(),
            "action_code_1993": reason.action_code_1993(),
            "action_code_2003": reason.action_code_2003(),
            "approval_code": row.approval_code.as_ref().map(ApprovalCode::as_str),
        },
        "stand_in": row.stand_in.map(|stand_in| json!({
            "came_to": stand_in.name(),
            "would_be": would_be.map(switch_domain::Reason::name),
        })),
        "decided_by": decided_by(one),
        "checks": checks(one),
        "verified": one.evidence.as_ref().map(|found| {
            let found = words::findings(found).into_iter();
            found.map(|(name, said)| (name.to_owned(), json!(said))).collect::<Map<_, _>>()
        }),
        "declined_by": one.declined_by.as_ref().map(|said| control(said, row.currency)),
        "would_decline": one
            .would_decline
            .iter()
            .map(|said| control(said, row.currency))
            .collect::<Vec<_>>(),
        "events": one.events.iter().map(|one| event(one, row.currency)).collect::<Vec<_>>(),
        "more_events": one.more_events,
        "postings": one.postings.iter().map(posting).collect::<Vec<_>>(),
    })
}

fn members(amounts: Vec<(&'static str, String)>) -> Map<String, Value> {
    amounts.into_iter().map(|(name, amount)| (name.replace(' ', "_"), json!(amount))).collect()
}

fn message(one: &Explained) -> Value {
    let facts = &one.authorization.facts;
    let acquirer = match &facts.key.acquirer {
        Acquirer::Institution(id) => json!(id.as_str()),
        Acquirer::Link(link) => json!({ "link": link.0 }),
    };
    json!({
        "type": words::message_type(one.words.class),
        "class": one.words.class,
        "kind": one.words.kind,
        "link": one.link.map(|link| link.0),
        "acquirer": acquirer,
        "stan": facts.key.stan,
        "rrn": facts.key.rrn.as_str(),
        "terminal": facts.key.terminal.as_str(),
        "merchant": facts.merchant.id.as_str(),
        "mcc": format!("{:04}", facts.merchant.category),
        "country": facts.country.map(Country::alpha2),
        "channel": one.words.channel,
        "entry": one.words.entry,
    })
}

fn decided_by(one: &Explained) -> Value {
    let decider = one.trace.map(|trace| trace.decided_by);
    let without = decider.filter(|one| one.check().is_none());
    let compared = words::compared(one);
    json!({
        "said": words::decided_by(one),
        "check": decider.and_then(switch_domain::DecidedBy::check),
        "without_check": without.map(switch_domain::DecidedBy::name),
        "compared": compared.map(|(needed, there)| json!({ "needed": needed, "there": there })),
    })
}

fn checks(one: &Explained) -> Vec<Value> {
    let checks = words::checks(one).into_iter();
    let checks = checks.map(|check| {
        json!({
            "number": check.number,
            "name": check.name,
            "said": check.said.name().to_lowercase().replace(' ', "_"),
        })
    });
    checks.collect()
}

fn control(said: &ControlSaid, currency: Currency) -> Value {
    json!({
        "control": said.id.0,
        "name": said.control.as_ref().map(|control| control.terms.name.as_str()),
        "said": words::control(said, currency),
    })
}

fn event(one: &DecisionEvent, currency: Currency) -> Value {
    let (shard, seq, record) = one.record;
    json!({
        "at": at(one.at),
        "kind": one.kind,
        "message": one.id,
        "link": one.link,
        "answered": one.reason,
        "moved": members(words::moved(one, currency)),
        "closed": one.closes,
        "journal": { "shard": shard, "seq": seq, "record": record },
    })
}

fn posting(leg: &DecisionPosting) -> Value {
    let (shard, seq, record) = leg.record;
    json!({
        "at": at(leg.at),
        "account": leg.account,
        "id": leg.account_id,
        "amount": words::amount_of(leg.amount, leg.currency),
        "journal": { "shard": shard, "seq": seq, "record": record },
    })
}

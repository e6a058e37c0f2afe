//! A decision for people: what was asked, what was answered, which check decided, what came after.
//! It owns the layout; the words are those of `words`.

use std::fmt::Write as _;

use admin_api::authorizations::words;
use switch_domain::{Acquirer, ApprovalCode, StandIn};
use switch_store::{DecisionEvent, Explained};

use crate::commands::days::at;

/// A line under a label.
fn line(out: &mut String, label: &str, said: &str) {
    // Writing to a text does not fail.
    let _ = writeln!(out, "  {label:<12} {said}");
}

/// The whole of it.
pub(super) fn told(one: &Explained) -> String {
    let row = &one.authorization;
    let mut out = String::new();
    let (outcome, reason) = (words::outcome(row), words::reason(row).name());
    let _ = writeln!(out, "authorization {}: {outcome}, {reason}", row.id);
    asked(&mut out, one);
    answered(&mut out, one);
    checks(&mut out, one);
    afterwards(&mut out, one);
    out
}

fn asked(out: &mut String, one: &Explained) {
    let (row, words) = (&one.authorization, &one.words);
    let (facts, key) = (&row.facts, &row.facts.key);
    line(out, "decided", &at(row.decided_at));
    let amounts = words::amounts(one);
    let amounts: Vec<_> = amounts.iter().map(|(name, amount)| format!("{name} {amount}")).collect();
    line(out, "amounts", &amounts.join(", "));
    let mti = words::message_type(words.class);
    let link = one.link.map_or_else(|| "no link".into(), |link| format!("link {}", link.0));
    let acquirer = match &key.acquirer {
        Acquirer::Institution(id) => id.to_string(),
        Acquirer::Link(link) => format!("of link {}", link.0),
    };
    let class = words.class;
    line(out, "message", &format!("{mti} ({class}), {} by {link}", words.kind));
    let (stan, rrn, terminal) = (key.stan, &key.rrn, &key.terminal);
    let names = format!("acquirer {acquirer}, STAN {stan}, RRN {rrn}, terminal {terminal}");
    line(out, "named by", &names);
    let country = facts.country.map_or("-", switch_domain::Country::alpha2);
    let (id, mcc) = (&facts.merchant.id, facts.merchant.category);
    line(out, "merchant", &format!("{id}, MCC {mcc:04}, country {country}"));
    line(out, "used by", &format!("{}, {}", words.channel, words.entry));
    let number = |id: Option<String>| id.unwrap_or_else(|| "unknown".into());
    let last_four = one.last_four.as_ref().map(|digits| format!(" (*{digits})"));
    let card = number(row.card.map(|id| id.to_string())) + &last_four.unwrap_or_default();
    let balance = number(row.balance.map(|id| id.to_string()));
    let partner = one.partner.as_ref().map(|(id, name)| format!("{id} ({name})"));
    let partner = partner.unwrap_or_else(|| "unknown".into());
    line(out, "card", &format!("{card}, balance {balance}, partner {partner}"));
    if let Some(first) = row.completes {
        line(out, "belongs to", &format!("authorization {}", first.authorization));
    }
}

fn answered(out: &mut String, one: &Explained) {
    let row = &one.authorization;
    let reason = row.answered.unwrap_or(row.reason);
    let (v1987, v1993) = (reason.action_code_1987(), reason.action_code_1993());
    let v2003 = reason.action_code_2003();
    let code = row.approval_code.as_ref().map_or("none", ApprovalCode::as_str);
    let codes = format!("{v1987} (1987), {v1993} (1993), {v2003} (2003); approval code {code}");
    line(out, "answer", &format!("{}: {codes}", reason.name()));
    if let Some(stand_in) = row.stand_in {
        let why = stand_in.would_be().map(|why| format!(": a request would be {}", why.name()));
        line(out, "in our stead", &format!("{}{}", stand_in.name(), why.unwrap_or_default()));
    }
}

fn checks(out: &mut String, one: &Explained) {
    line(out, "decided by", &words::decided_by(one));
    if let Some((needed, there)) = words::compared(one) {
        line(out, "compared", &format!("{needed} needed, {there} there"));
    }
    let currency = one.authorization.currency;
    if let Some(control) = &one.declined_by {
        let granted = one.authorization.stand_in.is_some_and(StandIn::holds);
        let did = if granted { "would have declined it" } else { "declined it" };
        line(out, "control", &format!("{} {did}", words::control(control, currency)));
    }
    for control in &one.would_decline {
        let said = words::control(control, currency);
        line(out, "in shadow", &format!("{said} would have declined it"));
    }
    if let Some(found) = &one.evidence {
        let found = words::findings(found);
        let found: Vec<_> = found.iter().map(|(name, said)| format!("{name} {said}")).collect();
        let said = found.join(", ");
        line(out, "verified", if found.is_empty() { "nothing was sent" } else { &said });
    }
    let checked = words::checks(one);
    let _ = writeln!(out, "  checks");
    for check in &checked {
        let mark = if check.decided { "  <- decided" } else { "" };
        let (number, name, said) = (check.number, &check.name, check.said.name());
        let _ = writeln!(out, "    {number:>2} {name:<22} {said}{mark}");
    }
}

fn afterwards(out: &mut String, one: &Explained) {
    let row = &one.authorization;
    let _ = writeln!(out, "  afterwards");
    for event in &one.events {
        let moved = words::moved(event, row.currency);
        let moved: Vec<_> = moved.iter().map(|(name, amount)| format!("{name} {amount}")).collect();
        let moved = if moved.is_empty() { "nothing moved".into() } else { moved.join(", ") };
        let _ =
            writeln!(out, "    {} {}: {moved}{}", at(event.at), event.kind, by(event, row.id.0));
    }
    if one.more_events {
        let _ = writeln!(out, "    there are more events: ask for more with --most");
    }
    for leg in &one.postings {
        let amount = words::amount_of(leg.amount, leg.currency);
        let (moment, account, id) = (at(leg.at), &leg.account, leg.account_id);
        let _ = writeln!(out, "    {moment} posted: {account} {id} {amount}");
    }
    if one.events.is_empty() && one.postings.is_empty() {
        let _ = writeln!(out, "    nothing");
    }
}

/// By which message, where it was another one, and whether it was over with it.
fn by(event: &DecisionEvent, own: i64) -> String {
    let mut said = String::new();
    if event.id != own {
        let _ = write!(said, " by message {}", event.id);
    }
    if let Some(link) = event.link {
        let _ = write!(said, " of link {link}");
    }
    if let Some(reason) = &event.reason {
        let _ = write!(said, ", answered {reason}");
    }
    if event.closes {
        said.push_str(", closed");
    }
    said
}

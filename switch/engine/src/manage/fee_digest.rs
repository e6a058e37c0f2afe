//! The parts of commands about fees that count in their digests. It owns their order, which is the
//! same in every version, as `digest` says.

use switch_domain::{CardForm, ChargedBy, FeeEvent, FeeSchedule, Taken};

use super::digest::Parts;
use crate::Act;

pub(super) fn of_schedule(parts: Parts, schedule: Option<&FeeSchedule>) -> Parts {
    let Some(schedule) = schedule else { return parts.number(0) };
    let count = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
    let charged_by = match schedule.charged_by() {
        ChargedBy::Platform => 1,
        ChargedBy::Partner => 2,
    };
    let around = schedule.around();
    let mut parts = parts
        .number(1)
        .number(i64::from(schedule.currency().numeric()))
        .number(charged_by)
        .number(around.home.map_or(0, |home| i64::from(home.numeric())))
        .number(count(around.region.len()));
    for country in &around.region {
        parts = parts.number(i64::from(country.numeric()));
    }
    parts = parts.number(count(schedule.rules().len()));
    for rule in schedule.rules() {
        let form = match rule.form {
            None => 0,
            Some(CardForm::Virtual) => 1,
            Some(CardForm::Physical) => 2,
        };
        let terms = rule.price.terms();
        parts = of_event(parts, rule.event)
            .number(form)
            .number(terms.fixed.0)
            .number(i64::from(terms.rate.points()))
            .number(terms.least.0)
            .number(terms.most.map_or(-1, |most| most.0))
            .number(of_taken(rule.taken));
    }
    parts
}

pub(super) fn of_charge(parts: Parts, act: &Act) -> Parts {
    let (Act::ChargeFee { balance, card, event, fee, taken, reference }
    | Act::RefundFee { balance, card, event, fee, taken, reference }) = act
    else {
        return parts;
    };
    let parts = parts.number(balance.0).number(card.map_or(0, |card| card.0));
    of_event(parts, *event).number(fee.0).number(of_taken(*taken)).text(reference.as_str())
}

fn of_event(parts: Parts, event: FeeEvent) -> Parts {
    parts.text(&event.name())
}

const fn of_taken(taken: Taken) -> i64 {
    match taken {
        Taken::AtOnce => 1,
        Taken::Invoiced => 2,
    }
}

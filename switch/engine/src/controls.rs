//! Spend controls that a request meets: which are in force for its card, what each says of it, and
//! where a purchase that was granted counts. It owns that old and new of a control both apply while
//! its change is on its way to the journal (the stricter wins), and that what counts is stated in
//! the record; the rules themselves stand in `checks`, one a file.

use switch_domain::{
    ControlFindings, ControlId, ControlRule, ControlSubject, Counted, Direction, Event, MinorUnits,
    Part, Reason, Record, SpendControl, StandIn, Timestamp, Usage, UsageDelta, Used, Window,
    is_controlled,
};

use crate::checks::{self, Case};
use crate::{State, calendar};

/// The controls of a card: those of its programme, its account, its own.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Controls<'a>([&'a [SpendControl]; 3]);

impl<'a> Controls<'a> {
    /// Those that are in force for a request; none for what gives money.
    pub(crate) fn of(case: &Case<'a>) -> Self {
        let Some(card) = case.card else { return Self::default() };
        if !is_controlled(case.request.facts.kind) {
            return Self::default();
        }
        let of_programme = case.state.control().spend_controls_of(card.programme);
        let of_balance = case.state.spend_controls_of(ControlSubject::Balance(card.balance));
        let of_card = case.state.spend_controls_of(ControlSubject::Card(card.id));
        Self([of_programme, of_balance, of_card])
    }

    /// All of them.
    pub(crate) fn iter(self) -> impl Iterator<Item = &'a SpendControl> {
        self.0.into_iter().flatten()
    }

    /// Those that decline.
    pub(crate) fn in_force(self) -> impl Iterator<Item = &'a SpendControl> {
        self.iter().filter(|control| !control.terms.shadow)
    }

    fn is_empty(self) -> bool {
        self.0.iter().all(|some| some.is_empty())
    }
}

/// Whether a control is about a request.
pub(crate) fn selects(case: &Case<'_>, control: &SpendControl) -> bool {
    let moment = |zone: &switch_domain::ZoneName| Some(calendar::moment(zone, case.now));
    control.terms.selects.selects(&case.request.facts, &moment)
}

/// What was used of a limit that a request counts towards. An increment counts where its purchase
/// does, and not at all where that does not.
pub(crate) fn used_before(case: &Case<'_>, control: &SpendControl, window: &Window) -> Used {
    let first = case.adds.as_ref().and_then(|addition| {
        let first = case.state.authorization(addition.first.authorization);
        first.map(|first| (first.totals.used(first.closed), first.counted.as_deref()))
    });
    let usage = || case.state.usage(control.id, holder(case, control)?);
    match (calendar::span(window, case.now), first) {
        (None, None) => Used::default(),
        (None, Some((amount, _))) => Used { amount, count: 0 },
        (Some(span), None) => usage().map_or(Used::default(), |usage| usage.since(span.oldest)),
        (Some(span), Some((_, counted))) => {
            let mut counted = counted.unwrap_or_default().iter();
            let Some(at) = counted.find(|one| one.control == control.id) else {
                return Used { amount: MinorUnits(i64::MIN), count: 0 };
            };
            let from = if span.oldest < span.part { span.oldest } else { at.part };
            usage().map_or(Used::default(), |usage| usage.since(from))
        }
    }
}

/// What counts of a limit now, of what its holder used: for people who ask.
#[must_use]
pub fn used_now(control: &SpendControl, usage: &Usage, now: Timestamp) -> Used {
    let window = match &control.terms.rule {
        ControlRule::Amount(_, window) | ControlRule::Count(_, window) => window,
        ControlRule::Forbid | ControlRule::AllowOnly | ControlRule::OneMerchant => {
            return Used::default();
        }
    };
    calendar::span(window, now).map_or(Used::default(), |span| usage.since(span.oldest))
}

/// Whose use of a control counts: each card of a programme has a limit of its own.
fn holder(case: &Case<'_>, control: &SpendControl) -> Option<i64> {
    match control.terms.subject {
        ControlSubject::Balance(balance) => Some(balance.0),
        ControlSubject::Card(card) => Some(card.0),
        ControlSubject::Programme(_) => case.card.map(|card| card.id.0),
    }
}

/// Where a control counts at a merchant; used by the rule of the one merchant.
pub(crate) fn used_at_others(case: &Case<'_>, control: &SpendControl) -> bool {
    let here = calendar::merchant(&case.request.facts.merchant.id);
    let usage = holder(case, control).and_then(|holder| case.state.usage(control.id, holder));
    usage.is_some_and(|usage| {
        usage.parts().iter().any(|(part, used)| *part != here && used.count > 0)
    })
}

/// What controls have to say of a request that was decided so; `None` where they have nothing.
pub(crate) fn findings(
    case: &Case<'_>,
    reason: Reason,
    stand_in: Option<StandIn>,
) -> Option<Box<ControlFindings>> {
    let controls = case.controls;
    if controls.is_empty() {
        return None;
    }
    let reason = stand_in.and_then(StandIn::would_be).unwrap_or(reason);
    let declined_by = controls
        .in_force()
        .find(|control| checks::judge_control(case, control) == Err(reason))
        .map(|control| control.id);
    let shadows = controls.iter().filter(|control| control.terms.shadow);
    let mut would_decline: Vec<ControlId> = shadows
        .filter(|control| checks::judge_control(case, control).is_err())
        .map(|control| control.id)
        .collect();
    would_decline.dedup();
    let any = declined_by.is_some() || !would_decline.is_empty();
    any.then(|| Box::new(ControlFindings { declined_by, would_decline }))
}

/// Where a purchase that was granted counts from now on, with `used` of it.
pub(crate) fn begin(case: &Case<'_>, used: MinorUnits) -> Vec<UsageDelta> {
    if case.controls.is_empty() || case.direction() != Direction::Debit {
        return Vec::new();
    }
    let mut usage: Vec<UsageDelta> = Vec::new();
    for control in case.controls.iter() {
        let terms = &control.terms;
        let known = usage.iter().any(|one| one.counted.control == control.id);
        if known || !terms.counts() || !selects(case, control) {
            continue;
        }
        let (part, oldest) = match &terms.rule {
            ControlRule::Amount(_, window) | ControlRule::Count(_, window) => {
                let Some(span) = calendar::span(window, case.now) else { continue };
                (span.part, span.oldest)
            }
            _ => (calendar::merchant(&case.request.facts.merchant.id), Part(i64::MIN)),
        };
        let Some(holder) = holder(case, control) else { continue };
        let counted = Counted { control: control.id, holder, part };
        let count = i32::from(used.is_positive());
        usage.push(UsageDelta { counted, oldest: Some(oldest), amount: used, count });
    }
    usage
}

/// Adds to a record what it changes of what earlier purchases used: what is taken back, settled for
/// more or less, or held more.
pub(crate) fn follow(state: &State, record: &mut Record) {
    let own = match &record.event {
        Event::Authorized(made) => Some(made.id),
        _ => None,
    };
    let mut usage = Vec::new();
    for delta in record.effects.of_authorizations() {
        if Some(delta.authorization) == own {
            continue;
        }
        let Some(one) = state.authorization(delta.authorization) else { continue };
        let Some(counted) = &one.counted else { continue };
        let Some(totals) = one.totals.checked_add(delta.totals) else { continue };
        let before = one.totals.used(one.closed);
        let after = totals.used(one.closed || delta.closes);
        let amount = MinorUnits(after.0.saturating_sub(before.0));
        let count = i32::from(after.is_positive()).saturating_sub(i32::from(before.is_positive()));
        if amount.is_zero() && count == 0 {
            continue;
        }
        usage.extend(counted.iter().map(|at| UsageDelta {
            counted: *at,
            oldest: None,
            amount,
            count,
        }));
    }
    record.effects.usage.append(&mut usage);
}

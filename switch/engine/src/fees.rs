//! Fees of purchases: what is held beside an amount, what is charged when it is settled, and what
//! is given back. It owns when a fee is computed anew, and of what; prices are the schedule's. It
//! never moves a deposit: that pays the network, which asks for the amount alone.
//!
//! A fee of an `authorized` event is held from the decision on, and charged with those of `cleared`
//! events for what is settled in the end. It is computed by the schedule in force at each step;
//! where money only goes back, never more than what is held.

use switch_domain::{
    Account, Amount, AsciiText, Authorization, BalanceDelta, BalanceId, CardForm, CardId,
    ChargedBy, Cost, Currency, Direction, Effects, FeeCharged, FeeEffect, FeeEvent, FeeMoment,
    FeeSchedule, FeeTotals, MessageFacts, MinorUnits, PartnerId, Place, Posting, Taken,
};

use crate::State;
use crate::checks::Case;
use crate::complete::Completion;
use crate::increment::Addition;
use crate::movements::{less, negative};

/// What a purchase costs: the schedule that goes for it, and what it is by that.
#[derive(Clone, Copy)]
pub(crate) struct Pricing<'a> {
    schedule: &'a FeeSchedule,
    form: CardForm,
    /// Once authorized, and once cleared.
    uses: [FeeEvent; 2],
    converted: bool,
}

/// A card is of plastic where its plastic was linked to it.
fn form(state: &State, card: CardId) -> CardForm {
    let references = state.card(card).and_then(|card| card.references.as_deref());
    let linked = references.is_some_and(|references| references.service_code.is_some());
    if linked { CardForm::Physical } else { CardForm::Virtual }
}

impl<'a> Pricing<'a> {
    /// Of a use of a card; `None` where nothing is charged for it here.
    fn of(
        state: &'a State,
        card: Option<CardId>,
        facts: &MessageFacts,
        converted: bool,
    ) -> Option<Self> {
        let card = state.card(card?)?;
        let schedule = state.fees_of(card.programme)?;
        if schedule.charged_by() == ChargedBy::Partner {
            return None;
        }
        let place = schedule.around().place_of(facts.country);
        let [authorized, cleared] = FeeMoment::ALL.map(|at| FeeEvent::of_use(facts, place, at));
        let uses = [authorized?, cleared?];
        Some(Self { schedule, form: form(state, card.id), uses, converted })
    }

    /// Of what is asked for now. What completes or adds to an earlier authorization is the purchase
    /// which that is of.
    pub(crate) fn of_case(case: &Case<'a>) -> Option<Self> {
        let card = case.card?;
        // One look, where a programme has no schedule.
        case.state.fees_of(card.programme)?;
        if case.direction() != Direction::Debit {
            return None;
        }
        let converted = case.conversion.as_ref().is_some_and(|one| one.is_foreign());
        match first_of(case) {
            Some(first) => Self::of_first(case.state, first, converted),
            None => Self::of(case.state, Some(card.id), &case.request.facts, converted),
        }
    }

    /// Of a purchase that is known; `converted` where what speaks of it was, too.
    fn of_first(state: &'a State, first: &Authorization, converted: bool) -> Option<Self> {
        let foreign = first.conversion.as_ref().is_some_and(|one| one.is_foreign());
        Self::of(state, first.card, &first.facts, converted || foreign)
    }

    /// Use and conversion at these moments, those that go together.
    fn events(&self, moments: &'static [FeeMoment]) -> Vec<FeeEvent> {
        let of_moment = |moment: &FeeMoment| {
            let [authorized, cleared] = self.uses;
            let of_use = if *moment == FeeMoment::Authorized { authorized } else { cleared };
            let conversion = self.converted.then_some(FeeEvent::Conversion(*moment));
            [Some(of_use), conversion].into_iter().flatten()
        };
        moments.iter().flat_map(of_moment).collect()
    }

    /// What is held for an amount that is authorized.
    fn held_for(&self, amount: MinorUnits) -> MinorUnits {
        let events = self.events(&[FeeMoment::Authorized]);
        self.schedule.of_amount(&events, self.form, amount).at_once
    }

    /// What an amount costs that is settled.
    fn settled(&self, amount: MinorUnits) -> Cost {
        self.schedule.of_amount(&self.events(&FeeMoment::ALL), self.form, amount)
    }

    /// The most of what is `there` that a request may come to, so that its fees fit as well.
    pub(crate) fn part_within(&self, case: &Case<'_>, there: MinorUnits) -> MinorUnits {
        let settles = case.request.facts.key.class.is_financial();
        let moments: &'static [FeeMoment] =
            if settles { &FeeMoment::ALL } else { &[FeeMoment::Authorized] };
        self.schedule.part_within(&self.events(moments), self.form, there)
    }
}

/// What a request completes or adds to, where it does.
fn first_of<'a>(case: &Case<'a>) -> Option<&'a Authorization> {
    let completed = case.completes.map(|one| one.completed);
    let first = completed.or_else(|| case.adds.as_ref().map(|one| one.first))?;
    case.state.authorization(first.authorization)
}

/// What a request takes of the account for its fees, above what is held for them already; below
/// zero where that is more.
pub(crate) fn needed(case: &Case<'_>) -> MinorUnits {
    asked(case).map_or(MinorUnits::ZERO, |effect| {
        let FeeEffect { own, completed, .. } = &*effect;
        let held = own.held.0.saturating_add(completed.held.0);
        MinorUnits(own.charged.0.saturating_add(held))
    })
}

/// The most by which a request moves any figure of the account for its fees: nothing that is set
/// free is taken off.
pub(crate) fn moved_at_most(case: &Case<'_>) -> MinorUnits {
    asked(case).map_or(MinorUnits::ZERO, |effect| {
        let FeeEffect { own, completed, .. } = &*effect;
        let parts = [own.charged, own.held, completed.held];
        MinorUnits(parts.into_iter().map(|part| part.0.max(0)).fold(0, i64::saturating_add))
    })
}

/// What a request does for its fees, where all of it stands.
fn asked(case: &Case<'_>) -> Option<Box<FeeEffect>> {
    Pricing::of_case(case)?;
    let all = case.comes_to();
    if case.adds.is_some() {
        held_more(case, all)
    } else if case.request.facts.key.class.is_financial() {
        settled(case, all)
    } else {
        held(case, all)
    }
}

fn some(effect: FeeEffect) -> Option<Box<FeeEffect>> {
    let nothing = effect.own.is_zero() && effect.completed.is_zero();
    (!nothing).then(|| Box::new(effect))
}

fn only_held(held: MinorUnits) -> FeeTotals {
    FeeTotals { held, ..FeeTotals::default() }
}

fn paid_for(Cost { at_once, invoiced }: Cost) -> FeeTotals {
    FeeTotals { held: MinorUnits::ZERO, charged: at_once, invoiced }
}

/// What is held for a new authorization of which so much stands.
pub(crate) fn held(case: &Case<'_>, standing: MinorUnits) -> Option<Box<FeeEffect>> {
    let pricing = Pricing::of_case(case)?;
    some(FeeEffect { own: only_held(pricing.held_for(standing)), ..FeeEffect::default() })
}

/// What is to be held beside what is open of a purchase, of which so much is settled.
fn rest(pricing: Option<&Pricing<'_>>, open: MinorUnits, cleared: MinorUnits) -> MinorUnits {
    let Some(pricing) = pricing else { return MinorUnits::ZERO };
    let all = MinorUnits(open.0.saturating_add(cleared.0));
    less(pricing.held_for(all), pricing.held_for(cleared))
}

/// What an increment holds more, of which so much stands; or less, in place of a larger amount.
pub(crate) fn held_more(case: &Case<'_>, standing: MinorUnits) -> Option<Box<FeeEffect>> {
    let first = first_of(case)?;
    let addition: &Addition = case.adds.as_ref()?;
    let pricing = Pricing::of_case(case);
    if pricing.is_none() && first.fees.is_none() {
        return None;
    }
    let (more, fewer) = (addition.added(standing), addition.freed(standing));
    let open = MinorUnits(first.held().0.saturating_add(more.0).saturating_sub(fewer.0));
    let (before, target) =
        (first.fee_totals().held, rest(pricing.as_ref(), open, first.totals.cleared));
    let after = if more.is_positive() { target.max(before) } else { target.min(before) };
    let change = only_held(MinorUnits(after.0.saturating_sub(before.0)));
    some(FeeEffect { completed: change, ..FeeEffect::default() })
}

/// What a financial message is charged of which so much stands: of what completes an authorization
/// the fee of all that is settled of that, less what was charged already.
pub(crate) fn settled(case: &Case<'_>, standing: MinorUnits) -> Option<Box<FeeEffect>> {
    let pricing = Pricing::of_case(case);
    let first = first_of(case).filter(|_| case.direction() == Direction::Debit);
    if pricing.is_none() && first.is_none_or(|first| first.fees.is_none()) {
        return None;
    }
    let before = first.map_or_else(FeeTotals::default, Authorization::fee_totals);
    let cleared = first.map_or(MinorUnits::ZERO, |first| first.totals.cleared);
    let all = MinorUnits(cleared.0.saturating_add(standing.0));
    let cost = pricing.map_or_else(Cost::default, |pricing| pricing.settled(all));
    let own = above(paid_for(cost), before);
    let mut effect = FeeEffect { own, ..FeeEffect::default() };
    if let (Some(first), Some(hold)) = (first, case.completes) {
        let open = open_after(case, first, &hold, standing);
        let held = rest(pricing.as_ref(), open, all).min(before.held);
        effect.completed =
            FeeTotals { held: MinorUnits(held.0.saturating_sub(before.held.0)), ..own };
    }
    let balance = case.balance?;
    let of = Payer {
        balance: balance.id,
        partner: balance.partner,
        card: case.card.map(|card| card.id),
        currency: balance.currency,
    };
    let purchase = first.map_or(&case.request.facts, |first| &first.facts);
    effect.lines = lines((pricing.as_ref(), purchase), own, (cleared, all), of);
    some(effect)
}

/// What is open of an authorization once this is settled of it.
fn open_after(
    case: &Case<'_>,
    first: &Authorization,
    hold: &Completion,
    standing: MinorUnits,
) -> MinorUnits {
    if hold.closes {
        return MinorUnits::ZERO;
    }
    less(first.held(), hold.released(standing, standing == case.comes_to()))
}

/// What the reversal, void or end of a hold gives back of its fees, where so much is open then.
pub(crate) fn freed(
    state: &State,
    original: &Authorization,
    open: MinorUnits,
) -> Option<Box<FeeEffect>> {
    some(FeeEffect { own: no_longer_held(state, original, open), ..FeeEffect::default() })
}

/// The same where an increment is taken back: its purchase holds for both.
pub(crate) fn freed_of_first(
    state: &State,
    first: &Authorization,
    open: MinorUnits,
) -> Option<Box<FeeEffect>> {
    some(FeeEffect { completed: no_longer_held(state, first, open), ..FeeEffect::default() })
}

fn no_longer_held(state: &State, first: &Authorization, open: MinorUnits) -> FeeTotals {
    let before = first.fee_totals().held;
    if before.is_zero() {
        return FeeTotals::default();
    }
    let pricing = Pricing::of_first(state, first, false);
    let after = rest(pricing.as_ref(), open, first.totals.cleared).min(before);
    only_held(MinorUnits(after.0.saturating_sub(before.0)))
}

/// How far the first comes above the second, charged and invoiced taken together: what was taken
/// the one way is not taken the other way again. Each way has no more than it differs by.
fn above(one: FeeTotals, other: FeeTotals) -> FeeTotals {
    let sum = |of: FeeTotals| MinorUnits(of.charged.0.saturating_add(of.invoiced.0));
    let all = less(sum(one), sum(other));
    let charged = less(one.charged, other.charged).min(all);
    let invoiced = less(one.invoiced, other.invoiced).min(less(all, charged));
    FeeTotals { held: MinorUnits::ZERO, charged, invoiced }
}

/// What is given back of the fees of a purchase, of whose settled amount `back` goes back by this
/// message: what the rest does not cost, and all of it where nothing stands. It may be more than
/// this message was charged, where the fee was another's; of the message's own no more goes.
pub(crate) fn taken_back(
    state: &State,
    original: &Authorization,
    back: MinorUnits,
) -> Option<Box<FeeEffect>> {
    // A refund has no fees to give back, nor does it owe any.
    if original.facts.kind.direction() != Direction::Debit {
        return None;
    }
    let first = original.completes.and_then(|one| state.authorization(one.authorization));
    let of = first.unwrap_or(original);
    let before = of.fee_totals();
    if before.charged.is_zero() && before.invoiced.is_zero() {
        return None;
    }
    let foreign = original.conversion.as_ref().is_some_and(|one| one.is_foreign());
    let pricing = Pricing::of_first(state, of, foreign);
    let cleared = of.totals.cleared;
    let left = less(cleared, back);
    let cost = pricing.map_or_else(Cost::default, |pricing| pricing.settled(left));
    let goes = above(before, paid_for(cost));
    let back_of = |charged, invoiced| {
        paid_for(Cost { at_once: negative(charged), invoiced: negative(invoiced) })
    };
    let all = back_of(goes.charged, goes.invoiced);
    let paid = original.fee_totals();
    let own = back_of(goes.charged.min(paid.charged), goes.invoiced.min(paid.invoiced));
    let partner = state.partner_of(original)?;
    let payer = Payer {
        balance: original.balance?,
        partner,
        card: original.card,
        currency: original.currency,
    };
    let lines = lines((pricing.as_ref(), &of.facts), all, (cleared, left), payer);
    let completed = original.completes.map_or_else(FeeTotals::default, |_| all);
    some(FeeEffect { own, completed, lines })
}

/// Whose fees they are.
#[derive(Clone, Copy)]
struct Payer {
    balance: BalanceId,
    partner: PartnerId,
    card: Option<CardId>,
    currency: Currency,
}

/// Each fee by itself, where what is settled goes from one amount to another. Their sums are what
/// was decided: where the schedule changed meanwhile, the last of each way has the difference.
fn lines(
    (pricing, purchase): (Option<&Pricing<'_>>, &MessageFacts),
    own: FeeTotals,
    (from, to): (MinorUnits, MinorUnits),
    of: Payer,
) -> Vec<FeeCharged> {
    let events = pricing.map_or_else(Vec::new, |pricing| pricing.events(&FeeMoment::ALL));
    let mut found: Vec<(FeeEvent, Taken, MinorUnits)> = Vec::new();
    for event in events {
        let Some(pricing) = pricing else { continue };
        let Some(rule) = pricing.schedule.rule_of(event, pricing.form) else { continue };
        let (before, after) = (rule.price.of_amount(from), rule.price.of_amount(to));
        found.push((event, rule.taken, MinorUnits(after.0.saturating_sub(before.0))));
    }
    for (taken, decided) in [(Taken::AtOnce, own.charged), (Taken::Invoiced, own.invoiced)] {
        if decided.is_zero() {
            found.retain(|(_, of, _)| *of != taken);
            continue;
        }
        let same = found.iter().filter(|(_, of, _)| *of == taken);
        let sum = same.map(|(_, _, fee)| fee.0).fold(0, i64::saturating_add);
        let off = MinorUnits(decided.0.saturating_sub(sum));
        match found.iter_mut().rfind(|(_, of, _)| *of == taken) {
            Some((_, _, fee)) => *fee = MinorUnits(fee.0.saturating_add(off.0)),
            None => found.push((unnamed(pricing, purchase), taken, off)),
        }
    }
    let charged = |(event, taken, minor)| FeeCharged {
        balance: of.balance,
        partner: of.partner,
        card: of.card,
        event,
        amount: Amount { minor, currency: of.currency },
        taken,
        reference: AsciiText::EMPTY,
    };
    found.into_iter().filter(|(_, _, fee)| !fee.is_zero()).map(charged).collect()
}

/// What a fee is given back as for which no rule is in force any longer.
/// The channel is the purchase's; where no schedule says where it was, it was at home.
fn unnamed(pricing: Option<&Pricing<'_>>, purchase: &MessageFacts) -> FeeEvent {
    if let Some(Pricing { uses: [_, cleared], .. }) = pricing {
        return *cleared;
    }
    let (place, at) = (Place::Domestic, FeeMoment::Cleared);
    let of_use = FeeEvent::of_use(purchase, place, at);
    of_use.unwrap_or(FeeEvent::Use(switch_domain::Channel::Pos, place, at))
}

/// Adds fees to what a record does: what is held or freed to the account, what is charged or given
/// back as postings of its own. Nothing of it touches the pool.
pub(crate) fn add(effects: &mut Effects, fees: Option<Box<FeeEffect>>) {
    let Some(fees) = fees else { return };
    let held = MinorUnits(fees.own.held.0.saturating_add(fees.completed.held.0));
    // The purchase's, where a message is of one: it may be given back more than the message paid.
    let of_purchase = fees.completed.charged;
    let charged = if of_purchase.is_zero() { fees.own.charged } else { of_purchase };
    let moved = negative(charged);
    if let Some(delta) = effects.balance {
        effects.balance = Some(BalanceDelta {
            ledger: MinorUnits(delta.ledger.0.saturating_add(moved.0)),
            held: MinorUnits(delta.held.0.saturating_add(held.0)),
            ..delta
        });
    }
    if let Some(line) = fees.lines.first().filter(|_| !moved.is_zero()) {
        let currency = line.amount.currency;
        let posting = |account, amount| Posting { account, amount, currency };
        effects.postings.push(posting(Account::Balance(line.balance), moved));
        effects.postings.push(posting(Account::FeeIncome(line.partner), charged));
    }
    effects.fees = Some(fees);
}

//! Replays what one holder bought against a spend control that was not in force then, and says what
//! it would have declined. It owns how the past is told again: the rule, the windows and what
//! counts are those of every decision (`checks`, `controls`, `calendar`), over a state of its own,
//! which has this control and nothing else. It changes nothing and knows no table.

use std::collections::BTreeSet;

use switch_domain::{
    Amount, Authorization, AuthorizationDelta, AuthorizationId, Authorized, Balance, BalanceState,
    Bin, Card, CardId, CardStatus, Cause, Completed, ControlSubject, ControlTerms, CustomerId,
    Effects, Event, Expiry, LinkId, MinorUnits, PartnerId, PoolId, Portion, ProgrammeId, Reason,
    Record, ShardId, ShardImage, SpendControl, Timestamp, VaultRef, is_controlled,
};

use crate::checks::{self, Case};
use crate::complete::Completion;
use crate::increment::Addition;
use crate::state::Broken;
use crate::{Authorize, Headroom, Refusal, State, Terms, controls, expire, manage, movements};

/// An authorization, a financial message or an advice of the past.
#[derive(Clone, Debug)]
pub struct PastAuthorization {
    /// As it was when it was decided: totals, reason and whether it was closed are of that moment.
    pub authorization: Authorization,
    /// Whether it was granted, here or in our stead.
    pub granted: bool,
    /// Whether the control, as it was then, is all that declined it.
    pub only_by_it: bool,
    /// What it did to the totals of what it completes or adds to, where that is known.
    pub of_first: Option<AuthorizationDelta>,
}

/// What happened to one of them later.
#[derive(Clone, Copy, Debug)]
pub enum PastChange {
    /// It was reversed, so that so much of it was left in the currency of its message, or taken
    /// back: nothing was.
    GivenBack(AuthorizationId, MinorUnits),
    /// Its hold lived its life.
    Expired(AuthorizationId),
}

/// What the control says of something of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hindsight {
    /// It has nothing to say, or was not in force yet.
    Nothing,
    /// It passes.
    Passes,
    /// It would have been declined.
    Declined(Reason),
    /// An advice that was never declined: it would have been, as a request.
    Over(Reason),
    /// It was declined by the control as it was then, and would be no longer.
    NoLonger,
}

/// One control over the past of one holder after the other.
#[derive(Clone, Debug)]
pub struct Backtest {
    control: SpendControl,
    /// From when on it is in force; before that, everything that was granted counts.
    from: Timestamp,
    expiry: Expiry,
    state: State,
    /// What would have been declined: nothing of it counts, whatever came of it.
    declined: BTreeSet<AuthorizationId>,
}

/// No pool is looked at.
struct NoPools;

impl Headroom for NoPools {
    fn available(&self, _: PoolId) -> MinorUnits {
        MinorUnits::ZERO
    }
}

impl Backtest {
    /// A control that is in force from a moment on.
    ///
    /// # Errors
    /// There can be no such control.
    pub fn new(control: SpendControl, from: Timestamp) -> Result<Self, Refusal> {
        manage::sensible(&control.terms)?;
        let expiry = Expiry::from_yymm(9_912).map_err(|_| Refusal::ControlInvalid)?;
        let (state, declined) = (empty(&control, ShardId(0)), BTreeSet::new());
        Ok(Self { control, from, expiry, state, declined })
    }

    /// Begins with another holder, whose past is told from its first message on.
    pub fn next_holder(&mut self) {
        self.state = empty(&self.control, ShardId(0));
        self.declined.clear();
    }

    /// The next message of the holder, in the order of their identifiers.
    ///
    /// # Errors
    /// What is told does not fit together.
    pub fn authorization(&mut self, past: &PastAuthorization) -> Result<Hindsight, Broken> {
        let one = &past.authorization;
        let (Some(card), Some(balance)) = (one.card, one.balance) else {
            return Ok(Hindsight::Nothing);
        };
        if !is_controlled(one.facts.kind) || !(past.granted || past.only_by_it) {
            return Ok(Hindsight::Nothing);
        }
        self.state.meet(self.card(card, one), self.balance(balance, one));
        // What would have been declined is there for nobody: who speaks of it speaks of nothing.
        let first = one.completes.filter(|first| !self.declined.contains(&first.authorization));
        let known = first.filter(|first| self.state.authorization(first.authorization).is_some());
        let request = request(one, past.granted);
        let mut case = Case::new(&self.state, &request, &NoPools, one.decided_at);
        match (first, one.class().is_financial()) {
            (Some(first), true) => case.completes = Some(self.completion(first, past)),
            (Some(first), false) => case.adds = Some(Addition::onto(&self.state, first)),
            (None, _) => {}
        }
        let judged = checks::judge_control(&case, &self.control);
        let in_force = one.decided_at >= self.from;
        let advice = one.class().is_advice();
        let (said, counts) = match judged {
            _ if !past.granted && !in_force => (Hindsight::Nothing, false),
            Ok(()) if past.granted => (Hindsight::Passes, true),
            Ok(()) => (Hindsight::NoLonger, true),
            Err(_) if !past.granted => (Hindsight::Passes, false),
            Err(_) if !in_force => (Hindsight::Nothing, true),
            Err(reason) if advice => (Hindsight::Over(reason), true),
            Err(reason) => (Hindsight::Declined(reason), false),
        };
        let said = if in_force { said } else { Hindsight::Nothing };
        if counts {
            let record = count(&case, past, first.is_none(), known);
            self.tell(record, first.is_some() && known.is_none())?;
        } else if past.granted {
            self.declined.insert(one.id);
        }
        Ok(said)
    }

    /// Something that happened to what was told before.
    ///
    /// # Errors
    /// What is told does not fit together.
    pub fn change(&mut self, at: Timestamp, change: PastChange) -> Result<(), Broken> {
        let (PastChange::GivenBack(id, _) | PastChange::Expired(id)) = change;
        let Some(original) = self.state.authorization(id) else { return Ok(()) };
        let effects = match change {
            PastChange::GivenBack(_, left) => {
                let left = Amount { minor: left, currency: original.asked().currency };
                let left = original.in_account(left).unwrap_or(MinorUnits::ZERO);
                let standing = Portion::standing(original.fee(), left);
                movements::give_back(&self.state, original, standing)
            }
            PastChange::Expired(_) => expire::give_back(&self.state, original),
        };
        let (cause, event) = (Cause::Switch, Event::NothingChanged);
        self.tell(Record { at, cause, event, effects: of_totals(effects) }, false)
    }

    /// Makes it so, with what changes of limits; nothing where only its own row would be made of
    /// what nobody knows the first of.
    fn tell(&mut self, record: Record, of_nothing_known: bool) -> Result<(), Broken> {
        if of_nothing_known {
            return Ok(());
        }
        let mut record = record;
        controls::follow(&self.state, &mut record);
        self.state.replay(&record)
    }

    fn completion(&self, first: Completed, past: &PastAuthorization) -> Completion {
        let held = self.state.authorization(first.authorization).map(Authorization::held);
        let closes = past.of_first.is_some_and(|delta| delta.closes);
        let amount = amount_of(&past.authorization);
        // What a first that nobody knows held, covered it.
        let held = held.unwrap_or(amount);
        let releases = if closes { held } else { amount.min(held) };
        Completion { completed: first, releases, closes, exceeds: false }
    }

    fn card(&self, id: CardId, one: &Authorization) -> Card {
        let programme = self.programme();
        let balance = one.balance.unwrap_or(switch_domain::BalanceId(0));
        let (vault, expiry) = (VaultRef { row: 0, version: 0 }, self.expiry);
        let status = CardStatus::Active;
        let (lock, approvals, references) = (None, 0, None);
        Card { id, balance, programme, vault, expiry, status, lock, approvals, references }
    }

    fn balance(&self, id: switch_domain::BalanceId, one: &Authorization) -> Balance {
        Balance {
            id,
            programme: self.programme(),
            partner: PartnerId(0),
            customer: CustomerId(0),
            currency: one.currency,
            state: BalanceState::Active,
            ledger: MinorUnits::ZERO,
            held: MinorUnits::ZERO,
        }
    }

    const fn programme(&self) -> ProgrammeId {
        match self.control.terms.subject {
            ControlSubject::Programme(programme) => programme,
            ControlSubject::Card(_) | ControlSubject::Balance(_) => ProgrammeId(0),
        }
    }
}

/// A state that has the control and nothing else.
fn empty(control: &SpendControl, shard: ShardId) -> State {
    let mut image = ShardImage::empty(shard);
    // What is spoken of may be older than what is told.
    image.complete = false;
    match control.terms.subject {
        ControlSubject::Programme(_) => image.control.put_spend_control(control.clone()),
        ControlSubject::Card(_) | ControlSubject::Balance(_) => {
            image.spend_controls.push(control.clone());
        }
    }
    State::from_image(image)
}

/// What it came to in the account's currency when it was decided; what was asked for where nothing
/// was granted.
fn amount_of(one: &Authorization) -> MinorUnits {
    let totals = &one.totals;
    totals.authorized.max(totals.cleared)
}

/// What asks for it again: what it came to or, where only a part of it or a fee on top was
/// granted, all that was asked for, for a limit has room for all of it or none.
fn request(one: &Authorization, granted: bool) -> Authorize {
    let whole = one.portion.is_some() && one.completes.is_none();
    let minor = if granted && !whole { amount_of(one) } else { one.requested };
    let fee = if whole { one.fee() } else { MinorUnits::ZERO };
    Authorize {
        link: LinkId(0),
        facts: one.facts,
        bin: Bin(0),
        card: one.card,
        expiry: None,
        fault: None,
        amount: Amount { minor, currency: one.currency },
        network: None,
        repeat: false,
        adds_to: None,
        completes: None,
        evidence: None,
        blocked: false,
        terms: Terms { fee, ..Terms::default() },
    }
}

/// The record of what is granted: its totals, where it counts, and what it does to its first.
fn count(
    case: &Case<'_>,
    past: &PastAuthorization,
    of_its_own: bool,
    first: Option<Completed>,
) -> Record {
    let mut one = past.authorization.clone();
    if !past.granted {
        one.reason = Reason::Approved;
        one.totals.authorized = one.requested;
        one.closed = false;
    }
    let standing = one.totals.used(one.closed);
    let mut effects = Effects {
        authorization: Some(AuthorizationDelta {
            authorization: one.id,
            decided_at: one.decided_at,
            totals: one.totals,
            closes: one.closed,
        }),
        completed: past.of_first.filter(|_| first.is_some()).map(Box::new),
        ..Effects::default()
    };
    if of_its_own {
        effects.usage = controls::begin(case, standing);
    }
    let event = Event::Authorized(Authorized {
        id: one.id,
        facts: one.facts,
        card: one.card,
        balance: one.balance,
        partner: None,
        pool: None,
        requested: Amount { minor: one.requested, currency: one.currency },
        portion: one.portion,
        conversion: one.conversion,
        reason: one.reason,
        approval_code: None,
        stand_in: one.stand_in,
        completes: first,
        findings: None,
        trace: None,
        evidence: None,
        answered: None,
        approvals: 0,
        reversed_before: false,
    });
    Record { at: one.decided_at, cause: Cause::Switch, event, effects }
}

/// What of effects is about authorizations: no account is told of here, and no pool.
fn of_totals(effects: Effects) -> Effects {
    let Effects { authorization, completed, .. } = effects;
    Effects { authorization, completed, ..Effects::default() }
}

/// How far back something can count that is decided at the first moment of a span, in days;
/// `None` where everything that was ever bought does.
#[must_use]
pub fn days_that_count(terms: &ControlTerms) -> Option<i64> {
    use switch_domain::{ControlRule, Window};
    let window = match &terms.rule {
        ControlRule::Forbid | ControlRule::AllowOnly => return Some(0),
        ControlRule::OneMerchant => return None,
        ControlRule::Amount(_, window) | ControlRule::Count(_, window) => window,
    };
    match window {
        Window::Transaction => Some(0),
        // A day more than any such window has: clocks go back, and a part counts whole.
        Window::Day(_) => Some(2),
        Window::Week(_) => Some(8),
        Window::Month(_) => Some(32),
        Window::Year(_) => Some(367),
        Window::Rolling(hours) => Some(i64::from(*hours).saturating_div(22).saturating_add(2)),
        Window::Lifetime => None,
    }
}

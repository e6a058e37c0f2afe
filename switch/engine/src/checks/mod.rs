//! The checks of a request, in their fixed order: one rule a file. The first that fails
//! names the reason. Adding a check is one file and one line in [`ORDER`].

mod amount_limit;
mod balance_state;
mod bin;
mod card_known;
mod card_status;
mod count_limit;
mod currency;
mod customer_state;
mod expiry;
mod holdable;
mod lock;
mod message;
mod not_reversed;
mod one_merchant;
mod partner_deposit;
mod partner_state;
mod preauthorized;
mod use_permitted;
mod user_funds;

use switch_domain::{
    Balance, Card, ControlRule, Direction, MinorUnits, PoolId, Portion, Programme, Reason,
    SpendControl, Timestamp,
};

use crate::complete::Completion;
use crate::controls::Controls;
use crate::increment::Addition;
use crate::{Authorize, Headroom, State};

/// A rule: passes, or names the reason of the decline.
type Check = fn(&Case<'_>) -> Result<(), Reason>;

/// The order. Documented in README and tested pair by pair: when two fail, the earlier one wins.
const ORDER: [(&str, Check); 18] = [
    ("message valid", message::check),
    ("BIN ours", bin::check),
    ("card known", card_known::check),
    ("card status", card_status::check),
    ("lock code", lock::check),
    ("expiry", expiry::check),
    ("balance state", balance_state::check),
    ("customer state", customer_state::check),
    ("partner state", partner_state::check),
    ("programme currency", currency::check),
    ("use permitted", use_permitted::check),
    ("one merchant", one_merchant::check),
    ("preauthorized amount", preauthorized::check),
    ("amount limit", amount_limit::check),
    ("count limit", count_limit::check),
    ("partner deposit", partner_deposit::check),
    ("user funds", user_funds::check),
    ("not reversed before", not_reversed::check),
];

/// What there must be for a hold to be made at all: these an advice of an approval must pass too.
const HOLDABLE: [Check; 5] =
    [holdable::asks_for_money, bin::check, card_known::check, currency::check, holdable::has_room];

/// The names of the checks in their order.
pub const CHECK_NAMES: [&str; ORDER.len()] = {
    let mut names = [""; ORDER.len()];
    let mut index = 0;
    while index < ORDER.len() {
        #[allow(clippy::indexing_slicing)] // evaluated by the compiler, which would refuse
        {
            names[index] = ORDER[index].0;
        }
        #[allow(clippy::arithmetic_side_effects)] // at most the number of checks
        {
            index += 1;
        }
    }
    names
};

/// What the rules look at: the request, and what the state knows of its card.
pub(crate) struct Case<'a> {
    pub(crate) state: &'a State,
    pub(crate) request: &'a Authorize,
    pub(crate) headroom: &'a dyn Headroom,
    pub(crate) now: Timestamp,
    /// Of the card where it is known, else of the BIN.
    pub(crate) programme: Option<&'a Programme>,
    pub(crate) card: Option<&'a Card>,
    pub(crate) balance: Option<&'a Balance>,
    /// The pool that an approval charges, if its programme is funded by deposit.
    pub(crate) deposit: Option<PoolId>,
    /// What stands of it by a reversal that came before it; `None` where none did.
    pub(crate) standing: Option<MinorUnits>,
    /// The authorization that it completes, if it is known to complete one.
    pub(crate) completes: Option<Completion>,
    /// The authorization that it adds to, if it is an increment of one that is open.
    pub(crate) adds: Option<Addition>,
    /// The spend controls that it meets.
    pub(crate) controls: Controls<'a>,
    /// The part of its amount that is approved, where not all of it is.
    pub(crate) part: Option<MinorUnits>,
}

impl<'a> Case<'a> {
    pub(crate) fn new(
        state: &'a State,
        request: &'a Authorize,
        headroom: &'a dyn Headroom,
        now: Timestamp,
    ) -> Self {
        let control = state.control();
        let card = request.card.and_then(|id| state.card(id));
        let programme = match card {
            Some(card) => control.programmes.get(&card.programme),
            None => control.programme_of(request.bin),
        };
        let balance = card.and_then(|card| state.balance(card.balance));
        let deposit = programme.and_then(|programme| programme.funding.deposit());
        let standing = state.standing_before(&request.facts);
        let mut case = Self {
            state,
            request,
            headroom,
            now,
            programme,
            card,
            balance,
            deposit,
            standing,
            completes: None,
            adds: None,
            controls: Controls::default(),
            part: None,
        };
        case.controls = Controls::of(&case);
        if let Some(increment) = &request.adds_to {
            case.adds = Addition::of(&case, increment);
        }
        if let Some(original) = &request.completes {
            case.completes = Completion::of(&case, original);
        }
        case
    }

    /// Where the money goes that is asked for.
    pub(crate) const fn direction(&self) -> Direction {
        self.request.facts.kind.direction()
    }

    /// The acquirer's fee on top of the amount. Only what takes money has one: what is given to the
    /// customer is given whole.
    pub(crate) fn fee(&self) -> MinorUnits {
        let terms = self.request.terms;
        let on_top = self.direction() == Direction::Debit && !terms.fee_within;
        if on_top { terms.fee } else { MinorUnits::ZERO }
    }

    /// What it comes to: its amount, or the part of it that is approved, and the fee on top.
    pub(crate) fn comes_to(&self) -> MinorUnits {
        let approved = self.part.unwrap_or(self.request.amount.minor);
        Portion { approved, fee: self.fee() }.sum()
    }

    /// What stands of that by a reversal that came before it.
    pub(crate) fn stands(&self) -> MinorUnits {
        let all = self.comes_to();
        self.standing.map_or(all, |left| Portion::standing(self.fee(), left).min(all))
    }

    /// What must be there of the customer's and the partner's money: nothing for what takes none,
    /// and nothing twice where a hold is completed, or its amount is replaced.
    pub(crate) fn needs(&self) -> MinorUnits {
        self.needs_for(self.comes_to())
    }

    /// What a limit must have room for: all that is asked for. What it does not let through whole,
    /// it does not let through in part.
    pub(crate) fn counts(&self) -> MinorUnits {
        let approved = self.request.amount.minor;
        self.needs_for(Portion { approved, fee: self.fee() }.sum())
    }

    fn needs_for(&self, amount: MinorUnits) -> MinorUnits {
        if self.direction() != Direction::Debit {
            return MinorUnits::ZERO;
        }
        if let Some(addition) = &self.adds {
            return addition.added(amount);
        }
        let covered = self.completes.map_or(MinorUnits::ZERO, |hold| hold.releases);
        MinorUnits(amount.0.saturating_sub(covered.0).max(0))
    }
}

/// Why an approval that was given in our stead cannot be held, if it cannot.
pub(crate) fn cannot_be_held(case: &Case<'_>) -> Option<Reason> {
    HOLDABLE.iter().find_map(|check| check(case).err())
}

/// What one spend control says.
pub(crate) fn judge_control(case: &Case<'_>, control: &SpendControl) -> Result<(), Reason> {
    match control.terms.rule {
        ControlRule::Forbid | ControlRule::AllowOnly => use_permitted::judge(case, control),
        ControlRule::OneMerchant => one_merchant::judge(case, control),
        ControlRule::Amount(..) => amount_limit::judge(case, control),
        ControlRule::Count(..) => count_limit::judge(case, control),
    }
}

/// The reason of the first rule that fails.
pub(crate) fn first_failure(case: &Case<'_>) -> Option<Reason> {
    ORDER.iter().find_map(|(_, check)| check(case).err())
}

//! The checks of a request, in their fixed order: one rule a file. The first that fails
//! names the reason. Adding a check is one file and one line in [`ORDER`], with its own number.

mod amount_limit;
mod attempts;
mod balance_state;
mod bin;
mod card_code;
mod card_known;
mod card_status;
mod chip_counter;
mod chip_data;
mod chip_report;
mod chip_value;
mod count_limit;
mod cryptogram;
mod currency;
mod customer_state;
mod expiry;
mod fallback;
mod holdable;
mod lock;
mod message;
mod not_reversed;
mod one_merchant;
mod partner_deposit;
mod partner_state;
mod pin;
mod pin_tries;
mod preauthorized;
mod stripe_value;
mod trace;
mod use_permitted;
mod user_funds;

use switch_domain::{
    Amount, Balance, Card, CardSecurityTerms, ControlRule, Conversion, Direction, MinorUnits,
    PoolId, Portion, Programme, Reason, SpendControl, Timestamp,
};

use crate::complete::Completion;
use crate::controls::Controls;
use crate::convert::Worth;
use crate::increment::Addition;
use crate::{Authorize, Headroom, State, fees};
use trace::Needs;
pub(crate) use trace::of as trace;

/// A rule: passes, or names the reason of the decline.
type Check = fn(&Case<'_>) -> Result<(), Reason>;

/// A place in the order.
struct Ordered {
    number: u8,
    name: &'static str,
    needs: Needs,
    check: Check,
}

const fn at(number: u8, name: &'static str, needs: Needs, check: Check) -> Ordered {
    Ordered { number, name, needs, check }
}

/// The order. Documented in README and tested pair by pair: when two fail, the earlier one wins.
///
/// The numbers are stored in the trace of a decision ([`trace`]): a check keeps its number wherever
/// it stands, and that of one which is taken out is never given to another. The next is 31; 63 is
/// the last. Behind the name stands what must be there for the check to say anything at all.
const ORDER: [Ordered; 29] = [
    at(1, "message valid", Needs::Nothing, message::check),
    at(2, "BIN ours", Needs::Nothing, bin::check),
    at(30, "merchant not blocked", Needs::Nothing, attempts::check),
    at(3, "card known", Needs::Nothing, card_known::check),
    at(4, "card status", Needs::Card, card_status::check),
    at(5, "lock code", Needs::Card, lock::check),
    at(6, "expiry", Needs::Card, expiry::check),
    at(20, "PIN tries", Needs::Verified, pin_tries::check),
    at(29, "fallback", Needs::Verified, fallback::check),
    at(22, "stripe value", Needs::Verified, stripe_value::check),
    at(23, "chip value", Needs::Verified, chip_value::check),
    at(24, "card code", Needs::Verified, card_code::check),
    at(25, "cryptogram", Needs::Verified, cryptogram::check),
    at(27, "chip data", Needs::Verified, chip_data::check),
    at(26, "chip counter", Needs::Verified, chip_counter::check),
    at(28, "chip report", Needs::Verified, chip_report::check),
    at(PIN, "PIN", Needs::Pin, pin::check),
    at(7, "balance state", Needs::Account, balance_state::check),
    at(8, "customer state", Needs::Account, customer_state::check),
    at(9, "partner state", Needs::Programme, partner_state::check),
    at(10, "programme currency", Needs::Account, currency::check),
    at(11, "use permitted", Needs::Card, use_permitted::check),
    at(12, "one merchant", Needs::Card, one_merchant::check),
    at(13, "preauthorized amount", Needs::Money, preauthorized::check),
    at(14, "amount limit", Needs::Money, amount_limit::check),
    at(15, "count limit", Needs::Money, count_limit::check),
    at(16, "partner deposit", Needs::Money, partner_deposit::check),
    at(17, "user funds", Needs::Money, user_funds::check),
    at(18, "not reversed before", Needs::Nothing, not_reversed::check),
];

/// How many checks stand before those of verification, and how many these are: whose programme asks
/// for none runs none of them.
const BEFORE: usize = 7;
const VERIFYING: usize = 10;

/// The number of the check of the PIN. It is the last of verification: who does not have the card
/// is told nothing of its PIN.
const PIN: u8 = 21;

/// What there must be for a hold to be made at all: these an advice of an approval must pass too.
/// Under the number of the check of a request that each is or stands for; 19 is of none.
const HOLDABLE: [(u8, Check); 5] = [
    (1, holdable::asks_for_money),
    (2, bin::check),
    (3, card_known::check),
    (10, currency::check),
    (ROOM, holdable::has_room),
];

/// The number of the check that sums stay within the range of amounts, which advices alone have.
const ROOM: u8 = 19;

/// The names of the checks in their order.
pub const CHECK_NAMES: [&str; ORDER.len()] = {
    let mut names = [""; ORDER.len()];
    let mut index = 0;
    while index < ORDER.len() {
        #[allow(clippy::indexing_slicing)] // evaluated by the compiler, which would refuse
        {
            names[index] = ORDER[index].name;
        }
        #[allow(clippy::arithmetic_side_effects)] // at most the number of checks
        {
            index += 1;
        }
    }
    names
};

/// What the rules look at: the request, and what the state knows of its card.
#[derive(Clone)]
pub(crate) struct Case<'a> {
    pub(crate) state: &'a State,
    pub(crate) request: &'a Authorize,
    pub(crate) headroom: &'a dyn Headroom,
    pub(crate) now: Timestamp,
    /// What is asked of the account, in its currency: of a hold with its margin.
    pub(crate) amount: Amount,
    /// How that was converted from what the message asks for, where it was.
    pub(crate) conversion: Option<Box<Conversion>>,
    /// Why it could not be.
    pub(crate) refused: Option<Reason>,
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
    /// How it is verified, where its programme has its cards verified.
    pub(crate) terms: Option<&'a CardSecurityTerms>,
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
        let worth = Worth::of(state, request, programme.zip(balance), now);
        let standing = state.standing_before(&request.facts).map(|part| worth.of_part(part));
        let mut case = Self {
            state,
            request,
            headroom,
            now,
            amount: worth.amount,
            conversion: worth.conversion,
            refused: worth.refused,
            programme,
            card,
            balance,
            deposit,
            standing,
            completes: None,
            adds: None,
            controls: Controls::default(),
            part: None,
            terms: programme.and_then(|programme| programme.security.as_deref()),
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

    /// The same as if all of its amount had to be approved.
    fn whole(&self) -> Self {
        Self { part: None, ..self.clone() }
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
        if !on_top {
            return MinorUnits::ZERO;
        }
        let Some(conversion) = &self.conversion else { return terms.fee };
        // At the rate of the amount that it goes with.
        let of_account = conversion.of_part(MinorUnits(terms.fee.0.saturating_abs()));
        MinorUnits(of_account.0.saturating_mul(terms.fee.0.signum()))
    }

    /// Whether it asks for anything: an amount, and more than a fee takes off it. What is too
    /// little for the account's currency was asked for all the same.
    pub(crate) fn asks_for_money(&self) -> bool {
        let fee_leaves = self.fee().is_zero() || self.comes_to().is_positive();
        self.request.amount.minor.is_positive() && fee_leaves
    }

    /// What it comes to: its amount, or the part of it that is approved, and the fee on top.
    pub(crate) fn comes_to(&self) -> MinorUnits {
        let approved = self.part.unwrap_or(self.amount.minor);
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
        let approved = self.amount.minor;
        self.needs_for(Portion { approved, fee: self.fee() }.sum())
    }

    /// What must be there of the customer's: as much, and its fees. What is held of either, where
    /// it is set free, covers both.
    pub(crate) fn needs_of_customer(&self) -> MinorUnits {
        let fees = fees::needed(self);
        if fees.is_zero() {
            return self.needs();
        }
        let amount = self.comes_to();
        let freed = match &self.adds {
            Some(addition) => addition.freed(amount),
            None => self.completes.map_or(MinorUnits::ZERO, |hold| hold.releases),
        };
        let asked = self.adds.as_ref().map_or(amount, |addition| addition.added(amount));
        MinorUnits(asked.0.saturating_sub(freed.0).saturating_add(fees.0).max(0))
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

/// Whether the customer has what a request needs.
pub(crate) fn funds(case: &Case<'_>) -> Result<(), Reason> {
    user_funds::check(case)
}

/// Why an approval that was given in our stead cannot be held, if it cannot.
pub(crate) fn cannot_be_held(case: &Case<'_>) -> Option<Reason> {
    HOLDABLE.iter().find_map(|(_, check)| check(case).err())
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
    let (before, others) = ORDER.split_at(BEFORE);
    let (verifying, after) = others.split_at(VERIFYING);
    let verifying = if case.terms.is_some() { verifying } else { &[] };
    let failure = |some: &[Ordered]| some.iter().find_map(|one| (one.check)(case).err());
    failure(before).or_else(|| failure(verifying)).or_else(|| failure(after))
}

/// Whether every check before that of the PIN passes, so that what it says may be told.
pub(crate) fn reaches_pin(case: &Case<'_>) -> bool {
    let before = ORDER.iter().take_while(|one| one.number != PIN);
    case.terms.is_some() && before.map(|one| (one.check)(case)).all(|said| said.is_ok())
}

/// The checks by the numbers under which traces have them, in the order of this version.
pub fn check_order() -> impl Iterator<Item = (u8, &'static str)> {
    ORDER.iter().map(|one| (one.number, one.name))
}

/// Whether a check, by its number, is one of verification: it says nothing where nothing is
/// verified.
#[must_use]
pub fn verifies(number: u8) -> bool {
    let verifying = ORDER.iter().skip(BEFORE).take(VERIFYING);
    verifying.map(|one| one.number).any(|one| one == number)
}

/// The name of a check by its number, also of one that is not in the order; `None` where this
/// version has none.
#[must_use]
pub fn check_name(number: u8) -> Option<&'static str> {
    let listed = check_order().find(|(one, _)| *one == number).map(|(_, name)| name);
    listed.or((number == ROOM).then_some("room for the amount"))
}

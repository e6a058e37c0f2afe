//! What decided a message and what each check says of it, for who asks later why. It owns what a
//! check needs in order to say anything, and what is compared. It runs for what was not simply
//! granted, after it was decided: who is granted waits for nothing here, and no answer follows
//! from it.

use switch_domain::{
    Balance, CheckSet, Compared, ControlRule, DecidedBy, DecisionTrace, MinorUnits, Reason, StandIn,
};

use super::{Case, HOLDABLE, ORDER, currency, first_failure, judge_control};
use crate::{controls, verification};

/// What must be there for a check to say anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// The message alone.
    Nothing,
    /// A programme that the card number is of.
    Programme,
    /// A card that was issued.
    Card,
    /// Its account, too.
    Account,
    /// A card whose programme has it verified.
    Verified,
    /// That no check before the PIN has declined: else nobody learns what its check would say.
    Pin,
    /// An amount as well, and in the account's currency: in any other nothing can be compared.
    Money,
}

impl Needs {
    fn are_met(self, case: &Case<'_>) -> bool {
        let account = case.card.is_some() && case.balance.is_some();
        match self {
            Self::Nothing => true,
            Self::Programme => case.programme.is_some(),
            Self::Card => case.card.is_some(),
            Self::Account => account,
            Self::Verified => case.card.is_some() && case.terms.is_some(),
            Self::Pin => verification::tells_pin(case),
            Self::Money => {
                let asks = case.request.amount.minor.is_positive();
                account && asks && currency::check(case).is_ok()
            }
        }
    }
}

/// The trace of a decision; `None` for what was granted, here or in our stead and here as well.
pub(crate) fn of(
    case: &Case<'_>,
    reason: Reason,
    stand_in: Option<StandIn>,
) -> Option<Box<DecisionTrace>> {
    let without = |decided_by| DecisionTrace {
        decided_by,
        passed: CheckSet::default(),
        failed: CheckSet::default(),
        compared: None,
    };
    let found = match (stand_in, reason) {
        (Some(StandIn::Agreed), _) | (None, Reason::Approved) => return None,
        (Some(StandIn::Known), _) => without(DecidedBy::OwnApproval),
        (Some(StandIn::Declined), _) => without(DecidedBy::DeclinedElsewhere),
        (Some(StandIn::Reversed), _) => without(DecidedBy::ReversalCameFirst),
        (Some(StandIn::Suspense(Reason::DuplicateTransmission)), _) => {
            without(DecidedBy::OtherAmount)
        }
        // No check names this reason: it stands for the advice that overtook its request.
        (None, Reason::DuplicateTransmission) => without(DecidedBy::AdviceCameFirst),
        (Some(StandIn::Suspense(reason)), _) => {
            let mut holdable = HOLDABLE.iter();
            let decider = holdable.find(|(_, check)| check(case) == Err(reason));
            judged(case, reason, decider.map(|(number, _)| *number))?
        }
        // Of the part every check passed: what is told is why it was not all.
        (None, Reason::ApprovedPartially) => {
            let whole = case.whole();
            judged(&whole, first_failure(&whole)?, None)?
        }
        (Some(StandIn::Forced(reason)), _) | (None, reason) => judged(case, reason, None)?,
    };
    Some(Box::new(found))
}

/// What all checks say; decided by that one, or by the first that gives the reason.
fn judged(case: &Case<'_>, reason: Reason, decider: Option<u8>) -> Option<DecisionTrace> {
    let (mut passed, mut failed) = (CheckSet::default(), CheckSet::default());
    let mut decider = decider;
    for one in &ORDER {
        let said = (one.check)(case);
        if decider.is_none() && said == Err(reason) {
            decider = Some(one.number);
        }
        match said {
            _ if !one.needs.are_met(case) => {}
            Ok(()) => passed.insert(one.number),
            Err(_) => failed.insert(one.number),
        }
    }
    let decider = decider?;
    failed.insert(decider);
    let decided_by = DecidedBy::Check(decider);
    let passed = CheckSet::from_bits(passed.bits() & !failed.bits());
    Some(DecisionTrace { decided_by, passed, failed, compared: compared(case, reason) })
}

/// What was compared for a reason that says that there was too little.
fn compared(case: &Case<'_>, reason: Reason) -> Option<Compared> {
    let needed = case.needs();
    match reason {
        Reason::InsufficientFunds => {
            let there = case.balance.map_or(MinorUnits::ZERO, Balance::available);
            Some(Compared { needed: case.needs_of_customer(), there })
        }
        Reason::PartnerDepositInsufficient => {
            Some(Compared { needed, there: case.headroom.available(case.deposit?) })
        }
        Reason::AmountLimitExceeded | Reason::CountLimitExceeded => {
            let mut controls = case.controls.in_force();
            let control = controls.find(|one| judge_control(case, one) == Err(reason))?;
            match &control.terms.rule {
                ControlRule::Amount(most, window) => {
                    let used = controls::used_before(case, control, window).amount;
                    let there = MinorUnits(most.0.saturating_sub(used.0));
                    Some(Compared { needed, there })
                }
                ControlRule::Count(most, window) => {
                    let used = controls::used_before(case, control, window).count;
                    let there = i64::from(*most).saturating_sub(used.into());
                    Some(Compared { needed: MinorUnits(1), there: MinorUnits(there) })
                }
                _ => None,
            }
        }
        _ => None,
    }
}

//! Partial approval: a purchase that fails for nothing but money is approved for what there is,
//! where its terminal can go on with less and its partner wants that. It owns which messages that
//! goes for and how much is approved; every check passes again for that much, or it stays the
//! decline that it was. It takes no money: that is held or settled like any other.

use switch_domain::{Direction, MinorUnits, Portion, Reason, TransactionType};

use crate::checks::{self, Case};
use crate::fees::Pricing;

/// What a request that fails for `reason` is answered. Where it is approved in part, the case has
/// the part from here on.
pub(crate) fn instead_of(case: &mut Case<'_>, reason: Reason) -> Reason {
    let Some(part) = part(case, reason) else { return reason };
    case.part = Some(part);
    if checks::first_failure(case).is_some() {
        case.part = None;
        return reason;
    }
    Reason::ApprovedPartially
}

/// The part of the amount that there is money for: what the customer has less what that costs or,
/// where the partner's deposit has less, that, without the acquirer's fee. `None` where it is below
/// the partner's minimum, which is of the purchase alone, or where nothing is approved in part.
fn part(case: &Case<'_>, reason: Reason) -> Option<MinorUnits> {
    let terms = case.request.terms;
    let for_money =
        matches!(reason, Reason::PartnerDepositInsufficient | Reason::InsufficientFunds);
    if !for_money || !terms.takes_part || !may_be_partial(case) {
        return None;
    }
    // What there is would have to be told in the message's currency, and be the same when it is
    // converted again: what was converted is approved whole or not at all.
    if case.conversion.as_ref().is_some_and(|conversion| conversion.is_foreign()) {
        return None;
    }
    let partner = case.state.control().partners.get(&case.programme?.partner)?;
    let minimum = partner.partial_minimum(case.amount.currency)?;
    let all = case.balance?.available();
    let of_customer = Pricing::of_case(case).map_or(all, |one| one.part_within(case, all));
    let there =
        case.deposit.map_or(of_customer, |pool| of_customer.min(case.headroom.available(pool)));
    let part = MinorUnits(there.0.max(0).saturating_sub(case.fee().0));
    let within = if terms.fee_within { terms.fee.0.max(0) } else { 0 };
    let purchase = MinorUnits(part.0.saturating_sub(within));
    let less = part < case.amount.minor;
    (less && purchase.is_positive() && purchase >= minimum).then_some(part)
}

/// Whether less than all is of use to whoever asks. A machine pays out what was keyed in or
/// nothing; cash back is the merchant's to give, and no message says which part of the amount it
/// is; what was ordered on top of an open authorization, or delivered already, is one thing.
fn may_be_partial(case: &Case<'_>) -> bool {
    let request = case.request;
    let kind = request.facts.kind;
    matches!(kind, TransactionType::Purchase | TransactionType::Preauthorization)
        && kind.direction() == Direction::Debit
        && !request.facts.key.class.is_advice()
        && request.adds_to.is_none()
        && request.completes.is_none()
        // What was reversed in part before it came was answered before, by somebody.
        && case.standing.is_none()
}

/// What the record says of what was granted; nothing where that is just what was asked for.
pub(crate) fn portion(case: &Case<'_>) -> Option<Box<Portion>> {
    let (part, fee) = (case.part, case.fee());
    let approved = part.unwrap_or(case.amount.minor);
    (part.is_some() || !fee.is_zero()).then(|| Box::new(Portion { approved, fee }))
}

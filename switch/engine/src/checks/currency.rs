//! The amount is in the programme's currency, which is also that of the account, or was converted
//! into it.

use switch_domain::Reason;

use super::Case;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    if let Some(reason) = case.refused {
        return Err(reason);
    }
    let asked = case.amount.currency;
    let of_programme = case.programme.is_some_and(|programme| programme.currency == asked);
    let of_balance = case.balance.is_some_and(|balance| balance.currency == asked);
    if of_programme && of_balance { Ok(()) } else { Err(Reason::CurrencyUnacceptable) }
}

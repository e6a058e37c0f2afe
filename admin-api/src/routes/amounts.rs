//! Money in JSON: decimal text in major units beside its currency, exact or refused.

use serde::{Deserialize, Serialize};
use switch_domain::{Currency, MinorUnits};
use utoipa::ToSchema;

use crate::Problem;
use crate::operation::{amount_of, decimal};

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "value": "12.50", "currency": "EUR" }))]
pub(super) struct Money {
    /// In major units, with at most as many decimals as the currency has.
    #[schema(max_length = 24, pattern = r"^-?[0-9]{1,18}(\.[0-9]{1,4})?$")]
    pub(super) value: String,
    /// Code of ISO 4217.
    #[schema(min_length = 3, max_length = 3, pattern = "^[A-Z]{3}$")]
    pub(super) currency: String,
}

impl Money {
    pub(super) fn of(amount: MinorUnits, currency: Currency) -> Self {
        Self { value: decimal(amount, currency), currency: currency.to_string() }
    }

    /// An amount above zero, of whatever currency.
    pub(super) fn above_zero(&self, name: &str) -> Result<(MinorUnits, Currency), Problem> {
        let (amount, currency) = self.not_below_zero(name)?;
        if amount.0 == 0 {
            let what = "an amount above zero is needed";
            return Err(Problem::field(format!("{name}.value"), what));
        }
        Ok((amount, currency))
    }

    /// An amount that twelve digits hold, of whatever currency.
    pub(super) fn not_below_zero(&self, name: &str) -> Result<(MinorUnits, Currency), Problem> {
        let unknown = || Problem::field(format!("{name}.currency"), "there is no such currency");
        let currency = Currency::from_alphabetic(&self.currency).ok_or_else(unknown)?;
        let field = format!("{name}.value");
        let amount = amount_of(&self.value, currency)
            .map_err(|problem| Problem { field: Some(field.clone()), ..problem })?;
        if !(0..=999_999_999_999).contains(&amount.0) {
            return Err(Problem::field(field, "from zero to twelve digits in minor units"));
        }
        Ok((amount, currency))
    }

    /// What somebody asks to move in an account of this currency: above zero.
    pub(super) fn positive_in(
        &self,
        name: &str,
        currency: Currency,
    ) -> Result<MinorUnits, Problem> {
        if self.currency != currency.to_string() {
            let what = format!("this account is in {currency}");
            return Err(Problem::field(format!("{name}.currency"), what));
        }
        let field = format!("{name}.value");
        let amount = amount_of(&self.value, currency)
            .map_err(|problem| Problem { field: Some(field.clone()), ..problem })?;
        if amount.0 <= 0 {
            return Err(Problem::field(field, "an amount above zero is needed"));
        }
        Ok(amount)
    }
}

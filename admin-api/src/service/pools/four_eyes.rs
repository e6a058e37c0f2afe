//! Above what a reload needs a second operator. It owns that in a currency of which nothing is said
//! every reload does.

use std::collections::BTreeMap;

use switch_domain::{Amount, Currency, MinorUnits};

use crate::operation::amount_of;

/// Up to what one operator is enough, by currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FourEyes(BTreeMap<Currency, MinorUnits>);

impl FourEyes {
    /// Reads amounts in major units by the codes of their currencies.
    ///
    /// # Errors
    /// One of them is none, or below zero: in words.
    pub fn parse(above: &BTreeMap<String, String>) -> Result<Self, String> {
        let mut limits = BTreeMap::new();
        for (code, amount) in above {
            let currency = Currency::from_alphabetic(code);
            let currency = currency.ok_or_else(|| format!("{code:?} is no currency"))?;
            let limit = amount_of(amount, currency).map_err(|problem| problem.detail)?;
            if limit.is_negative() {
                return Err(format!("{code}: zero, or above it"));
            }
            limits.insert(currency, limit);
        }
        Ok(Self(limits))
    }

    /// Whether a reload of so much waits for a second operator.
    #[must_use]
    pub fn are_needed(&self, amount: Amount) -> bool {
        self.0.get(&amount.currency).is_none_or(|limit| amount.minor > *limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(pairs: &[(&str, &str)]) -> Result<FourEyes, String> {
        let owned = pairs.iter().map(|(code, text)| ((*code).to_owned(), (*text).to_owned()));
        FourEyes::parse(&owned.collect())
    }

    // covers: SR-228
    #[test]
    fn who_has_to_agree_follows_from_amount_and_currency() {
        let four = limits(&[("EUR", "1000.00"), ("JPY", "0"), ("BHD", "1.500")]).expect("limits");
        let needed = |minor, code| {
            let currency = Currency::from_alphabetic(code).expect("a currency");
            four.are_needed(Amount { minor: MinorUnits(minor), currency })
        };
        for (minor, code, expected) in [
            (1, "EUR", false),
            (100_000, "EUR", false),
            (100_001, "EUR", true),
            (1, "JPY", true),
            (1_500, "BHD", false),
            (1_501, "BHD", true),
            // Nothing is said of it.
            (1, "USD", true),
        ] {
            assert_eq!(needed(minor, code), expected, "{minor} {code}");
        }
        for wrong in [("EUX", "1"), ("EUR", "1.001"), ("EUR", "-1"), ("EUR", "much")] {
            assert!(limits(&[wrong]).is_err(), "{wrong:?}");
        }
    }
}

//! Currencies by their ISO 4217 numeric code. It owns which codes exist and their exponents; it
//! never converts.

use iso_currency::Currency as Iso4217;

/// A currency of ISO 4217, by numeric code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(u16);

/// The code is not an active one of ISO 4217.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:03} is not a currency code of ISO 4217 with an exponent of 0, 2, 3 or 4")]
pub struct UnknownCurrency(pub u16);

impl Currency {
    /// From the numeric code, as DE49 carries it.
    ///
    /// # Errors
    /// The code is not listed, or names something without minor units (gold, test code).
    pub fn from_numeric(code: u16) -> Result<Self, UnknownCurrency> {
        let currency = Iso4217::from_numeric(code).ok_or(UnknownCurrency(code))?;
        currency.exponent().map(|_| Self(code)).ok_or(UnknownCurrency(code))
    }

    /// From the three-letter code (`EUR`).
    #[must_use]
    pub fn from_alphabetic(code: &str) -> Option<Self> {
        let currency = Iso4217::from_code(code)?;
        currency.exponent().map(|_| Self(currency.numeric()))
    }

    /// The numeric code.
    #[must_use]
    pub const fn numeric(self) -> u16 {
        self.0
    }

    /// How many decimals the minor unit stands for.
    #[must_use]
    pub fn exponent(self) -> u8 {
        let exponent = Iso4217::from_numeric(self.0).and_then(Iso4217::exponent);
        exponent.and_then(|e| u8::try_from(e).ok()).unwrap_or(2)
    }

    /// The three-letter code.
    #[must_use]
    pub fn alphabetic(self) -> &'static str {
        Iso4217::from_numeric(self.0).map_or("???", |c| c.code())
    }
}

impl std::fmt::Debug for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.alphabetic())
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.alphabetic())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_exponents_are_those_of_the_standard() {
        for (numeric, letters, exponent) in
            [(978, "EUR", 2), (392, "JPY", 0), (48, "BHD", 3), (840, "USD", 2), (985, "PLN", 2)]
        {
            let currency = Currency::from_numeric(numeric).expect("listed");
            assert_eq!((currency.alphabetic(), currency.exponent()), (letters, exponent));
            assert_eq!(Currency::from_alphabetic(letters), Some(currency));
        }
        assert_eq!(Currency::from_numeric(0), Err(UnknownCurrency(0)));
        assert_eq!(Currency::from_numeric(999), Err(UnknownCurrency(999)));
    }
}

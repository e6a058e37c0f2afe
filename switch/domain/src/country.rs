//! Countries by ISO 3166-1. It owns which codes are ones; a message that names none, or one that is
//! none, says nothing of where it is.

use celes::Country as Listed;

/// A country.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country(u16);

/// What is no country's code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no country of ISO 3166-1 (two letters, or three digits)")]
pub struct UnknownCountry(pub String);

impl Country {
    /// From the number, as in DE19.
    ///
    /// # Errors
    /// No country has it.
    pub fn from_numeric(code: u16) -> Result<Self, UnknownCountry> {
        let listed = Listed::from_value(usize::from(code));
        listed.map(|_| Self(code)).map_err(|_| UnknownCountry(format!("{code:03}")))
    }

    /// From two letters, as at the end of DE43, or from three digits.
    ///
    /// # Errors
    /// No country has it.
    pub fn from_code(code: &str) -> Result<Self, UnknownCountry> {
        let unknown = || UnknownCountry(code.to_owned());
        if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Self::from_numeric(code.parse().map_err(|_| unknown())?);
        }
        let listed = Listed::from_alpha2(code).map_err(|_| unknown())?;
        u16::try_from(listed.value).map(Self).map_err(|_| unknown())
    }

    /// The number.
    #[must_use]
    pub const fn numeric(self) -> u16 {
        self.0
    }

    /// Two letters.
    #[must_use]
    pub fn alpha2(self) -> &'static str {
        Listed::from_value(usize::from(self.0)).map_or("", |listed| listed.alpha2)
    }

    /// Three letters.
    #[must_use]
    pub fn alpha3(self) -> &'static str {
        Listed::from_value(usize::from(self.0)).map_or("", |listed| listed.alpha3)
    }
}

impl std::fmt::Debug for Country {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.alpha2())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_known_by_its_letters_and_by_its_number() {
        for (letters, number) in [("DE", 276), ("ES", 724), ("US", 840), ("JP", 392), ("AF", 4)] {
            let country = Country::from_code(letters).expect("a country");
            assert_eq!((country.numeric(), country.alpha2()), (number, letters));
            assert_eq!(Country::from_numeric(number), Ok(country));
            assert_eq!(Country::from_code(&format!("{number:03}")), Ok(country));
        }
        for wrong in ["", "D", "XX", "ZZZ", "000", "999", "2760", "de1"] {
            assert!(Country::from_code(wrong).is_err(), "`{wrong}`");
        }
    }
}

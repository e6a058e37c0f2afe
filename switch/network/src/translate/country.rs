//! In which country a merchant is: the end of DE43 in 1987, where it is written in 40 characters
//! with the country's two letters last, else DE19, the acquirer's country. It owns that a code
//! which is none says nothing: it is no fault of the message.

use codecs::iso8583::{Message, Version};
use switch_domain::Country;

const ACQUIRER_COUNTRY: u8 = 19;
const NAME_AND_LOCATION: u8 = 43;
/// Name, city and country together, in 1987.
const NAME_LENGTH: usize = 40;

/// Reads it.
pub(super) fn country(message: &Message<'_>) -> Option<Country> {
    by_name(message).or_else(|| by_number(message))
}

fn by_name(message: &Message<'_>) -> Option<Country> {
    if message.dialect().version() != Version::V1987 || !message.has(NAME_AND_LOCATION) {
        return None;
    }
    let text = message.text(NAME_AND_LOCATION).ok()?;
    at_the_end(text.as_bytes())
}

fn at_the_end(name: &[u8]) -> Option<Country> {
    let letters = name.get(NAME_LENGTH.checked_sub(2)?..NAME_LENGTH)?;
    Country::from_code(std::str::from_utf8(letters).ok()?).ok()
}

fn by_number(message: &Message<'_>) -> Option<Country> {
    if !message.has(ACQUIRER_COUNTRY) {
        return None;
    }
    let number = message.number(ACQUIRER_COUNTRY).ok()?;
    Country::from_numeric(u16::try_from(number).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_letters_end_the_name() {
        let name = |text: &str| at_the_end(text.as_bytes()).map(Country::alpha2);
        assert_eq!(name("CORNER SHOP              MADRID       ES"), Some("ES"));
        assert_eq!(name("CORNER SHOP              MADRID       XX"), None);
        assert_eq!(name("CORNER SHOP              MADRID         "), None);
        assert_eq!(name("CORNER SHOP ES"), None);
    }
}

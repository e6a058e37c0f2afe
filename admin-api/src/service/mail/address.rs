//! Where a letter goes. It owns which texts are an address: what cannot be one never stands in a
//! header, and nothing of one is printed.

use std::fmt;
use std::str::FromStr;

use lettre::Address;

use crate::Problem;

/// The longest (RFC 5321: 256 with its brackets).
const LONGEST: usize = 254;

/// An address of one person or desk.
#[derive(Clone, PartialEq, Eq)]
pub struct MailAddress(Address);

impl MailAddress {
    /// Reads one, without a name around it.
    ///
    /// # Errors
    /// `INVALID_REQUEST` of this member.
    pub fn parse(text: &str, field: &str) -> Result<Self, Problem> {
        let wrong = || Problem::field(field, "addresses are written as desk@bank.example");
        let plain = text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic());
        // A quoted part may have anything in it; nobody needs one.
        let plain = plain && !text.contains(['"', '<', '>', ',', ';', '\\']);
        let address = Address::from_str(text).map_err(|_| wrong())?;
        if plain { Ok(Self(address)) } else { Err(wrong()) }
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }

    /// What stands behind the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.domain()
    }

    pub(super) fn address(&self) -> Address {
        self.0.clone()
    }
}

impl fmt::Debug for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailAddress(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // covers: SR-230
    #[test]
    fn what_is_no_address_stands_in_no_header_and_none_is_printed() {
        for good in ["desk@bank.example", "a.b+pools@mail.bank.example", "x@127-0-0-1.example"] {
            let address = MailAddress::parse(good, "addresses").expect(good);
            assert_eq!(address.as_str(), good);
            assert!(!format!("{address:?}").contains('@'));
        }
        let long = format!("{}@bank.example", "a".repeat(250));
        for bad in [
            "",
            "desk",
            "@bank.example",
            "desk@",
            "Desk <desk@bank.example>",
            "desk@bank.example\r\nBcc: other@bank.example",
            "desk@bank.example,other@bank.example",
            "de sk@bank.example",
            "\"de\\\"sk\"@bank.example",
            "d\u{e4}sk@bank.example",
            "desk@bank.example ",
            long.as_str(),
        ] {
            let problem = MailAddress::parse(bad, "addresses[0]").expect_err(bad);
            assert_eq!(problem.field.as_deref(), Some("addresses[0]"), "{bad:?}");
        }
    }
}

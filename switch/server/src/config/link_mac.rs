//! How a link authenticates messages, in the configuration. It owns the keys and their values; what
//! codes are is the security module's affair.

use serde::Deserialize;
use switch_network::MacRule;
use switch_security::{KeyName, MacPadding, MacScheme};

/// The authentication codes of a link. Algorithm and key must be said.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkMac {
    /// Of ISO/IEC 9797-1.
    pub algorithm: Algorithm,
    /// The padding method of algorithms 1 and 3: 1 or 2. There is no usual one.
    pub padding: Option<u8>,
    /// The key, by its name in the key file.
    pub key: String,
    /// Bytes of a code on the wire; the rest of its field is zeros.
    #[serde(default = "eight")]
    pub bytes: usize,
    /// Refuse requests that carry none.
    #[serde(default = "yes")]
    pub required: bool,
    /// Put one into answers, and into requests of ours.
    #[serde(default = "yes")]
    pub answers: bool,
}

/// The algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// CBC-MAC.
    #[serde(rename = "algorithm-1")]
    One,
    /// Retail MAC.
    #[serde(rename = "algorithm-3")]
    Three,
    /// CMAC.
    Cmac,
}

const fn eight() -> usize {
    8
}

const fn yes() -> bool {
    true
}

impl LinkMac {
    /// The rule.
    ///
    /// # Errors
    /// The key at fault, and what to write there.
    pub fn rule(&self) -> Result<MacRule, (&'static str, &'static str)> {
        let padding = match self.padding {
            Some(1) => Some(MacPadding::Zeros),
            Some(2) => Some(MacPadding::OneThenZeros),
            None => None,
            Some(_) => return Err(("padding", "1 (zeros) or 2 (a one, then zeros)")),
        };
        let scheme = match (self.algorithm, padding) {
            (Algorithm::One, Some(padding)) => MacScheme::CbcMac(padding),
            (Algorithm::Three, Some(padding)) => MacScheme::RetailMac(padding),
            (Algorithm::Cmac, None) => MacScheme::Cmac,
            (Algorithm::Cmac, Some(_)) => {
                return Err(("padding", "leave it out: CMAC has a padding of its own"));
            }
            (_, None) => {
                return Err(("padding", "1 (zeros) or 2 (a one, then zeros): ask the peer which"));
            }
        };
        let wanted = "a name of 1 to 32 small letters, digits and hyphens";
        let key = KeyName::new(&self.key).ok_or(("key", wanted))?;
        let Self { bytes, required, answers, .. } = *self;
        Ok(MacRule { scheme, key, bytes, required, answers })
    }
}

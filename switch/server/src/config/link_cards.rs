//! How a link's messages present cards and holders, in the configuration: which PIN blocks come by
//! it, and what is done with chip data that say something else or cannot be used. It owns the keys
//! and their values; what is verified is the network's affair.

use std::collections::BTreeMap;

use codecs::iso8583::{Dialect, Encoding};
use serde::Deserialize;
use switch_domain::{ChipDifference, ChipDifferences};
use switch_network::{CardCheckRules, PinRule, UnusableChip};
use switch_security::{KeyName, PinBlockFormat};

use super::{Link, Security};

const PIN_BLOCK: u8 = 52;

/// The PIN blocks of a link.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkPin {
    /// The zone key, by its name in the key file.
    pub key: String,
    /// Others, by the number that messages name them by.
    #[serde(default)]
    pub keys: BTreeMap<String, String>,
    /// The formats of ISO 9564 that are taken; the first is that of messages that do not say.
    #[serde(default = "usual_formats")]
    pub formats: Vec<u8>,
}

/// What is done with chip data that cannot be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnusableChipData {
    /// Where a cryptogram is needed, the request is declined for it.
    #[default]
    Decline,
    /// The message is answered with a format error.
    FormatError,
}

fn usual_formats() -> Vec<u8> {
    vec![0]
}

/// A key of the link's table, and what to write there.
type Fault = (&'static str, String);

impl Link {
    /// What the link lays down for verification.
    ///
    /// # Errors
    /// The key at fault, and what to write there.
    pub fn card_rules(
        &self,
        security: &Security,
        dialect: &Dialect,
    ) -> Result<CardCheckRules, Fault> {
        let pin = match &self.pin {
            Some(pin) => pin.rule(dialect)?,
            None => PinRule::default(),
        };
        Ok(CardCheckRules {
            pin,
            tolerated: self.tolerated()?,
            unusable_chip: match self.unusable_chip {
                UnusableChipData::Decline => UnusableChip::Decline,
                UnusableChipData::FormatError => UnusableChip::FormatError,
            },
            value_at: [security.track1_value_at, security.track2_value_at],
        })
    }

    fn tolerated(&self) -> Result<ChipDifferences, Fault> {
        let named = |name: &String| {
            ChipDifference::from_name(name).ok_or_else(|| {
                let all: Vec<_> = ChipDifference::ALL.iter().map(|one| one.name()).collect();
                ("chip_tolerates", format!("{name:?} is none of {}", all.join(", ")))
            })
        };
        self.chip_tolerates.iter().map(named).collect()
    }
}

impl LinkPin {
    fn rule(&self, dialect: &Dialect) -> Result<PinRule, Fault> {
        let name = |name: &String| {
            let wanted = "a name of 1 to 32 small letters, digits and hyphens".to_owned();
            KeyName::new(name).map(|_| name.clone()).ok_or(("pin", wanted))
        };
        let other = |(number, key): (&String, &String)| {
            let wanted =
                format!("{number:?} is no number of a key: write keys = {{ \"2\" = ... }}");
            let number = number.parse::<u16>().map_err(|_| ("pin", wanted))?;
            Ok((number, name(key)?))
        };
        let others: Result<Vec<_>, Fault> = self.keys.iter().map(other).collect();
        if !self.keys.is_empty() && dialect.pin_block_form().key_at.is_none() {
            let wanted = "keys is for a dialect whose messages say which key it is (key_at)";
            return Err(("pin", wanted.into()));
        }
        Ok(PinRule { key: name(&self.key)?, others: others?, formats: self.formats(dialect)? })
    }

    fn formats(&self, dialect: &Dialect) -> Result<Vec<PinBlockFormat>, Fault> {
        let (fewest, most) = room(dialect);
        let taken = |number: &u8| {
            let format = PinBlockFormat::from_number(*number);
            let format = format.filter(|format| *format != PinBlockFormat::Iso2);
            let wanted = "formats is of 0, 1, 3 and 4: format 2 is for the chip of a card alone";
            let format = format.ok_or(("pin", wanted.to_owned()))?;
            if (fewest..=most).contains(&format.bytes()) {
                return Ok(format);
            }
            let bytes = format.bytes();
            Err(("pin", format!("format {format} has {bytes} bytes, which field 52 cannot hold")))
        };
        let formats: Result<Vec<_>, Fault> = self.formats.iter().map(taken).collect();
        match formats {
            Ok(formats) if formats.is_empty() => Err(("pin", "formats names one at least".into())),
            formats => formats,
        }
    }
}

/// Fewest and most bytes of a PIN block in this dialect.
fn room(dialect: &Dialect) -> (usize, usize) {
    let Some(spec) = dialect.spec(PIN_BLOCK) else { return (1, 0) };
    let characters = usize::from(spec.max);
    let most = match spec.encoding {
        Encoding::Hex => characters >> 1,
        _ => characters,
    };
    let fixed = spec.length == codecs::iso8583::LengthForm::Fixed;
    (if fixed { most } else { 0 }, most)
}

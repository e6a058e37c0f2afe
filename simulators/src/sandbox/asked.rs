//! What is asked for, as a line of JSON has it. Must take nothing that a message could not hold,
//! and no card number that is not of the test series.

use serde::Deserialize;

use crate::demo_file::TestPan;

/// No network routes numbers of this series.
const TEST_SERIES: &str = "9999";
/// DE4 has twelve digits.
const AMOUNT_MOST: u64 = 999_999_999_999;

/// One line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// By what it is known from now on. The same again is the same simulation.
    pub(super) simulation: String,
    /// Whose it is: nobody else finds it.
    pub(super) owner: String,
    pub(super) act: Act,
    /// The card's number, of an authorization alone.
    #[serde(default)]
    pub(super) number: Option<TestPan>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Act {
    /// x100.
    Authorization(Box<Presented>),
    /// x120: a network approved in our stead.
    Advice(Following),
    /// x220.
    Clearing(Following),
    /// x220 that gives money back.
    Refund(Following),
    /// x420.
    Reversal(Following),
    /// The bureau works.
    Shipment,
}

/// A card that is presented somewhere.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Presented {
    /// What the switch calls the card; given back, and not looked at.
    pub(super) card: String,
    /// `YYMM`.
    pub(super) expiry: String,
    pub(super) amount: u64,
    /// ISO 4217, three digits.
    pub(super) currency: String,
    pub(super) entry: Entry,
    #[serde(default)]
    pub(super) cash: bool,
    #[serde(default)]
    pub(super) takes_part: bool,
    #[serde(default)]
    pub(super) terminal: Option<String>,
    #[serde(default)]
    pub(super) merchant: Option<String>,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) city: Option<String>,
    #[serde(default)]
    pub(super) country: Option<String>,
    #[serde(default)]
    pub(super) category: Option<String>,
}

/// How the card is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Entry {
    Chip,
    Contactless,
    Magstripe,
    Ecommerce,
    Manual,
}

/// What comes after a simulation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Following {
    /// The simulation.
    pub(super) of: String,
    /// In minor units; of a reversal, what is to stand. Without it: all of it, and nothing.
    #[serde(default)]
    pub(super) amount: Option<u64>,
    /// In which currency that is; another than the simulation's is refused.
    #[serde(default)]
    pub(super) currency: Option<String>,
}

impl Asked {
    /// Reads a line.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        let asked: Self = serde_json::from_slice(line).ok()?;
        let names = [&asked.simulation, &asked.owner];
        let named = names.iter().all(|name| (1..=64).contains(&name.len()));
        let test = |pan: &TestPan| {
            let digits = pan.digits();
            digits.starts_with(TEST_SERIES)
                && (12..=19).contains(&digits.len())
                && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        let fits = match &asked.act {
            Act::Authorization(presented) => {
                asked.number.as_ref().is_some_and(test)
                    && (1..=AMOUNT_MOST).contains(&presented.amount)
                    && presented.card.len() <= 64
            }
            Act::Advice(of) | Act::Clearing(of) | Act::Refund(of) | Act::Reversal(of) => {
                asked.number.is_none() && of.amount.is_none_or(|amount| amount <= AMOUNT_MOST)
            }
            Act::Shipment => asked.number.is_none(),
        };
        (named && fits).then_some(asked)
    }
}

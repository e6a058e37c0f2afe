//! `demo.json`, which `cardswitch demo` writes: where the switch listens and which test cards it
//! has. Must never show a whole card number, and must refuse a file it cannot rely on.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use codecs::framing::{Framing, LengthHeader};
use serde::Deserialize;

use crate::chip::{CardFacts, TestKeys};
use crate::expected;

/// The file. Members it does not know are ignored.
#[derive(Clone, Debug, Deserialize)]
pub struct DemoFile {
    /// The ISO 8583 link.
    pub iso: IsoLink,
    /// ISO 4217 number of the programme's currency, three digits.
    pub currency: String,
    /// Every test card.
    pub cards: Vec<TestCard>,
    /// The cards that are verified, where there are any.
    #[serde(default)]
    pub verified: Option<VerifiedCards>,
}

/// A programme whose cards and holders are verified.
#[derive(Clone, Debug, Deserialize)]
pub struct VerifiedCards {
    /// Host and port of the link that their terminals use.
    pub address: String,
    /// What its cards, terminals and bureau compute with.
    pub keys: TestKeys,
    /// Its cards, as they were personalised.
    pub cards: Vec<CardFacts>,
}

/// Where and how the switch listens.
#[derive(Clone, Debug, Deserialize)]
pub struct IsoLink {
    /// Host and port.
    pub address: String,
    /// `binary2`, `ascii4` or `bcd2`.
    pub framing: LengthHeader,
    /// Only `iso87-ascii` is known here.
    pub dialect: String,
}

/// A card to send messages for, and what they must be answered.
#[derive(Clone, Debug, Deserialize)]
pub struct TestCard {
    /// Its number.
    pub pan: TestPan,
    /// Expiry, `YYMM`.
    pub expiry: String,
    /// `good`, `lock-1` to `lock-11`, `expired`, `short`, `inactive` or `unknown`.
    pub state: String,
    /// DE39 to expect of a purchase, in the form of ISO 8583:1987.
    pub expect: String,
}

/// A test card's number. Shown masked.
#[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent)]
pub struct TestPan(String);

impl TestPan {
    /// From digits.
    #[must_use]
    pub const fn new(digits: String) -> TestPan {
        TestPan(digits)
    }

    /// The digits, for a message field only.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TestPan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::iso::mask_pan(&self.0))
    }
}

impl DemoFile {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// When it cannot be read or parsed, names a dialect this peer does not speak, has no good
    /// card, or has a card whose expected answer disagrees with this peer's own table.
    pub fn read(path: &Path) -> Result<DemoFile> {
        let text = std::fs::read_to_string(path).with_context(|| {
            format!("cannot read {}: has `cardswitch demo` run?", path.display())
        })?;
        DemoFile::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    /// As [`DemoFile::read`], from the text of the file.
    ///
    /// # Errors
    /// As [`DemoFile::read`].
    pub fn parse(text: &str) -> Result<DemoFile> {
        let file: DemoFile = serde_json::from_str(text).context("not the JSON of a demo file")?;
        if file.iso.dialect != "iso87-ascii" {
            bail!("dialect {:?} is unknown here, only iso87-ascii is spoken", file.iso.dialect);
        }
        ensure!(file.cards.iter().any(|card| card.state == "good"), "there is no good card");
        for card in &file.cards {
            let pan = card.pan.digits();
            let digits = pan.bytes().all(|b| b.is_ascii_digit());
            ensure!(digits && (12..=19).contains(&pan.len()), "{:?} is no card number", card.pan);
            if let Some(code) = expected::response_code(&card.state)
                && code != card.expect
            {
                bail!(
                    "card {:?} ({}) is to answer {} by the file, {code} by the simulator's table",
                    card.pan,
                    card.state,
                    card.expect
                );
            }
        }
        Ok(file)
    }

    /// The framing of the link.
    #[must_use]
    pub const fn framing(&self) -> Framing {
        Framing::new(self.iso.framing)
    }

    /// A card by its state (the first of them) or by its index in the file.
    ///
    /// # Errors
    /// When there is none; the error names the states there are.
    pub fn card(&self, wanted: &str) -> Result<usize> {
        let index = match wanted.parse::<usize>() {
            Ok(index) => (index < self.cards.len()).then_some(index),
            Err(_) => self.cards.iter().position(|card| card.state == wanted),
        };
        index.with_context(|| {
            let mut states: Vec<_> = self.cards.iter().map(|card| card.state.as_str()).collect();
            states.sort_unstable();
            states.dedup();
            let last = self.cards.len().saturating_sub(1);
            format!("no card {wanted:?}: give 0 to {last} or one of {}", states.join(", "))
        })
    }
}

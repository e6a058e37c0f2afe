//! The bureau's desk: one look takes the files that are new, makes their cards and reports them.
//! Must take a file that does not open for none, and a record whose values are wrong for a fault of
//! its sender.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use jiff::Timestamp;
use switch_security::{
    CardValue, Key, KeyCipher, KeyUsage, PersoFile, PersoRecord, PinBlockFormat, reveal_test_pan,
};

use super::fault::BureauFault;
use super::report::{self, Line};
use super::soft_card::{self, kind_named};
use crate::chip::{CardFacts, CardKind, SimulatedCard, TestKeys, pin_of_block_0};
use crate::demo_file::TestPan;

/// What a bureau has of an issuer.
pub struct BureauKeys {
    /// The exchange key, under which files come.
    exchange: Key,
    /// What cards compute with, and the zone key of PINs.
    cards: TestKeys,
}

impl BureauKeys {
    /// From the 64 hexadecimal digits of the exchange key, and the issuer's test keys.
    ///
    /// # Errors
    /// They are no such key.
    pub fn new(exchange: &str, cards: TestKeys) -> Result<Self> {
        let mut bytes = zeroize::Zeroizing::new([0; 32]);
        hex::decode_to_slice(exchange.trim(), &mut *bytes).context("64 hexadecimal digits")?;
        let exchange = Key::new(KeyUsage::D0, KeyCipher::Aes, &*bytes)?;
        Ok(Self { exchange, cards })
    }
}

/// A bureau over an exchange directory.
pub struct Bureau {
    exchange: PathBuf,
    cards: PathBuf,
    keys: BureauKeys,
    kind: CardKind,
    /// Runs that were reported well.
    reported: HashSet<[u8; 16]>,
}

/// What came of a look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Worked {
    /// Files that were new.
    pub files: u32,
    /// Cards that were made of them.
    pub cards: u32,
    /// Files that do not open, or that hold what is wrong.
    pub refused: u32,
}

impl Bureau {
    /// Over these directories: files come to `out` of the first, reports go to its `in`, soft cards
    /// to the second.
    ///
    /// # Errors
    /// There is no such kind of chip; a directory cannot be made.
    pub fn new(exchange: &Path, cards: &Path, keys: BureauKeys, kind: &str) -> Result<Self> {
        let kind = kind_named(kind).with_context(|| format!("{kind}: no kind of chip"))?;
        std::fs::create_dir_all(cards).with_context(|| cards.display().to_string())?;
        let (exchange, cards) = (exchange.to_owned(), cards.to_owned());
        Ok(Self { exchange, cards, keys, kind, reported: HashSet::new() })
    }

    /// Takes what is new, makes its cards, and reports them, wrongly where told to.
    ///
    /// # Errors
    /// A directory or file cannot be read or written. What is wrong with a file is counted.
    pub fn look(&mut self, fault: Option<BureauFault>) -> Result<Worked> {
        let mut worked = Worked::default();
        let out = self.exchange.join("out");
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(&out).with_context(|| out.display().to_string())? {
            let path = entry?.path();
            if path.extension().is_some_and(|end| end == "perso") {
                paths.push(path);
            }
        }
        paths.sort_unstable();
        for path in paths {
            let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
            match self.make(&bytes, fault) {
                Ok(None) => {}
                Ok(Some(cards)) => {
                    worked.files += 1;
                    worked.cards += cards;
                }
                Err(error) => {
                    eprintln!("{}: {error:#}", path.display());
                    worked.refused += 1;
                }
            }
        }
        Ok(worked)
    }

    /// The cards of a file, and its report; `None` where it was reported before.
    fn make(&mut self, bytes: &[u8], fault: Option<BureauFault>) -> Result<Option<u32>> {
        let file = PersoFile::open(bytes, &self.keys.exchange)?;
        let run = file.run.id;
        if self.reported.contains(&run) {
            return Ok(None);
        }
        let mut lines = Vec::new();
        for record in &file.records {
            lines.push(self.make_card(record)?);
        }
        if let Some(text) = report::text(&lines, Timestamp::now(), fault) {
            self.report(&hex::encode(run), &text)?;
        }
        if fault.is_none_or(BureauFault::reports) {
            self.reported.insert(run);
        }
        Ok(Some(u32::try_from(lines.len())?))
    }

    fn make_card(&self, record: &PersoRecord) -> Result<Line> {
        let pan = TestPan::new(reveal_test_pan(&record.pan)?);
        let zone = &self.keys.cards.zone;
        let pin = match &record.pin {
            None => String::new(),
            Some(pin) if pin.format == PinBlockFormat::Iso0 => {
                let block = pin.block.bytes().try_into()?;
                pin_of_block_0(zone, pan.digits(), block).context("the PIN block is none")?
            }
            Some(pin) => bail!("PIN blocks of format {} are not read here", pin.format),
        };
        let facts = CardFacts {
            pan: pan.clone(),
            expiry: format!("{:04}", record.expiry.yymm()),
            service_code: format!("{:03}", record.service_code.number()),
            sequence: record.sequence,
            pin,
            kind: self.kind,
        };
        let card = SimulatedCard::personalised(&self.keys.cards, facts.clone())?;
        let said = [&record.cvv, &record.icvv, &record.cvv2];
        for (said, computed) in said.into_iter().zip(card.values()) {
            let said = said.as_ref().map(CardValue::digits_for_card);
            let same = said.is_none_or(|said| said == computed.as_bytes());
            ensure!(same, "a card value of a record is not that of its card");
        }
        let reference = uuid_text(&record.reference);
        soft_card::write(&self.cards, &reference, &facts)?;
        let tracking_number = format!("SIM{}", &reference[..8].to_ascii_uppercase());
        Ok(Line { pan, reference, tracking_number })
    }

    /// A report appears whole: even one that is cut off on purpose.
    fn report(&self, run: &str, text: &str) -> Result<()> {
        let reports = self.exchange.join("in");
        let (place, beside) =
            (reports.join(format!("{run}.csv")), reports.join(format!("{run}.part")));
        std::fs::write(&beside, text).with_context(|| beside.display().to_string())?;
        std::fs::rename(&beside, &place).with_context(|| place.display().to_string())
    }
}

/// As it is written: 8-4-4-4-12.
fn uuid_text(bytes: &[u8; 16]) -> String {
    let all = hex::encode(bytes);
    [&all[..8], &all[8..12], &all[12..16], &all[16..20], &all[20..]].join("-")
}

//! One card of a test account: its chip, its stripe, its printed code, its holder's PIN. Must count
//! its transactions as a chip does, and be wrong only where it is told to.

use std::fmt;

use anyhow::Result;
use serde::Deserialize;

use super::answer::{Expected, IssuerAnswer};
use super::cipher::Key;
use super::flaw::Flaw;
use super::keys::TestKeys;
use super::kind::{CardKind, card_key};
use super::pin_block::{pin_block_0, pin_block_4};
use super::sale::Sale;
use super::script::{Effect, ScriptKeys, commands, effect};
use super::tlv;
use super::values::{card_value, spoilt};
use crate::demo_file::TestPan;
use crate::iso::Message;

/// The service code under which the value of a chip's track is made.
const CHIP_VALUE: &str = "999";
/// And the one of the printed code.
const CODE: &str = "000";

/// What is known of a card when it is made. Its PIN is not shown.
#[derive(Clone, Deserialize)]
pub struct CardFacts {
    /// Its number.
    pub pan: TestPan,
    /// Expiry, `YYMM`.
    pub expiry: String,
    /// Three digits of stripe and chip.
    pub service_code: String,
    /// Tells cards of one number apart: 0 to 99.
    pub sequence: u8,
    /// What its holder enters.
    pub pin: String,
    /// What chip it has.
    pub kind: CardKind,
}

/// Number and kind only.
impl fmt::Debug for CardFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {:?}", self.pan, self.kind)
    }
}

/// A card.
pub struct SimulatedCard {
    facts: CardFacts,
    keys: TestKeys,
    of_card: Key,
    of_scripts: ScriptKeys,
    counter: u16,
    /// What became of the last commands, for the next message: tag 9F5B.
    script_results: Option<[u8; 5]>,
}

/// Number and counter only.
impl fmt::Debug for SimulatedCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {}", self.facts.pan, self.counter)
    }
}

impl SimulatedCard {
    /// A card that was never used, personalised with keys derived from its programme's.
    ///
    /// # Errors
    /// When its number has more than sixteen digits.
    pub fn personalised(keys: &TestKeys, facts: CardFacts) -> Result<SimulatedCard> {
        let own = |key| card_key(key, facts.pan.digits(), facts.sequence);
        let of_card = own(&keys.cryptograms)?;
        let of_scripts = ScriptKeys {
            integrity: own(&keys.script_integrity)?,
            confidentiality: own(&keys.script_confidentiality)?,
            cryptograms: of_card,
        };
        let keys = keys.clone();
        Ok(SimulatedCard { facts, keys, of_card, of_scripts, counter: 0, script_results: None })
    }

    /// What it was made of.
    #[must_use]
    pub const fn facts(&self) -> &CardFacts {
        &self.facts
    }

    /// How many transactions its chip has counted.
    #[must_use]
    pub const fn counter(&self) -> u16 {
        self.counter
    }

    /// Goes on from this counter, as a card that was used before.
    pub const fn resume(&mut self, counter: u16) {
        self.counter = counter;
    }

    /// The chip signs a transaction.
    pub fn sign(&mut self, sale: &Sale, flaw: Option<Flaw>) -> Signed {
        if flaw != Some(Flaw::ReplayedCounter) || self.counter == 0 {
            self.counter = self.counter.wrapping_add(1);
        }
        let (kind, counter) = (self.facts.kind, self.counter);
        let minor = if sale.minor > 1 { sale.minor / 2 } else { sale.minor + 1 };
        let other = Sale { minor, ..*sale };
        let (offered, told) = match flaw {
            Some(Flaw::AlteredAmount) => (other, *sale),
            Some(Flaw::OtherAmount) => (other, other),
            _ => (*sale, *sale),
        };
        let profile = [0x38, 0x00];
        let issuer_data = kind.issuer_data([0, 0, 0, 0, 0, 0, 0, 0xFF]);
        let session = kind.session_key(&self.of_card, counter, sale.unpredictable);
        let mut signed = offered.elements().map(|(_, value)| value).concat();
        signed.extend_from_slice(&profile);
        signed.extend_from_slice(&counter.to_be_bytes());
        signed.extend_from_slice(&kind.signed_issuer_data(&issuer_data));
        let mut cryptogram = kind.cryptogram(&session, &signed);
        if flaw == Some(Flaw::Cryptogram) {
            cryptogram = cryptogram.map(|byte| !byte);
        }
        let mut chip_data = Vec::new();
        tlv::put(&mut chip_data, 0x9F26, &cryptogram);
        tlv::put(&mut chip_data, 0x9F27, &[0x80]); // a request for a decision
        tlv::put(&mut chip_data, 0x9F10, &issuer_data);
        for (tag, value) in told.elements() {
            tlv::put(&mut chip_data, tag, &value);
        }
        tlv::put(&mut chip_data, 0x82, &profile);
        tlv::put(&mut chip_data, 0x9F36, &counter.to_be_bytes());
        self.put_terminal(&mut chip_data, sale);
        let key = kind.answer_key(&self.of_card, &session);
        Signed {
            chip_data,
            track: self.chip_track(flaw),
            sequence: format!("{:03}", self.facts.sequence),
            counter,
            expected: Expected { kind, key, cryptogram },
        }
    }

    /// What no card signs: what the terminal can, how the holder was verified, what was chosen.
    fn put_terminal(&self, chip_data: &mut Vec<u8>, sale: &Sale) {
        let verified = if sale.with_pin { [0x02, 0x03, 0x00] } else { [0x1F, 0x03, 0x00] };
        tlv::put(chip_data, 0x9F33, &[0xE0, 0xF8, 0xC8]);
        tlv::put(chip_data, 0x9F34, &verified);
        tlv::put(chip_data, 0x9F35, &[0x22]);
        tlv::put(chip_data, 0x84, &self.facts.kind.application());
        let sequence = self.facts.sequence;
        tlv::put(chip_data, 0x5F34, &[((sequence / 10) << 4) | (sequence % 10)]);
        if let Some(results) = self.script_results {
            tlv::put(chip_data, 0x9F5B, &results);
        }
    }

    /// The chip gets the answer to its last transaction, with commands in it: how many it obeyed,
    /// and how many there were. A new PIN is its holder's from then on, and the next message tells
    /// what became of them.
    pub fn obey(&mut self, signed: &Signed, answer: &[u8]) -> (usize, usize) {
        let commands = commands(answer);
        let mut obeyed = 0;
        for (place, command) in commands.iter().enumerate() {
            let effect = effect(&self.of_scripts, &signed.expected, signed.counter, place, command);
            if let Some(Effect::PinChanged(pin)) = &effect {
                self.facts.pin.clone_from(pin);
            }
            obeyed += usize::from(effect.is_some());
        }
        // The left digit: all were performed, or the one at the right digit was not.
        let result = if obeyed == commands.len() { 0x20 } else { 0x11 };
        self.script_results = (!commands.is_empty()).then_some([result, 0, 0, 0, 0]);
        (obeyed, commands.len())
    }

    /// Track 2 of the stripe, with its value (CVV).
    #[must_use]
    pub fn stripe(&self, flaw: Option<Flaw>) -> String {
        self.track(&self.facts.service_code, flaw)
    }

    /// Track 2 as the chip has it (57), with a value of its own (iCVV).
    fn chip_track(&self, flaw: Option<Flaw>) -> String {
        self.track(CHIP_VALUE, flaw)
    }

    /// Number, expiry, service code, PIN verification field of zeros, value.
    fn track(&self, value_code: &str, flaw: Option<Flaw>) -> String {
        let CardFacts { pan, expiry, service_code, .. } = &self.facts;
        let value = card_value(&self.keys.card_values, pan.digits(), expiry, value_code);
        let value = if flaw == Some(Flaw::TrackValue) { spoilt(&value) } else { value };
        format!("{}={expiry}{service_code}00000{value}", pan.digits())
    }

    /// The printed code (CVV2).
    #[must_use]
    pub fn code(&self, flaw: Option<Flaw>) -> String {
        let CardFacts { pan, expiry, .. } = &self.facts;
        let code = card_value(&self.keys.card_codes, pan.digits(), expiry, CODE);
        if flaw == Some(Flaw::Code) { spoilt(&code) } else { code }
    }

    /// What a bureau puts on it: the values of stripe and chip, and the printed code.
    #[must_use]
    pub fn values(&self) -> [String; 3] {
        let CardFacts { pan, expiry, service_code, .. } = &self.facts;
        let stripe = |code| card_value(&self.keys.card_values, pan.digits(), expiry, code);
        [stripe(service_code), stripe(CHIP_VALUE), self.code(None)]
    }

    fn entered(&self, flaw: Option<Flaw>) -> String {
        let pin = &self.facts.pin;
        if flaw == Some(Flaw::Pin) { spoilt(pin) } else { pin.clone() }
    }

    /// The PIN that the holder enters, in a block of format 0 under the zone key of triple DES.
    #[must_use]
    pub fn pin_block_0(&self, flaw: Option<Flaw>) -> [u8; 8] {
        pin_block_0(&self.keys.zone, self.facts.pan.digits(), &self.entered(flaw))
    }

    /// The same in a block of format 4 under the zone key of AES, with this chosen by chance.
    #[must_use]
    pub fn pin_block_4(&self, flaw: Option<Flaw>, chosen: [u8; 8]) -> [u8; 16] {
        let pin = self.entered(flaw);
        pin_block_4(&self.keys.aes_zone, self.facts.pan.digits(), &pin, chosen)
    }
}

/// A transaction that a chip has signed, and what it waits for.
#[derive(Clone)]
pub struct Signed {
    /// DE55.
    pub chip_data: Vec<u8>,
    /// DE35.
    pub track: String,
    /// DE23.
    pub sequence: String,
    /// The chip's counter in it.
    pub counter: u16,
    expected: Expected,
}

/// Length and counter only.
impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes signed at {}", self.chip_data.len(), self.counter)
    }
}

impl Signed {
    /// Puts it into the request, in the place of a track that is there: DE23, DE35, DE55.
    ///
    /// # Errors
    /// Never, as far as chips of this package go.
    pub fn put_into(&self, message: &mut Message) -> Result<()> {
        message.set(23, &self.sequence)?;
        message.set(35, &self.track)?;
        message.set(55, &self.chip_data)
    }

    /// What the chip makes of DE55 of the answer.
    #[must_use]
    pub fn judge(&self, answer: &Message) -> IssuerAnswer {
        self.judge_chip_data(answer.bytes(55).unwrap_or_default())
    }

    /// The same of the bytes of DE55.
    #[must_use]
    pub fn judge_chip_data(&self, chip_data: &[u8]) -> IssuerAnswer {
        self.expected.judge(chip_data)
    }
}

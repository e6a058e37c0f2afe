//! Purchases that chips have signed: track, PIN block, cryptogram and authentication code, each
//! message its own. Must compute everything as a terminal and its cards would, and share no code
//! with the switch.

use std::fmt;

use anyhow::{Context, Result};
use simulators::chip::{
    CardFacts, CardKind, Sale, SimulatedCard, TestKey, TestKeys, pin_verification_value,
};

use super::LENGTH;
use super::request::{ACQUIRER, CURRENCY, EXPIRY, LocalTime, TERMINAL, TestPan, bitmap};

/// The seeds of the keys: of the cards, and of the links' codes.
const SEEDS: [u64; 3] = [71, 72, 73];
const SERVICE_CODE: u16 = 201;
const SEQUENCE: u8 = 1;
/// The number of the key of PIN references.
pub(crate) const KEY_INDEX: u8 = 1;
/// ISO 3166 number of where the terminal is.
const COUNTRY: u16 = 276;

/// The test keys of the cards, their issuer and the link.
pub(crate) struct BenchKeys {
    pub(crate) cards: TestKeys,
    /// Of the link with retail codes, and of that with codes by AES.
    pub(crate) links: [TestKey; 2],
}

/// How the messages of a link are authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// ISO/IEC 9797-1 algorithm 3, of DES.
    Retail,
    /// CMAC of AES.
    Cmac,
}

impl BenchKeys {
    /// Always the same ones.
    pub(crate) fn new() -> BenchKeys {
        let [cards, retail, cmac] = SEEDS.map(TestKeys::from_seed);
        BenchKeys { cards, links: [retail.zone, cmac.zone] }
    }

    /// What a card's PIN is verified against.
    pub(crate) fn pin_reference(&self, pan: &TestPan) -> Result<String> {
        Ok(pin_verification_value(&self.cards.pin_values, text(pan)?, KEY_INDEX, &pin(pan)))
    }
}

/// What stands on file of every card.
pub(crate) const ON_FILE: (u16, u8) = (SERVICE_CODE, SEQUENCE);

/// The chips of all cards, in the order of their numbers.
pub(crate) struct Deck {
    cards: Vec<SimulatedCard>,
    links: [TestKey; 2],
    at: LocalTime,
    year: u8,
}

/// How many they are.
impl fmt::Debug for Deck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} chips", self.cards.len())
    }
}

impl Deck {
    /// One chip for each number, of every kind by turns.
    pub(crate) fn new(keys: &BenchKeys, pans: &[TestPan]) -> Result<Deck> {
        let kinds = CardKind::ALL.into_iter().cycle();
        let cards = pans.iter().zip(kinds).map(|(pan, kind)| {
            let facts = CardFacts {
                pan: simulators::demo_file::TestPan::new(text(pan)?.to_owned()),
                expiry: EXPIRY.into(),
                service_code: SERVICE_CODE.to_string(),
                sequence: SEQUENCE,
                pin: pin(pan),
                kind,
            };
            SimulatedCard::personalised(&keys.cards, facts)
        });
        let cards = cards.collect::<Result<_>>()?;
        let year = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).year() % 100;
        let year = u8::try_from(year).context("a year of this century")?;
        Ok(Deck { cards, links: keys.links.clone(), at: LocalTime::now(), year })
    }

    /// Appends the next purchase with a card: its holder enters the PIN, its chip signs.
    ///
    /// # Errors
    /// There is no such card.
    pub(crate) fn append(
        &mut self,
        card: usize,
        (stan, rrn): (u32, u64),
        minor: u64,
        code: Code,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let card = self.cards.get_mut(card).context("no such card")?;
        let LocalTime { date, time } = &self.at;
        let (month, day) = date.split_at(2);
        let sale = Sale {
            minor,
            other_minor: 0,
            currency: CURRENCY.parse()?,
            country: COUNTRY,
            date: [self.year, month.parse()?, day.parse()?],
            kind: 0,
            unpredictable: (stan ^ 0xA5A5_0000).to_be_bytes(),
            with_pin: true,
        };
        let signed = card.sign(&sale, None);
        let pin = hex::encode_upper(card.pin_block_0(None));
        let chip = hex::encode_upper(&signed.chip_data);
        let fields: [(u8, String); 21] = [
            (2, format!("16{}", card.facts().pan.digits())),
            (3, "000000".into()),
            (4, format!("{minor:012}")),
            (7, format!("{date}{time}")),
            (11, format!("{stan:06}")),
            (12, time.clone()),
            (13, date.clone()),
            (14, EXPIRY.into()),
            (18, "5411".into()),
            (22, "051".into()),
            (23, signed.sequence),
            (25, "00".into()),
            (32, format!("{:02}{ACQUIRER}", ACQUIRER.len())),
            (35, format!("{:02}{}", signed.track.len(), signed.track)),
            (37, format!("{rrn:012}")),
            (41, TERMINAL.into()),
            (42, "MERCHANT0000001".into()),
            (49, CURRENCY.into()),
            (52, pin),
            (55, format!("{:03}{chip}", chip.len())),
            (64, String::new()),
        ];
        let start = out.len();
        out.extend_from_slice(&[0; LENGTH]);
        out.extend_from_slice(b"0100");
        out.extend_from_slice(bitmap(&fields).as_bytes());
        fields.iter().for_each(|(_, value)| out.extend_from_slice(value.as_bytes()));
        let [retail, cmac] = &self.links;
        let code = match code {
            Code::Retail => retail.message_code(&out[start + LENGTH..]),
            Code::Cmac => cmac.message_cmac(&out[start + LENGTH..])?,
        };
        out.extend_from_slice(hex::encode_upper(code).as_bytes());
        let size = u16::try_from(out.len() - start - LENGTH).context("a short message")?;
        out[start..start + LENGTH].copy_from_slice(&size.to_be_bytes());
        Ok(())
    }
}

/// The PIN of a card: digits of its number, so that cards have different ones.
fn pin(pan: &TestPan) -> String {
    pan.digits()[11..15].iter().map(|digit| char::from(*digit)).collect()
}

fn text(pan: &TestPan) -> Result<&str> {
    Ok(std::str::from_utf8(pan.digits())?)
}

#[cfg(test)]
mod tests {
    use codecs::iso8583::{Dialect, Fields};

    use super::*;
    use crate::bench::wire::first_frame;

    #[test]
    fn the_codecs_read_what_a_chip_signed() {
        let pan = TestPan::new("9999991212345674").unwrap();
        let mut deck = Deck::new(&BenchKeys::new(), &[pan]).unwrap();
        let mut out = Vec::new();
        deck.append(0, (42, 987_654_321), 100, Code::Cmac, &mut out).unwrap();
        let (body, size) = first_frame(&out).expect("a whole frame");
        assert_eq!(size, out.len());
        let dialect = Dialect::shipped("iso87-ascii").unwrap();
        let mut fields = Fields::new();
        dialect.decode(body, &mut fields).expect("a message of the dialect");
        let message = dialect.view(body, &fields);
        for (field, value) in [(2, "9999991212345674"), (11, "000042"), (37, "000987654321")] {
            let content = message.content(field).map(String::from_utf8_lossy);
            assert_eq!(content.as_deref(), Some(value), "field {field}");
        }
        for field in [23, 35, 52, 55, 64] {
            assert!(message.content(field).is_some(), "field {field}");
        }
        assert!(deck.append(1, (43, 1), 100, Code::Retail, &mut out).is_err());
    }
}

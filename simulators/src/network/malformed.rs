//! Frames that are no messages: cut short, too long, lengths that lie, bitmaps that lie, bytes of
//! chance. All of it follows from a seed. Must never make a message that an issuer could approve:
//! what is bent is a purchase with a card that no test issues.

use anyhow::Result;
use jiff::civil::date;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::draft::Sale;
use super::management::Function;
use super::speech::Speech;

/// Within the test range, of an account that test issuers never reach.
const NOBODYS_CARD: &str = "9999991299999990";

/// How many, and from which seed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed {
    /// So many frames.
    pub frames: u32,
    /// The same seed makes the same frames.
    pub seed: u64,
    /// After each so many frames one has a length that nobody can take, so that the issuer must end
    /// the connection; 0 for none. The rest goes over the next connection.
    pub bad_length_every: u32,
}

/// Makes them.
pub(super) struct Source {
    chance: StdRng,
    good: [Vec<u8>; 2],
    mti_bytes: usize,
    longest: usize,
}

impl Source {
    /// For a link on which a message has at most `longest` bytes.
    pub(super) fn new(speech: &Speech, seed: u64, longest: usize) -> Result<Source> {
        let at = date(2026, 11, 23).at(12, 0, 0, 0);
        let purchase = speech.purchase(&Sale::in_euro(NOBODYS_CARD, 999_999, 1_250, at));
        let echo = speech.management(Function::Echo, 999_999, at);
        Ok(Source {
            chance: StdRng::seed_from_u64(seed),
            good: [
                speech.bytes(speech.mti("100")?, &purchase)?,
                speech.bytes(speech.mti("800")?, &echo)?,
            ],
            mti_bytes: speech.dialect().mti_bytes(),
            longest,
        })
    }

    /// The next body; never empty.
    pub(super) fn body(&mut self) -> Vec<u8> {
        let mut body = self.bent();
        body.truncate(self.longest);
        if body.is_empty() { vec![0xFF] } else { body }
    }

    fn bent(&mut self) -> Vec<u8> {
        let kind = self.chance.random_range(0..7_u8);
        let echo = usize::from(self.chance.random_ratio(1, 4));
        let mut body = self.good.get(echo).cloned().unwrap_or_default();
        let at = self.chance.random_range(0..body.len().max(1));
        match kind {
            0 => body.truncate(at),
            1 => body.extend(self.bytes(1, 64)),
            2 => return self.bytes(1, 400),
            // The type: a byte that is no digit in any encoding.
            3 => body.iter_mut().take(self.mti_bytes).for_each(|byte| *byte = 0xFF),
            // The bitmap announces everything.
            4 => body.iter_mut().skip(self.mti_bytes).take(16).for_each(|byte| *byte = b'F'),
            5 => {
                let ends = at.saturating_add(self.chance.random_range(1..5));
                let bent = body.iter_mut().take(ends).skip(at);
                bent.for_each(|byte| *byte = 0xFF);
            }
            _ => {
                let value = self.chance.random();
                body.iter_mut().skip(at).take(1).for_each(|byte| *byte = value);
            }
        }
        body
    }

    fn bytes(&mut self, least: usize, most: usize) -> Vec<u8> {
        let count = self.chance.random_range(least..=most);
        (0..count).map(|_| self.chance.random()).collect()
    }
}

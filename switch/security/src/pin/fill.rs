//! What chance puts into a PIN block. It owns where it comes from and how it is spread; tests say
//! themselves what it is, and nobody else can.

use aws_lc_rs::rand;
use zeroize::Zeroizing;

use crate::{PinBlockFormat, SecurityError};

/// Hexadecimal digits of the longest: half of format 4's first field.
const NIBBLES: usize = 16;
/// Letters from A to F, and how many bytes divide evenly among them.
const LETTERS: u8 = 6;
const EVENLY: u8 = 252;
const FIRST_LETTER: u8 = 10;

/// Sixteen hexadecimal digits, wiped on drop: they tell which block is which.
pub(crate) struct Fill(Zeroizing<[u8; NIBBLES]>);

impl Fill {
    /// From the system's random generator, as this format takes it: each digit is equally likely.
    pub(crate) fn by_chance(format: PinBlockFormat) -> Result<Self, SecurityError> {
        match format {
            PinBlockFormat::Iso0 | PinBlockFormat::Iso2 => Ok(Self(Zeroizing::new([0; NIBBLES]))),
            PinBlockFormat::Iso1 | PinBlockFormat::Iso4 => {
                let mut nibbles = random::<NIBBLES>()?;
                nibbles.iter_mut().for_each(|byte| *byte &= 0x0F);
                Ok(Self(nibbles))
            }
            PinBlockFormat::Iso3 => letters(),
        }
    }

    pub(super) fn nibbles(&self) -> &[u8; NIBBLES] {
        &self.0
    }

    /// These digits, hexadecimal, and zeros behind them.
    #[cfg(test)]
    pub(crate) fn of(digits: &str) -> Self {
        let mut nibbles = Zeroizing::new([0; NIBBLES]);
        for (slot, digit) in nibbles.iter_mut().zip(digits.chars()) {
            *slot = digit.to_digit(16).expect("hexadecimal") as u8;
        }
        Self(nibbles)
    }
}

fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, SecurityError> {
    let mut bytes = Zeroizing::new([0; N]);
    rand::fill(&mut *bytes).map_err(|_| SecurityError::Unavailable)?;
    Ok(bytes)
}

/// Letters alone; bytes that would favour some are left out, and more are drawn where they lack.
fn letters() -> Result<Fill, SecurityError> {
    let mut nibbles = Zeroizing::new([0; NIBBLES]);
    let mut empty = nibbles.iter_mut();
    let mut lacking = NIBBLES;
    while lacking > 0 {
        let drawn = random::<32>()?;
        let fair = drawn.iter().filter(|byte| **byte < EVENLY).take(lacking);
        let fair = fair.filter_map(|byte| FIRST_LETTER.checked_add(byte.checked_rem(LETTERS)?));
        for letter in fair {
            if let Some(slot) = empty.next() {
                *slot = letter;
            }
            lacking = lacking.saturating_sub(1);
        }
    }
    Ok(Fill(nibbles))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often each digit is drawn in four thousand fillers.
    fn drawn(format: PinBlockFormat) -> [u32; 16] {
        let mut counts = [0; 16];
        for _ in 0..4_000 {
            let fill = Fill::by_chance(format).expect("a random generator");
            fill.nibbles().iter().for_each(|nibble| counts[usize::from(*nibble)] += 1);
        }
        counts
    }

    #[test]
    fn each_digit_that_a_format_takes_is_equally_likely() {
        // 64,000 digits: a share of one in sixteen strays by 61 of 4,000 (one deviation), one of
        // one in six by 94 of 10,667. Eight deviations do not happen.
        for format in [PinBlockFormat::Iso1, PinBlockFormat::Iso4] {
            let counts = drawn(format);
            assert!(counts.iter().all(|count| (3_500..4_500).contains(count)), "{counts:?}");
        }
        let counts = drawn(PinBlockFormat::Iso3);
        let (digits, letters) = counts.split_at(10);
        assert!(digits.iter().all(|count| *count == 0), "{counts:?}");
        assert!(letters.iter().all(|count| (9_900..11_450).contains(count)), "{counts:?}");
    }
}

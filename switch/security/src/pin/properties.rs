//! What holds for every PIN, card number and key: blocks come back as they were made, no bytes are
//! too strange to be judged, and the number of a card is what binds a PIN to it.

use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};
use switch_domain::Pan;

use super::block::{decode, encode};
use super::{
    ClearPin, Fill, ZoneKey, generate_offset, generate_pvv, is_allowed, verify_offset, verify_pvv,
};
use crate::block_cipher::{Aes, TripleDes};
use crate::des_pair::DesPair;
use crate::{EncryptedPinBlock, Ibm3624, PinBlockFormat, SecurityError};

const ONLINE: [PinBlockFormat; 4] =
    [PinBlockFormat::Iso0, PinBlockFormat::Iso1, PinBlockFormat::Iso3, PinBlockFormat::Iso4];

fn digits(length: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(b'0'..=b'9', length)
}

fn pan_of(digits: &[u8]) -> Pan {
    Pan::from_digits(digits).expect("a card number")
}

fn pin_of(digits: &[u8]) -> ClearPin {
    ClearPin::from_ascii(digits).expect("a PIN")
}

fn is(pin: &ClearPin, digits: &[u8]) -> bool {
    pin.ascii().as_slice() == digits
}

/// A key of each cipher.
struct Keys(TripleDes, Aes);

impl Keys {
    fn new(tdes: &[u8; 24], aes: &[u8; 32]) -> Self {
        Self(TripleDes::new(tdes).expect("a key"), Aes::new(aes).expect("a key"))
    }

    fn of(&self, format: PinBlockFormat) -> ZoneKey<'_> {
        if format == PinBlockFormat::Iso4 { ZoneKey::Aes(&self.1) } else { ZoneKey::Tdes(&self.0) }
    }
}

proptest! {
    #[test]
    fn a_block_gives_its_pin_back_and_a_reference_is_its_own(
        pan in digits(14..=19),
        pin in digits(4..=12),
        tdes in any::<[u8; 24]>(),
        aes in any::<[u8; 32]>(),
        key in any::<[u8; 16]>(),
        index in 0u8..=9,
    ) {
        let (pan, clear, keys) = (pan_of(&pan), pin_of(&pin), Keys::new(&tdes, &aes));
        let key = DesPair::new(&key).expect("a key");
        let rules = Ibm3624::default();
        let value = generate_pvv(&key, index, &clear, &pan).expect("a value");
        let offset = generate_offset(&key, &rules, &clear, &pan).expect("an offset");
        for format in ONLINE {
            let fill = Fill::by_chance(format).expect("a random generator");
            let block = keys.of(format).write(format, &clear, &pan, &fill).expect("made");
            let read = keys.of(format).read(format, &block, &pan).expect("read");
            prop_assert_eq!(verify_pvv(&key, (index, &value), &read, &pan), Ok(()));
            let own = &offset[..pin.len()];
            prop_assert_eq!(verify_offset(&key, &rules, own, &read, &pan), Ok(()));
            // Another length of the offset is another PIN.
            for other in 4..=12 {
                let same = verify_offset(&key, &rules, &padded(&offset, other), &read, &pan);
                prop_assert_eq!(same.is_ok(), other == pin.len());
            }
            prop_assert!(is(&read.into_pin().expect("a good block"), &pin));
        }
        let field = encode(PinBlockFormat::Iso2, &clear, &pan, &Fill::of(""));
        let read = decode(PinBlockFormat::Iso2, &field, &pan).into_pin().expect("a good block");
        prop_assert!(is(&read, &pin));
    }

    /// Whatever the bytes are, they are judged; and what is a good block is one that is made of its
    /// PIN, so that a decoder takes nothing which no encoder makes.
    #[test]
    fn any_bytes_are_judged_and_only_what_could_be_made_is_good(
        field in any::<[u8; 8]>(),
        control in prop::sample::select(vec![0u8, 1, 2, 3, 4]),
        length in 0u8..16,
        pan in digits(12..=19),
    ) {
        // Half of the field's first byte decides much: it is often a likely one.
        let mut likely = field;
        likely[0] = control << 4 | length;
        let pan = pan_of(&pan);
        let both = PinBlockFormat::ALL.into_iter().flat_map(|f| [(f, field), (f, likely)]);
        for (format, field) in both {
            let Ok(pin) = decode(format, &field, &pan).into_pin() else { continue };
            let fill = fill_of(format, &field, &pan, pin.length());
            prop_assert_eq!(*encode(format, &pin, &pan, &fill), field, "format {}", format);
        }
    }

    #[test]
    fn any_encrypted_bytes_are_judged(
        bytes in prop::collection::vec(any::<u8>(), 16),
        tdes in any::<[u8; 24]>(),
        aes in any::<[u8; 32]>(),
        pan in digits(12..=19),
    ) {
        let (pan, keys) = (pan_of(&pan), Keys::new(&tdes, &aes));
        for format in PinBlockFormat::ALL {
            for length in [8, 16] {
                let block = EncryptedPinBlock::new(&bytes[..length]).expect("a block");
                for key in [ZoneKey::Tdes(&keys.0), ZoneKey::Aes(&keys.1)] {
                    let read = key.read(format, &block, &pan).and_then(super::ReadPin::into_pin);
                    let fits = matches!(key, ZoneKey::Aes(_)) == (format == PinBlockFormat::Iso4)
                        && length == format.bytes()
                        && format != PinBlockFormat::Iso2;
                    let judged = matches!(read, Ok(_) | Err(SecurityError::Incorrect));
                    prop_assert_eq!(judged, fits, "format {} of {} bytes", format, length);
                }
            }
        }
    }

    /// With another card number a block of format 4 is noise, and is taken about as often as chance
    /// has it: never, in any number of cases that a test can try.
    #[test]
    fn another_card_number_does_not_open_a_block_of_format_4(
        pan in digits(16),
        pin in digits(4..=12),
        aes in any::<[u8; 32]>(),
        (place, digit) in (0usize..16, 1u8..=9),
    ) {
        let key = Aes::new(&aes).expect("a key");
        let other = changed(&pan, place, digit);
        let format = PinBlockFormat::Iso4;
        let fill = Fill::by_chance(format).expect("a random generator");
        let key = ZoneKey::Aes(&key);
        let block = key.write(format, &pin_of(&pin), &pan_of(&pan), &fill).expect("made");
        let read = key.read(format, &block, &pan_of(&other)).expect("judged");
        prop_assert!(read.into_pin().is_err());
    }

    /// In formats 0 and 3 the number lies over the PIN: one that differs behind the PIN's digits is
    /// noticed always in format 0; where it lies over digits of the PIN the PIN is another one.
    #[test]
    fn another_card_number_never_gives_the_same_pin_in_formats_0_and_3(
        pan in digits(16),
        pin in digits(4..=12),
        (place, digit) in (3usize..15, 1u8..=9),
    ) {
        let other = changed(&pan, place, digit);
        for format in [PinBlockFormat::Iso0, PinBlockFormat::Iso3] {
            let fill = Fill::by_chance(format).expect("a random generator");
            let field = encode(format, &pin_of(&pin), &pan_of(&pan), &fill);
            let read = decode(format, &field, &pan_of(&other)).into_pin();
            // Digit 3 of the number lies over digit 2 of the PIN, both from 0.
            let over_pin = place - 1 < pin.len();
            match read {
                Ok(read) if over_pin => prop_assert!(!is(&read, &pin)),
                Ok(read) => {
                    prop_assert!(format == PinBlockFormat::Iso3 && is(&read, &pin));
                }
                Err(error) => prop_assert_eq!(error, SecurityError::Incorrect),
            }
        }
    }
}

fn padded(offset: &[u8; 12], length: usize) -> Vec<u8> {
    offset[..length].iter().map(|byte| (*byte).max(b'0')).collect()
}

fn changed(digits: &[u8], place: usize, by: u8) -> Vec<u8> {
    let mut changed = digits.to_vec();
    changed[place] = b'0' + (changed[place] - b'0' + by) % 10;
    changed
}

/// What chance put into a field that was read.
fn fill_of(format: PinBlockFormat, field: &[u8; 8], pan: &Pan, length: u8) -> Fill {
    let bound = [PinBlockFormat::Iso0, PinBlockFormat::Iso3].contains(&format);
    let digits: String = (0..8)
        .map(|at| if bound && at > 1 { field[at] ^ pan_byte(pan, at) } else { field[at] })
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Fill::of(&digits[2 + usize::from(length)..])
}

/// The bytes of the card number that formats 0 and 3 lay over a field, by their definition.
fn pan_byte(pan: &Pan, at: usize) -> u8 {
    let digits = pan.digits_for_security();
    let before_check = &digits[..digits.len() - 1];
    let padded = [&[b'0'; 12][..], before_check].concat();
    let twelve = &padded[padded.len() - 12..];
    let pair = &twelve[2 * (at - 2)..][..2];
    (pair[0] - b'0') << 4 | (pair[1] - b'0')
}

/// PCI PIN 3-3 for online PINs: rows from, columns to, formats 0 to 4.
const ALLOWED: [[bool; 5]; 5] = [
    [true, false, false, true, true],
    [true, false, false, true, true],
    [false, false, false, false, false],
    [true, false, false, true, true],
    [true, false, false, true, true],
];

#[test]
fn the_table_of_translations_is_that_of_pci_pin() {
    for (from, row) in PinBlockFormat::ALL.into_iter().zip(ALLOWED) {
        for (to, allowed) in PinBlockFormat::ALL.into_iter().zip(row) {
            assert_eq!(is_allowed(from, to), allowed, "from {from} to {to}");
        }
    }
}

/// Of many strange fields about as many are taken as the rules leave: a decoder that forgot
/// one of them would take many times more.
#[test]
fn chance_is_taken_for_a_block_as_often_as_the_rules_leave() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let pan = pan_of(b"9999991200000018");
    let mut good = [0u32; 5];
    let tries = 1 << 14;
    let mut seed = any::<u64>().new_tree(&mut runner).expect("a number").current() | 1;
    for _ in 0..tries {
        // A generator of SplitMix64: fast, and even enough for a count.
        seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let field = (mixed ^ (mixed >> 31)).to_be_bytes();
        for format in PinBlockFormat::ALL {
            let taken = decode(format, &field, &pan).is_good();
            good[usize::from(format.number())] += u32::from(taken);
        }
    }
    // Of these tries format 1 takes 26, by control (1 in 16), length (1 in 16 each) and digits (10
    // in 16, to the power of 4 to 12); format 3 one in thirteen times, with a letter in each other
    // place (6 in 16); the others with one filler none.
    assert!((5..60).contains(&good[1]), "{good:?}");
    assert!(good[3] <= 2 && good[0] + good[2] + good[4] == 0, "{good:?}");
}

#[test]
fn a_pin_has_four_to_twelve_digits() {
    for length in 0..20 {
        let made = ClearPin::from_ascii(&vec![b'7'; length]);
        assert_eq!(made.is_some(), (4..=12).contains(&length), "{length}");
    }
}

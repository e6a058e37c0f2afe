//! The chip's data (field 55, BER-TLV): what the cryptogram was made of, and what terminal and card
//! say of the transaction. It owns which objects there must be and how long each is; it verifies
//! nothing, and what it holds is wiped when dropped.

use codecs::emv::TlvList;
use switch_domain::{ChipFact, ChipFacts, CryptogramType};
use switch_security::{ChipData, DataElement};
use zeroize::Zeroizing;

/// Bytes of a field 55 at most (E-05).
const MOST_BYTES: usize = 255;
/// Objects of one at most: each has three bytes at least.
const MOST_OBJECTS: usize = 48;
/// Bytes of a tag at most.
const LONGEST_TAG: usize = 3;

const CRYPTOGRAM: u32 = 0x9F26;
const CRYPTOGRAM_INFORMATION: u32 = 0x9F27;
const ISSUER_DATA: u32 = 0x9F10;
const UNPREDICTABLE_NUMBER: u32 = 0x9F37;
const COUNTER: u32 = 0x9F36;
const VERIFICATION_RESULTS: u32 = 0x95;
const DATE: u32 = 0x9A;
const AMOUNT: u32 = 0x9F02;
const CURRENCY: u32 = 0x5F2A;
const COUNTRY: u32 = 0x9F1A;
const SEQUENCE: u32 = 0x5F34;
const TRACK2: u32 = 0x57;
const SCRIPT_RESULTS: u32 = 0x9F5B;
/// Bytes of the results of one script.
const SCRIPT_RESULT: usize = 5;
/// The first half of a result whose commands were all performed.
const PERFORMED: u8 = 2;

/// What must be there in an online transaction, and in how many bytes.
const NEEDED: [(u32, std::ops::RangeInclusive<usize>); 12] = [
    (CRYPTOGRAM, 8..=8),
    (CRYPTOGRAM_INFORMATION, 1..=1),
    (ISSUER_DATA, 1..=32),
    (UNPREDICTABLE_NUMBER, 4..=4),
    (COUNTER, 2..=2),
    (VERIFICATION_RESULTS, 5..=5),
    (DATE, 3..=3),
    (0x9C, 1..=1), // the transaction type
    (AMOUNT, 6..=6),
    (CURRENCY, 2..=2),
    (0x82, 2..=2), // the application interchange profile
    (COUNTRY, 2..=2),
];

/// Why chip data cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChipFault {
    /// It is no list of objects, is too long, or has an object twice.
    Unreadable,
    /// An object that must be there is not, or has another length.
    Incomplete,
}

/// Where an object is.
#[derive(Clone, Copy, Default)]
struct Object {
    tag: u32,
    from: usize,
    to: usize,
}

/// The data of a chip that are complete.
pub(crate) struct PresentedChip {
    bytes: Zeroizing<[u8; MOST_BYTES]>,
    objects: [Object; MOST_OBJECTS],
    count: usize,
    /// The card's counter (9F36).
    pub(crate) counter: u16,
    /// What kind of cryptogram the card gave.
    pub(crate) kind: CryptogramType,
    /// The cryptogram (9F26).
    pub(crate) cryptogram: [u8; 8],
    unpredictable_number: u32,
}

impl PresentedChip {
    /// Reads field 55.
    ///
    /// # Errors
    /// It cannot be read, or something is not there.
    pub(crate) fn read(field: &[u8]) -> Result<Self, ChipFault> {
        let mut bytes = Zeroizing::new([0; MOST_BYTES]);
        bytes.get_mut(..field.len()).ok_or(ChipFault::Unreadable)?.copy_from_slice(field);
        let list = TlvList::parse(field).map_err(|_| ChipFault::Unreadable)?;
        let mut objects = [Object::default(); MOST_OBJECTS];
        let mut count = 0_usize;
        for tlv in list.iter() {
            let (known, rest) = objects.split_at_mut_checked(count).ok_or(ChipFault::Unreadable)?;
            let slot = rest.first_mut().ok_or(ChipFault::Unreadable)?;
            let tag = tlv.tag.number();
            if tlv.tag.byte_len() > LONGEST_TAG || known.iter().any(|one| one.tag == tag) {
                return Err(ChipFault::Unreadable);
            }
            let to = tlv.offset.saturating_add(tlv.raw.len());
            *slot = Object { tag, from: to.saturating_sub(tlv.value.len()), to };
            count = count.saturating_add(1);
        }
        let (counter, kind) = (0, CryptogramType::Request);
        let (cryptogram, unpredictable_number) = ([0; 8], 0);
        let read = Self { bytes, objects, count, counter, kind, cryptogram, unpredictable_number };
        read.completed().ok_or(ChipFault::Incomplete)
    }

    /// With what is looked at more than once; `None` where something is not there.
    fn completed(mut self) -> Option<Self> {
        for (tag, length) in NEEDED {
            self.value(tag).filter(|value| length.contains(&value.len()))?;
        }
        self.cryptogram = self.fixed(CRYPTOGRAM)?;
        self.counter = u16::from_be_bytes(self.fixed(COUNTER)?);
        self.unpredictable_number = u32::from_be_bytes(self.fixed(UNPREDICTABLE_NUMBER)?);
        let [information] = self.fixed(CRYPTOGRAM_INFORMATION)?;
        self.kind = match information >> 6 {
            0 => CryptogramType::Refusal,
            1 => CryptogramType::Certificate,
            2 => CryptogramType::Request,
            _ => return None,
        };
        Some(self)
    }

    fn objects(&self) -> &[Object] {
        self.objects.get(..self.count).unwrap_or_default()
    }

    fn value(&self, tag: u32) -> Option<&[u8]> {
        let object = self.objects().iter().find(|object| object.tag == tag)?;
        self.bytes.get(object.from..object.to)
    }

    fn fixed<const N: usize>(&self, tag: u32) -> Option<[u8; N]> {
        self.value(tag)?.try_into().ok()
    }

    /// What the issuer's application says (9F10).
    pub(crate) fn issuer_data(&self) -> &[u8] {
        self.value(ISSUER_DATA).unwrap_or_default()
    }

    /// 9F02, in minor units.
    pub(crate) fn amount(&self) -> Option<u64> {
        self.number(AMOUNT)
    }

    /// 5F2A.
    pub(crate) fn currency(&self) -> Option<u64> {
        self.number(CURRENCY)
    }

    /// 9F1A.
    pub(crate) fn country(&self) -> Option<u64> {
        self.number(COUNTRY)
    }

    /// 9A, as YYMMDD.
    pub(crate) fn day(&self) -> Option<u64> {
        self.number(DATE)
    }

    /// The card's sequence number (5F34).
    pub(crate) fn sequence(&self) -> Option<u8> {
        u8::try_from(self.number(SEQUENCE)?).ok().filter(|number| *number <= 99)
    }

    /// Track 2 as the chip has it (57).
    pub(crate) fn track2(&self) -> Option<&[u8]> {
        self.value(TRACK2)
    }

    /// Packed digits.
    fn number(&self, tag: u32) -> Option<u64> {
        let nibbles = self.value(tag)?.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]);
        nibbles.into_iter().try_fold(0_u64, |sum, nibble| {
            let digit = Some(nibble).filter(|nibble| *nibble <= 9)?;
            sum.checked_mul(10)?.checked_add(digit.into())
        })
    }

    /// Gives what the cryptogram is made over to whoever computes it.
    pub(crate) fn with_data<T>(&self, compute: impl FnOnce(ChipData<'_>) -> T) -> T {
        let mut elements = [DataElement { tag: 0, value: &[] }; MOST_OBJECTS];
        for (element, object) in elements.iter_mut().zip(self.objects()) {
            let value = self.bytes.get(object.from..object.to).unwrap_or_default();
            *element = DataElement { tag: object.tag, value };
        }
        compute(ChipData {
            atc: self.counter,
            unpredictable_number: self.unpredictable_number,
            issuer_application_data: self.issuer_data(),
            elements: elements.get(..self.count).unwrap_or_default(),
        })
    }

    /// What the terminal says of the transaction and the one before (95, EMV Book 3 annex C5).
    pub(crate) fn terminal_facts(&self) -> ChipFacts {
        let results: [u8; 5] = self.fixed(VERIFICATION_RESULTS).unwrap_or_default();
        let said = |byte: usize, bits: u8| results.get(byte).is_some_and(|b| b & bits != 0);
        let facts = TERMINAL_FACTS.iter().filter(|(byte, bits, _)| said(*byte, *bits));
        facts.map(|row| row.2).chain(self.script_fact()).collect()
    }

    /// What became of the commands of the answer before (9F5B): performed where all of them were.
    fn script_fact(&self) -> Option<ChipFact> {
        let results = self.value(SCRIPT_RESULTS).filter(|results| !results.is_empty())?;
        let performed = results
            .chunks(SCRIPT_RESULT)
            .all(|one| one.first().is_some_and(|first| first >> 4 == PERFORMED));
        Some(if performed { ChipFact::ScriptPerformed } else { ChipFact::ScriptFailed })
    }
}

/// Byte and bits of the terminal verification results, and what they mean.
const TERMINAL_FACTS: [(usize, u8, ChipFact); 12] = [
    (0, 0x80, ChipFact::OfflineAuthenticationNotDone),
    (0, 0x40, ChipFact::StaticAuthenticationFailed),
    (0, 0x10, ChipFact::OnExceptionFile),
    (0, 0x08, ChipFact::DynamicAuthenticationFailed),
    (0, 0x04, ChipFact::CombinedAuthenticationFailed),
    (1, 0x80, ChipFact::ApplicationVersionsDiffer),
    (2, 0x80, ChipFact::CardholderVerificationFailed),
    (2, 0x20, ChipFact::OfflinePinTriesExceeded),
    (2, 0x18, ChipFact::PinNotEntered),
    (3, 0x60, ChipFact::OfflineLimitPassed),
    (4, 0x40, ChipFact::IssuerAuthenticationFailed),
    (4, 0x30, ChipFact::ScriptFailed),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Complete data, object by object.
    const OBJECTS: [&str; 16] = [
        "9f26 08 0102030405060708",
        "9f27 01 80",
        "9f10 07 06010a03a00000",
        "9f37 04 deadbeef",
        "9f36 02 0102",
        "95 05 0000048000",
        "9a 03 261127",
        "9c 01 00",
        "9f02 06 000000001250",
        "5f2a 02 0978",
        "82 02 3800",
        "9f1a 02 0724",
        "9f03 06 000000000000",
        "5f34 01 07",
        "57 13 9999991200000018d29122010000073700000f",
        "9f33 03 e0f8c8",
    ];

    fn bytes(objects: &[&str]) -> Vec<u8> {
        hex::decode(objects.concat().replace(' ', "")).expect("digits")
    }

    #[test]
    fn what_a_chip_says_is_read() {
        let chip =
            PresentedChip::read(&bytes(&OBJECTS)).unwrap_or_else(|fault| panic!("{fault:?}"));
        assert_eq!((chip.counter, chip.kind), (0x0102, CryptogramType::Request));
        assert_eq!(chip.cryptogram, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!((chip.amount(), chip.currency()), (Some(1250), Some(978)));
        assert_eq!((chip.country(), chip.day()), (Some(724), Some(261_127)));
        assert_eq!(chip.sequence(), Some(7));
        assert_eq!(chip.track2().map(<[u8]>::len), Some(19));
        assert_eq!(chip.issuer_data(), [0x06, 0x01, 0x0A, 0x03, 0xA0, 0, 0]);
        chip.with_data(|data| {
            assert_eq!((data.atc, data.unpredictable_number), (0x0102, 0xDEAD_BEEF));
            assert_eq!(data.elements.len(), OBJECTS.len());
            assert_eq!(data.element(0x9F02), Some(&[0, 0, 0, 0, 0x12, 0x50][..]));
            assert_eq!(data.element(0x9F6E), None);
        });
    }

    #[test]
    fn without_one_that_is_needed_or_with_another_length_it_is_incomplete() {
        for (index, object) in OBJECTS.iter().enumerate() {
            let mut objects = OBJECTS.to_vec();
            objects.remove(index);
            let fault = PresentedChip::read(&bytes(&objects)).err();
            let needed = index < NEEDED.len();
            assert_eq!(fault, needed.then_some(ChipFault::Incomplete), "{object}");
        }
        let mut objects = OBJECTS;
        objects[4] = "9f36 01 02";
        assert_eq!(PresentedChip::read(&bytes(&objects)).err(), Some(ChipFault::Incomplete));
        objects = OBJECTS;
        objects[1] = "9f27 01 c0";
        assert_eq!(PresentedChip::read(&bytes(&objects)).err(), Some(ChipFault::Incomplete));
        for (information, kind) in
            [("9f27 01 00", CryptogramType::Refusal), ("9f27 01 40", CryptogramType::Certificate)]
        {
            objects[1] = information;
            assert_eq!(
                PresentedChip::read(&bytes(&objects)).ok().map(|chip| chip.kind),
                Some(kind)
            );
        }
    }

    #[test]
    fn what_is_no_list_of_objects_is_unreadable() {
        let (whole, needed) = (bytes(&OBJECTS), bytes(&OBJECTS[..NEEDED.len()]).len());
        for length in 1..whole.len() {
            // Cut anywhere: never read past the end, and never taken for whole.
            let cut = PresentedChip::read(&whole[..length]);
            assert!(cut.is_err() || length >= needed, "{length}");
        }
        let twice = [&OBJECTS[..], &["9f36 02 0103"]].concat();
        assert_eq!(PresentedChip::read(&bytes(&twice)).err(), Some(ChipFault::Unreadable));
        let long_tag = [&OBJECTS[..], &["df818101 01 00"]].concat();
        assert_eq!(PresentedChip::read(&bytes(&long_tag)).err(), Some(ChipFault::Unreadable));
        let filled = format!("df01 81a0 {}", "00".repeat(0xA0));
        let too_long = [&OBJECTS[..], &[filled.as_str()]].concat();
        assert_eq!(PresentedChip::read(&bytes(&too_long)).err(), Some(ChipFault::Unreadable));
        let many: Vec<String> = (1..=60).map(|n| format!("df{n:02x}00")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(PresentedChip::read(&bytes(&many)).err(), Some(ChipFault::Unreadable));
    }

    #[test]
    fn what_became_of_commands_is_told() {
        let results = |digits: &str| {
            let object = format!("9f5b {:02x} {digits}", digits.len() / 2);
            let objects = [&OBJECTS[..], &[object.as_str()]].concat();
            let chip = PresentedChip::read(&bytes(&objects));
            let facts = chip.unwrap_or_else(|fault| panic!("{fault:?}")).terminal_facts();
            facts.iter().collect::<Vec<_>>()
        };
        assert_eq!(results("2000000000"), [ChipFact::ScriptPerformed]);
        for failed in ["1100000000", "0000000000", "20000000001200000000", "ff"] {
            assert_eq!(results(failed), [ChipFact::ScriptFailed], "{failed}");
        }
        assert_eq!(results(""), []);
    }

    #[test]
    fn what_the_terminal_reports_has_names() {
        let mut objects = OBJECTS;
        for (results, expected) in [
            ("95 05 0000000000", vec![]),
            ("95 05 8000000000", vec![ChipFact::OfflineAuthenticationNotDone]),
            (
                "95 05 0400a00000",
                vec![
                    ChipFact::CombinedAuthenticationFailed,
                    ChipFact::CardholderVerificationFailed,
                    ChipFact::OfflinePinTriesExceeded,
                ],
            ),
            (
                "95 05 0000000050",
                vec![ChipFact::IssuerAuthenticationFailed, ChipFact::ScriptFailed],
            ),
        ] {
            objects[5] = results;
            let chip =
                PresentedChip::read(&bytes(&objects)).unwrap_or_else(|fault| panic!("{fault:?}"));
            assert_eq!(chip.terminal_facts().iter().collect::<Vec<_>>(), expected, "{results}");
        }
    }
}

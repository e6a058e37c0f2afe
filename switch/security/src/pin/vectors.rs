//! What other implementations make of the same PINs.

use switch_domain::Pan;

use super::block::{decode, encode, pan_field_4};
use super::ibm3624::natural_pin;
use super::zone_key::pin_field_4;
use super::{
    ClearPin, Fill, ReadPin, ZoneKey, generate_offset, generate_pvv, is_allowed, verify_offset,
    verify_pvv,
};
use crate::block_cipher::{Aes, TripleDes};
use crate::des_pair::DesPair;
use crate::vectors::{PINS, Vector, check_groups, check_published};
use crate::{
    DecimalisationTable, EncryptedPinBlock, Ibm3624, PanPart, PinBlockFormat, SecurityError,
};

/// A key as its format takes it.
enum Owned {
    Tdes(TripleDes),
    Aes(Aes),
}

impl Owned {
    fn new(format: PinBlockFormat, key: &[u8]) -> Self {
        match format {
            PinBlockFormat::Iso4 => Self::Aes(Aes::new(key).expect("a key of AES")),
            _ => Self::Tdes(TripleDes::new(key).expect("a key of triple DES")),
        }
    }

    fn key(&self) -> ZoneKey<'_> {
        match self {
            Self::Tdes(key) => ZoneKey::Tdes(key),
            Self::Aes(key) => ZoneKey::Aes(key),
        }
    }
}

fn format(number: u8) -> PinBlockFormat {
    PinBlockFormat::from_number(number).expect("a format")
}

fn pan_of(vector: &Vector<'_>) -> Pan {
    // Where a format takes none, any will do.
    let digits = vector.optional("pan").unwrap_or("9999991200000018");
    Pan::from_digits(digits.as_bytes()).expect("a card number")
}

fn pin_of(digits: &str) -> ClearPin {
    ClearPin::from_ascii(digits.as_bytes()).expect("a PIN")
}

fn digits_of(pin: &ClearPin) -> String {
    String::from_utf8(pin.ascii().as_slice().to_vec()).expect("digits")
}

fn block_of(bytes: &[u8]) -> EncryptedPinBlock {
    EncryptedPinBlock::new(bytes).expect("a block")
}

fn pair_of(vector: &Vector<'_>, name: &str) -> DesPair {
    DesPair::new(&vector.bytes(name)).expect("two DES keys")
}

fn clear_block(number: u8, vector: &Vector<'_>) {
    let (pin, pan) = (pin_of(vector.text("pin")), pan_of(vector));
    let fill = Fill::of(vector.optional("fill").unwrap_or_default());
    let made = encode(format(number), &pin, &pan, &fill);
    assert_eq!(hex::encode_upper(*made), vector.expected("block"), "{}", vector.id());
    let read = decode(format(number), &made, &pan).into_pin().expect("a good block");
    assert_eq!(digits_of(&read), vector.text("pin"), "{}", vector.id());
}

fn aes_block(vector: &Vector<'_>) {
    let (pin, pan) = (pin_of(vector.text("pin")), pan_of(vector));
    let fill = Fill::of(vector.text("random"));
    let owned = Owned::new(PinBlockFormat::Iso4, &vector.bytes("key"));
    let field = pin_field_4(&pin, &pan, &fill);
    assert_eq!(hex::encode_upper(*field), vector.expected("pin_field"), "{}", vector.id());
    let field = pan_field_4(&pan);
    assert_eq!(hex::encode_upper(*field), vector.expected("pan_field"), "{}", vector.id());
    let made = owned.key().write(PinBlockFormat::Iso4, &pin, &pan, &fill).expect("made");
    assert_eq!(hex::encode_upper(made.bytes()), vector.expected("block"), "{}", vector.id());
    let read = owned.key().read(PinBlockFormat::Iso4, &made, &pan).expect("read");
    assert_eq!(digits_of(&read.into_pin().expect("good")), vector.text("pin"));
}

fn tdes_block(vector: &Vector<'_>) {
    let (pin, pan) = (pin_of(vector.text("pin")), pan_of(vector));
    let format = format(vector.number("format"));
    let fill = Fill::of(vector.optional("fill").unwrap_or_default());
    let owned = Owned::new(format, &vector.bytes("zpk"));
    let clear = encode(format, &pin, &pan, &fill);
    assert_eq!(hex::encode_upper(*clear), vector.expected("clear"), "{}", vector.id());
    let made = owned.key().write(format, &pin, &pan, &fill).expect("made");
    assert_eq!(hex::encode_upper(made.bytes()), vector.expected("block"), "{}", vector.id());
    let read = owned.key().read(format, &made, &pan).expect("read");
    assert_eq!(digits_of(&read.into_pin().expect("good")), vector.text("pin"));
}

fn refused_block(vector: &Vector<'_>) {
    let field = vector.bytes("block").try_into().expect("eight bytes");
    let read = decode(format(vector.number("format")), &field, &pan_of(vector));
    assert_eq!(read.into_pin().err(), Some(SecurityError::Incorrect), "{}", vector.id());
    assert_eq!(*vector.output("accept"), false);
}

fn pvv(vector: &Vector<'_>) {
    let index: u8 = vector.text("pvki").parse().expect("an index");
    let (pin, pan) = (pin_of(vector.text("pin")), pan_of(vector));
    let made = generate_pvv(&pair_of(vector, "pvk"), index, &pin, &pan).expect("made");
    assert_eq!(made, vector.expected("pvv").as_bytes(), "{}", vector.id());
}

fn table_of(digits: &str) -> DecimalisationTable {
    DecimalisationTable::from_digits(digits.as_bytes()).expect("a table")
}

fn ibm3624(vector: &Vector<'_>) {
    let pad = vector.text("pad_char").chars().next().and_then(|digit| digit.to_digit(16));
    let rules = Ibm3624 {
        validation: PanPart::FromLeft {
            skip: vector.number("verify_offset"),
            take: vector.number("verify_length"),
        },
        pad: pad.expect("hexadecimal") as u8,
        table: table_of(vector.text("decimalisation_table")),
    };
    let (key, pan) = (pair_of(vector, "pvk"), pan_of(vector));
    let pin = pin_of(vector.text("pin"));
    let natural = natural_pin(&key, &rules, &pan).expect("a natural PIN");
    let natural: String = natural.iter().map(|digit| char::from(b'0' | digit)).collect();
    let expected = vector.expected("natural_pin");
    assert_eq!(natural[..expected.len()], *expected, "{}", vector.id());
    let offset = generate_offset(&key, &rules, &pin, &pan).expect("an offset");
    let length = usize::from(pin.length());
    assert_eq!(&offset[..length], vector.expected("offset").as_bytes(), "{}", vector.id());
    assert!(offset[length..].iter().all(|byte| *byte == 0));
}

fn translated(vector: &Vector<'_>) {
    let (from, to) = (format(vector.number("from_format")), format(vector.number("to_format")));
    assert!(is_allowed(from, to), "{}", vector.id());
    let pan = pan_of(vector);
    let (in_key, out_key) = (vector.bytes("key_in"), vector.bytes("key_out"));
    let (in_key, out_key) = (Owned::new(from, &in_key), Owned::new(to, &out_key));
    let block = block_of(&vector.bytes("block_in"));
    let pin = in_key.key().read(from, &block, &pan).and_then(ReadPin::into_pin).expect("good");
    assert_eq!(digits_of(&pin), vector.expected("pin"), "{}", vector.id());
    let fill = Fill::of(vector.optional("fill_out").unwrap_or_default());
    let made = out_key.key().write(to, &pin, &pan, &fill).expect("made");
    assert_eq!(hex::encode_upper(made.bytes()), vector.expected("block_out"), "{}", vector.id());
}

fn verified(vector: &Vector<'_>) {
    let (format, pan) = (format(vector.number("format")), pan_of(vector));
    let owned = Owned::new(format, &vector.bytes("zpk"));
    let block = block_of(&vector.bytes("block"));
    let read = owned.key().read(format, &block, &pan).expect("read");
    let good = read.is_good();
    let key = pair_of(vector, "pvk");
    let answer = match vector.text("method") {
        "pvv" => {
            let index: u8 = vector.text("pvki").parse().expect("an index");
            let value = vector.text("pvv").as_bytes().try_into().expect("four digits");
            verify_pvv(&key, (index, &value), &read, &pan)
        }
        "ibm3624" => {
            let table = table_of(vector.text("decimalisation_table"));
            let rules = Ibm3624 { table, ..Ibm3624::default() };
            verify_offset(&key, &rules, vector.text("offset").as_bytes(), &read, &pan)
        }
        other => panic!("{}: method {other}", vector.id()),
    };
    let expected = match vector.expected("expect") {
        "ok" => (true, Ok(())),
        "wrong_pin" => (true, Err(SecurityError::Incorrect)),
        "bad_block" => (false, Err(SecurityError::Incorrect)),
        other => panic!("{}: {other} is expected", vector.id()),
    };
    assert_eq!((good, answer), expected, "{}", vector.id());
}

#[test]
fn every_vector_of_pins_is_met() {
    check_groups(&PINS, |group, vector| match group {
        "pinblock_iso0" => clear_block(0, vector),
        "pinblock_iso1" => clear_block(1, vector),
        "pinblock_iso2" => clear_block(2, vector),
        "pinblock_iso3" => clear_block(3, vector),
        "pinblock_iso4" => aes_block(vector),
        "pinblock_tdes" => tdes_block(vector),
        "pinblock_reject" => refused_block(vector),
        "pvv" => pvv(vector),
        "ibm3624" => ibm3624(vector),
        "pin_translate" => translated(vector),
        "pin_verify" => verified(vector),
        other => panic!("nobody checks {other}"),
    });
}

#[test]
fn published_values_join_the_vectors_of_pins() {
    check_published(&PINS, |name, vector| match name {
        "PIN block format 0" => clear_block(0, vector),
        "format 4 PAN field" => {
            let field = pan_field_4(&pan_of(vector));
            assert_eq!(hex::encode_upper(*field), vector.expected("pan_field"));
        }
        "PVV" => {
            // The last digit is the check digit, which has no part in the value.
            let pan = format!("{}0", vector.text("pan_12_rightmost_without_check"));
            let pan = Pan::from_digits(pan.as_bytes()).expect("a card number");
            let (key, pin) = (pair_of(vector, "pvk"), pin_of(vector.text("pin")));
            let index = vector.text("pvki").parse().expect("an index");
            let made = generate_pvv(&key, index, &pin, &pan).expect("made");
            assert_eq!(made, vector.expected("pvv").as_bytes());
        }
        "PVV / IBM natural PIN" => {
            pvv(vector);
            let table = table_of(vector.text("table"));
            let validation = PanPart::FromLeft { skip: 0, take: 16 };
            let rules = Ibm3624 { table, validation, pad: 0x0F };
            let key = pair_of(vector, "pvk");
            let natural = natural_pin(&key, &rules, &pan_of(vector)).expect("a natural PIN");
            let natural: String = natural.iter().map(|digit| char::from(b'0' | digit)).collect();
            let expected = vector.expected("natural");
            assert_eq!(natural[..expected.len()], *expected);
        }
        other => panic!("nobody checks {other}"),
    });
}

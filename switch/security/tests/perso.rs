//! The file for the personalisation bureau: what is written comes out again under the right key,
//! and no byte of it can be changed, moved, left out or added.

use proptest::prelude::{any, prop_assert, proptest};
use switch_domain::{Expiry, Pan, ServiceCode, Timestamp};
use switch_security::{
    BureauExchange, CardValue, Delivery, DeliveryWay, EncryptedPinBlock, Key, KeyCipher, KeyMode,
    KeyName, KeyRing, KeyUsage, MOST_PERSO_RECORDS, NamedKey, PanKeys, PersoError, PersoFault,
    PersoFile, PersoPin, PersoRecord, PersoRun, PersoText, PinBlockFormat, SoftwareModule,
    reveal_test_pan,
};

const EXCHANGE: [u8; 32] = *b"an exchange key of thirty-two..!";
const PAN: &[u8] = b"9999991200000010";

fn name(text: &str) -> KeyName {
    KeyName::new(text).expect("a name")
}

fn exchange() -> Key {
    Key::new(KeyUsage::D0, KeyCipher::Aes, &EXCHANGE).expect("a key")
}

/// A module with a key of this usage, cipher and length as `bureau`.
fn module_with(usage: KeyUsage, cipher: KeyCipher, key: &[u8]) -> SoftwareModule {
    let key = Key::new(usage, cipher, key).expect("a key");
    let mut ring = KeyRing::default();
    let number = ring.add(NamedKey { name: name("bureau"), key }, Timestamp(1)).expect("room");
    ring.activate(&name("bureau"), number, Timestamp(1)).expect("pending");
    SoftwareModule::new(&PanKeys::generate().expect("keys")).expect("a module").with_keys(ring)
}

fn module() -> SoftwareModule {
    module_with(KeyUsage::D0, KeyCipher::Aes, &EXCHANGE)
}

fn run() -> PersoRun {
    PersoRun { id: [9; 16], made: Timestamp(77), pin_key: Some(name("bureau-pins")) }
}

fn text(text: &str) -> PersoText {
    PersoText::new(text.to_owned())
}

/// With all that a record can have, or with as little as it must.
fn record(reference: u8, whole: bool) -> PersoRecord {
    let value = |digits: &[u8]| CardValue::from_digits(digits).filter(|_| whole);
    let block = EncryptedPinBlock::new(&[0x5A; 16]).filter(|_| whole);
    PersoRecord {
        reference: [reference; 16],
        pan: Pan::from_digits(PAN).expect("a number"),
        expiry: Expiry::from_yymm(3104).expect("a month"),
        service_code: ServiceCode::new(201).expect("three digits"),
        sequence: 7,
        holder: text("ADA O'NEIL-LOVELACE"),
        cvv: value(b"123"),
        icvv: value(b"456"),
        cvv2: value(b"789"),
        pin: block.map(|block| PersoPin { format: PinBlockFormat::Iso4, block }),
        delivery: Delivery {
            way: if whole { DeliveryWay::Courier } else { DeliveryWay::Post },
            addressee: text("Ada O'Neil-Lovelace"),
            street: text("ulica Długa 1"),
            city: text("Łódź"),
            postal_code: text("90-001"),
            country: text("PL"),
            phone: whole.then(|| text("+48123456789")),
        },
    }
}

fn sealed(records: &[PersoRecord]) -> Vec<u8> {
    module().seal_perso_file(&name("bureau"), &run(), records).expect("a file")
}

#[test]
fn sr_165_what_is_written_comes_out_again_and_stands_nowhere_in_clear() {
    let file = sealed(&[record(1, true), record(2, false)]);
    for hidden in [PAN, b"LOVELACE", b"ulica", b"201", &[0x5A; 16]] {
        assert!(!file.windows(hidden.len()).any(|part| part == hidden));
    }
    let opened = PersoFile::open(&file, &exchange()).expect("opens");
    assert_eq!((opened.run, opened.key), (run(), name("bureau")));
    let [whole, least] = &opened.records[..] else { panic!("two records") };
    for (read, number) in [(whole, 1), (least, 2)] {
        assert_eq!(read.reference, [number; 16]);
        assert_eq!(reveal_test_pan(&read.pan).expect("a test number").as_bytes(), PAN);
        assert_eq!((read.expiry.yymm(), read.service_code.number(), read.sequence), (3104, 201, 7));
        assert_eq!(read.holder.expose(), "ADA O'NEIL-LOVELACE");
        assert_eq!(read.delivery.city.expose(), "Łódź");
    }
    let value = |digits: &[u8]| CardValue::from_digits(digits).expect("digits");
    for (read, digits) in [(&whole.cvv, b"123"), (&whole.icvv, b"456"), (&whole.cvv2, b"789")] {
        assert!(read.as_ref().is_some_and(|read| read.matches(&value(digits))));
    }
    let pin = whole.pin.as_ref().expect("a PIN");
    assert_eq!((pin.format, pin.block.bytes()), (PinBlockFormat::Iso4, &[0x5A; 16][..]));
    assert_eq!(whole.delivery.way, DeliveryWay::Courier);
    assert!(least.pin.is_none() && least.cvv.is_none() && least.delivery.phone.is_none());
}

#[test]
fn no_two_files_have_anything_in_common_but_their_head() {
    let records = [record(1, true), record(1, true)];
    let [one, other] = [sealed(&records), sealed(&records)];
    assert_eq!(one.len(), other.len(), "a length tells the number of records alone");
    assert_eq!(one.len(), sealed(&[record(1, false), record(2, false)]).len());
    let same = one.chunks(16).rev().zip(other.chunks(16).rev()).filter(|(a, b)| a == b).count();
    assert!(same <= 6, "{same} blocks");
}

#[test]
fn every_byte_is_authenticated() {
    let file = sealed(&[record(1, true), record(2, false)]);
    let key = exchange();
    for at in 0..file.len() {
        for bit in [0x01, 0x80] {
            let mut changed = file.clone();
            changed[at] ^= bit;
            assert!(PersoFile::open(&changed, &key).is_err(), "byte {at}");
        }
        assert!(PersoFile::open(&file[..at], &key).is_err(), "cut at {at}");
    }
    assert!(PersoFile::open(&[&file[..], &[0]].concat(), &key).is_err());
}

proptest! {
    #[test]
    fn no_change_at_any_place_is_taken(
        at in 0_usize..4096, with in any::<u8>(), length in 0_usize..64,
    ) {
        let file = sealed(&[record(1, true)]);
        let at = at % file.len();
        let mut changed = file.clone();
        let end = (at + length).min(file.len());
        changed.splice(at..end, [with]);
        prop_assert!(changed == file || PersoFile::open(&changed, &exchange()).is_err());
    }

    #[test]
    fn no_bytes_are_a_file_by_chance(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let begun = [&b"CSWPERSO\x01"[..], &bytes].concat();
        prop_assert!(PersoFile::open(&bytes, &exchange()).is_err());
        prop_assert!(PersoFile::open(&begun, &exchange()).is_err());
    }
}

#[test]
fn only_the_exchange_key_opens_it_and_only_for_data() {
    let file = sealed(&[record(1, true)]);
    let other = Key::new(KeyUsage::D0, KeyCipher::Aes, &[8; 32]).expect("a key");
    let found = exchange().check_value();
    let ours = other.check_value();
    let refused = PersoFile::open(&file, &other).err();
    assert_eq!(refused, Some(PersoFault::OtherKey { found, ours }));
    let one_way = exchange().with_other_mode(KeyMode::Encrypt).expect("a mode of D0");
    assert_eq!(PersoFile::open(&file, &one_way).err(), Some(PersoFault::KeyUnfit));
    let for_pins = Key::new(KeyUsage::P0, KeyCipher::Aes, &EXCHANGE).expect("a key");
    assert_eq!(PersoFile::open(&file, &for_pins).err(), Some(PersoFault::KeyUnfit));

    let seal = |module: SoftwareModule, key: &str| {
        module.seal_perso_file(&name(key), &run(), &[record(1, true)]).err()
    };
    assert!(matches!(seal(module(), "another"), Some(PersoError::Key(_))));
    let short = module_with(KeyUsage::D0, KeyCipher::Aes, &[8; 16]);
    assert!(matches!(seal(short, "bureau"), Some(PersoError::KeyUnfit)));
    let pins = module_with(KeyUsage::P0, KeyCipher::Aes, &EXCHANGE);
    assert!(matches!(seal(pins, "bureau"), Some(PersoError::Key(_))));
}

#[test]
fn what_does_not_fit_is_not_written() {
    let write = |records: &[PersoRecord]| {
        module().seal_perso_file(&name("bureau"), &run(), records).map(|_| ())
    };
    assert!(matches!(write(&[]), Err(PersoError::Records(0))));
    let many: Vec<_> = (0..=MOST_PERSO_RECORDS).map(|_| record(1, false)).collect();
    assert!(matches!(write(&many), Err(PersoError::Records(count)) if count == many.len()));
    type Spoil = fn(&mut PersoRecord);
    let rows: [(&str, Spoil); 9] = [
        ("sequence", |it| it.sequence = 100),
        ("holder", |it| it.holder = text("Ada")),
        ("holder", |it| it.holder = text("A")),
        ("holder", |it| it.holder = text(" ADA")),
        ("holder", |it| it.holder = text("ABCDEFGHIJKLMNOPQRSTUVWXYZA")),
        ("street", |it| it.delivery.street = text(&"ż".repeat(101))),
        ("city", |it| it.delivery.city = text("")),
        ("postal code", |it| it.delivery.postal_code = text("1\n2")),
        ("PIN", |it| {
            let block = EncryptedPinBlock::new(&[1; 8]).expect("a block");
            it.pin = Some(PersoPin { format: PinBlockFormat::Iso4, block });
        }),
    ];
    for (expected, spoil) in rows {
        let mut bad = record(2, true);
        spoil(&mut bad);
        let refused = write(&[record(1, true), bad]);
        let Err(PersoError::Element { record: 1, element }) = refused else {
            panic!("{expected}: {:?}", refused.err().map(|error| error.to_string()))
        };
        assert_eq!(element, expected);
    }
}

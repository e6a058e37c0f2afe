//! The simulated bureau by files of the switch's own writer: it makes soft cards of what is right,
//! and none of a real number, a wrong value or a file of somebody else.

use std::fs;
use std::path::Path;

use simulators::bureau::{Bureau, BureauFault, BureauKeys, Worked, read_soft_card};
use simulators::chip::{CardFacts, CardKind, SimulatedCard, TestKeys, pin_block_0};
use simulators::demo_file::TestPan;
use switch_domain::{Expiry, Pan, ServiceCode, Timestamp};
use switch_security::{
    BureauExchange, CardValue, Delivery, DeliveryWay, EncryptedPinBlock, Key, KeyCipher, KeyName,
    KeyRing, KeyUsage, NamedKey, PanKeys, PersoPin, PersoRecord, PersoRun, PersoText,
    PinBlockFormat, SoftwareModule,
};

const PAN: &str = "9999991200000010";
const EXCHANGE: [u8; 32] = [0xC5; 32];
const PIN: &str = "8264";

fn name(text: &str) -> KeyName {
    KeyName::new(text).expect("a name")
}

fn facts(keys: &TestKeys) -> (CardFacts, [String; 3]) {
    let facts = CardFacts {
        pan: TestPan::new(PAN.to_owned()),
        expiry: "3012".to_owned(),
        service_code: "201".to_owned(),
        sequence: 1,
        pin: PIN.to_owned(),
        kind: CardKind::MChip10,
    };
    let card = SimulatedCard::personalised(keys, facts.clone()).expect("a card");
    (facts, card.values())
}

/// A record of the card, with a PIN.
fn record(keys: &TestKeys) -> PersoRecord {
    let text = |text: &str| PersoText::new(text.to_owned());
    let (_, values) = facts(keys);
    let [cvv, icvv, cvv2] = values.map(|digits| CardValue::from_digits(digits.as_bytes()));
    let block = EncryptedPinBlock::new(&pin_block_0(&keys.zone, PAN, PIN)).expect("a block");
    PersoRecord {
        reference: [7; 16],
        pan: Pan::from_digits(PAN.as_bytes()).expect("a number"),
        expiry: Expiry::from_yymm(3012).expect("a month"),
        service_code: ServiceCode::new(201).expect("three digits"),
        sequence: 1,
        holder: text("ADA LOVELACE"),
        cvv,
        icvv,
        cvv2,
        pin: Some(PersoPin { format: PinBlockFormat::Iso0, block }),
        delivery: Delivery {
            way: DeliveryWay::Post,
            addressee: text("Ada"),
            street: text("Street 1"),
            city: text("City"),
            postal_code: text("1"),
            country: text("AT"),
            phone: None,
        },
    }
}

/// Puts a file of this record there.
fn put(exchange: &Path, named: u8, key: [u8; 32], record: PersoRecord) {
    let mut ring = KeyRing::default();
    let key = Key::new(KeyUsage::D0, KeyCipher::Aes, &key).expect("a key");
    let number = ring.add(NamedKey { name: name("bureau"), key }, Timestamp(1)).expect("room");
    ring.activate(&name("bureau"), number, Timestamp(1)).expect("pending");
    let module = SoftwareModule::new(&PanKeys::generate().expect("keys")).expect("a module");
    let pin_key = Some(name("bureau-pins"));
    let run = PersoRun { id: [named; 16], made: Timestamp(1), pin_key };
    let file = module.with_keys(ring).seal_perso_file(&name("bureau"), &run, &[record]);
    let path = exchange.join(format!("out/{named}.perso"));
    fs::write(path, file.expect("a file")).expect("written");
}

#[test]
fn soft_cards_are_made_of_what_is_right_alone() {
    let folder = tempfile::tempdir().expect("a directory");
    let (exchange, soft) = (folder.path().join("exchange"), folder.path().join("soft"));
    for part in ["out", "in"] {
        fs::create_dir_all(exchange.join(part)).expect("made");
    }
    let keys = TestKeys::from_seed(7);
    let of = BureauKeys::new(&hex::encode(EXCHANGE), keys.clone()).expect("keys");
    let mut bureau = Bureau::new(&exchange, &soft, of, "mchip-10").expect("a bureau");
    put(&exchange, 1, EXCHANGE, record(&keys));
    let late = bureau.look(Some(BureauFault::Late)).expect("it works");
    assert_eq!(late, Worked { files: 1, cards: 1, refused: 0 });
    assert_eq!(fs::read_dir(exchange.join("in")).expect("read").count(), 0);
    assert_eq!(bureau.look(None).expect("it works").cards, 1, "not reported yet");
    assert_eq!(bureau.look(None).expect("it works"), Worked::default());
    let reference = "07070707-0707-0707-0707-070707070707";
    let card = read_soft_card(&soft, reference).expect("a soft card");
    assert_eq!((card.pin.as_str(), card.expiry.as_str()), (PIN, "3012"));
    let report = exchange.join(format!("in/{}.csv", "01".repeat(16)));
    let report = fs::read_to_string(report).expect("a report");
    assert!(report.contains(reference) && !report.contains(PAN), "{report}");

    let wrong = PersoRecord { cvv: CardValue::from_digits(b"000"), ..record(&keys) };
    put(&exchange, 2, EXCHANGE, wrong);
    let real = Pan::from_digits(b"4111111111111111").expect("a number");
    put(&exchange, 3, EXCHANGE, PersoRecord { pan: real, ..record(&keys) });
    put(&exchange, 4, [0xC6; 32], record(&keys));
    let refused = bureau.look(None).expect("it works");
    assert_eq!(refused, Worked { files: 0, cards: 0, refused: 3 });
    assert_eq!(fs::read_dir(&soft).expect("read").count(), 1);
}

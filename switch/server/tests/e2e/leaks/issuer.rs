//! The issuer's side of the leak search: keys in the key file, terms of a programme, cards with
//! what they are compared with. Must leave a switch that verifies everything for real.

use std::path::Path;

use simulators::chip::{CardFacts, CardKind, SimulatedCard, TestKeys, pin_block_0};
use simulators::demo_file::TestPan;
use switch_domain::{Pan, PinReference, Timestamp};
use switch_security::{
    CardSecurity, EncryptedPin, EncryptedPinBlock, GeneratePinReference, Key, KeyCipher, KeyName,
    KeyRing, KeyUsage, NamedKey, PanKeys, PinBlockFormat, PinMethod, SoftwareModule,
};

use crate::card_security::set_pin_reference;
use crate::keys::{ceremony, keys};
use crate::stage::Served;

/// Of the PIN verification values.
const PVK: &str = "5D1A6E3C9B47F0288C4E7A15D2936BF1";
pub(super) const EXPIRY: &str = "4912";
/// PIN and service code of each card: the last has no chip on its stripe.
const CARDS: [(&str, &str, CardKind); 3] = [
    ("8264", "201", CardKind::Visa18),
    ("739105", "201", CardKind::MChip10),
    ("504987", "101", CardKind::Visa10),
];

const TERMS: &str = "\
    cvk = 'cvk'\ncvk2 = ['cvk2']\npvk = 'pvk'\nimk_ac = 'imk'\npin = { method = 'pvv' }\n\
    profiles = ['visa-18', 'mchip-10', 'visa-10']\npin_limit = 15\n";

const CONFIGURATION: &str = "\
    [links.test]\npin = { key = 'zpk', formats = [0] }\n\
    [links.bcd]\nid = 2\nlisten = '127.0.0.1:0'\ndialect = 'iso87-bcd'\n\
    pin = { key = 'zpk', formats = [0] }\n\
    [links.ebcdic]\nid = 3\nlisten = '127.0.0.1:0'\ndialect = 'iso87-ebcdic-037'\n\
    pin = { key = 'zpk', formats = [0] }\n";

/// What the switch is started with; one value is in its environment to be found there.
pub(super) fn settings(planted: &str) -> [(&str, &str); 7] {
    [
        ("CARDSWITCH_LOG__FILTER", "trace"),
        ("CARDSWITCH_CONFIG", "links.toml"),
        ("CARDSWITCH_SECURITY__KEY_FILE", "keys/switch.keys"),
        ("CARDSWITCH_SECURITY__MAC_KEY_FILE", "keys/mac.key"),
        ("CARDSWITCH_SECURITY__LMK_COMPONENTS", r#"["keys/first.lmk", "keys/second.lmk"]"#),
        ("CARDSWITCH_SHARDS__DATA_SHARDS", "2"),
        ("PLANTED", planted),
    ]
}

/// Makes keys, starts a switch, issues cards, and ends it again: what is only there while cards are
/// issued is not looked for.
pub(super) async fn set_up(directory: &Path, url: &str) -> Vec<SimulatedCard> {
    let test_keys = TestKeys::from_seed(1127);
    ceremony(directory);
    let all = [
        ("cvk", "C0", test_keys.card_values.digits()),
        ("cvk2", "C0", test_keys.card_codes.digits()),
        ("pvk", "V2", PVK.to_owned()),
        ("zpk", "P0", test_keys.zone.digits()),
        ("imk", "E0", test_keys.cryptograms.digits()),
    ];
    for (name, usage, digits) in &all {
        let (good, said) = keys(directory, &["import", name, "--usage", usage], digits);
        assert!(good, "{name}: {said}");
    }
    std::fs::write(directory.join("links.toml"), CONFIGURATION).expect("written");
    std::fs::write(directory.join("terms.toml"), TERMS).expect("written");
    let served = Served::start_with(directory, url, &settings(""));
    served.set_up();
    let terms = directory.join("terms.toml");
    let terms = terms.to_str().expect("a path");
    let programme = only(url, "SELECT id FROM programme").await;
    served.command(&["security", "terms", "--programme", &programme, terms]).expect("terms");
    let balance = only(url, "SELECT id FROM balance").await;
    let issue = ["card", "issue", "--balance", &balance, "--expiry", EXPIRY, "--reveal-test-pan"];
    let mut cards = Vec::new();
    for (pin, service_code, kind) in CARDS {
        let issued = served.command(&issue).expect("a card");
        let pan = issued["pan"].as_str().expect("a number").to_owned();
        let card = issued["card"].as_i64().expect("a card").to_string();
        let data = ["security", "card-data", &card, "--service-code", service_code];
        served.command(&[&data[..], &["--sequence", "1"]].concat()).expect("data");
        let (set, said) = set_pin_reference(&served, &card, &pvv(&test_keys, &pan, pin));
        assert!(set, "{said}");
        let facts = CardFacts {
            pan: TestPan::new(pan),
            expiry: EXPIRY.to_owned(),
            service_code: service_code.to_owned(),
            sequence: 1,
            pin: pin.to_owned(),
            kind,
        };
        cards.push(SimulatedCard::personalised(&test_keys, facts).expect("a card"));
    }
    served.terminate();
    cards
}

async fn only(url: &str, sql: &'static str) -> String {
    use sqlx::ConnectOptions;
    let url = switch_store::private_postgres::DatabaseUrl::parse(url).expect("a URL");
    let mut session = url.connect_options().connect().await.expect("a session");
    let found = sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut session).await;
    found.expect("one").to_string()
}

/// The PIN verification value, as an issuer makes it when a card is made.
fn pvv(keys: &TestKeys, pan: &str, pin: &str) -> String {
    let mut ring = KeyRing::default();
    let zone = keys.zone.digits();
    let handles = [("zpk", KeyUsage::P0, zone.as_str()), ("pvk", KeyUsage::V2, PVK)].map(
        |(name, usage, digits)| {
            let name = KeyName::new(name).expect("a name");
            let bytes = hex::decode(digits).expect("digits");
            let key = Key::new(usage, KeyCipher::Tdes, &bytes).expect("a key");
            let named = NamedKey { name: name.clone(), key };
            let number = ring.add(named, Timestamp(1)).expect("room");
            ring.activate(&name, number, Timestamp(1)).expect("pending");
            ring.find(&name, usage).expect("there")
        },
    );
    let pan_keys = PanKeys::generate().expect("keys");
    let module = SoftwareModule::new(&pan_keys).expect("a module").with_keys(ring);
    let block = EncryptedPinBlock::new(&pin_block_0(&keys.zone, pan, pin)).expect("a block");
    let made = module.generate_pin_reference(GeneratePinReference {
        pin: EncryptedPin { block: &block, format: PinBlockFormat::Iso0, key: handles[0] },
        pan: &Pan::from_digits(pan.as_bytes()).expect("a number"),
        method: PinMethod::Pvv { key_index: 1 },
        key: handles[1],
    });
    let made = made.now().unwrap_or_else(|_| panic!("at once")).expect("a reference");
    let PinReference::Pvv { value, .. } = made else { panic!("four digits") };
    String::from_utf8(value.to_vec()).expect("digits")
}

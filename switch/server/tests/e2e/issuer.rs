//! An issuer by the real binary's own commands: keys in the key file, terms of a programme, cards
//! with what they are compared with; and what a terminal sends of such a card. Must leave a switch
//! that verifies everything for real.

use std::path::Path;

use codecs::framing::{Framing, LengthHeader};
use codecs::iso8583::Dialect;
use simulators::chip::{
    CardFacts, CardKind, Flaw, Sale, Signed, SimulatedCard, TestKeys, pin_verification_value,
};
use simulators::demo_file::TestPan;

use crate::card_security::set_pin_reference;
use crate::keys::{ceremony, keys};
use crate::speaker::{Draft, Speaker, Value};
use crate::stage::Served;

const EXPIRY: &str = "4912";

/// Where a switch finds what [`set_up`] makes, as its environment says it.
pub(crate) const KEYED: [(&str, &str); 4] = [
    ("CARDSWITCH_CONFIG", "links.toml"),
    ("CARDSWITCH_SECURITY__KEY_FILE", "keys/switch.keys"),
    ("CARDSWITCH_SECURITY__MAC_KEY_FILE", "keys/mac.key"),
    ("CARDSWITCH_SECURITY__LMK_COMPONENTS", r#"["keys/first.lmk", "keys/second.lmk"]"#),
];

/// What is issued.
pub(crate) struct Plan<'a> {
    /// The file of the switch: its links.
    pub(crate) configuration: &'a str,
    /// The file of the programme's terms.
    pub(crate) terms: &'a str,
    /// PIN, service code and kind of each card.
    pub(crate) cards: &'a [(&'a str, &'a str, CardKind)],
}

/// A card, and what the switch calls it and the account that it spends from.
pub(crate) struct Issued {
    pub(crate) card: SimulatedCard,
    pub(crate) id: String,
    pub(crate) balance: String,
}

/// The keys of this issuer, by whose names its terms call them.
pub(crate) fn test_keys() -> TestKeys {
    TestKeys::from_seed(1127)
}

/// Makes keys, starts a switch, issues cards, and ends it again: what is only there while cards are
/// issued is over.
pub(crate) async fn set_up(directory: &Path, url: &str, plan: &Plan<'_>) -> Vec<Issued> {
    let test_keys = test_keys();
    ceremony(directory);
    let all = [
        ("cvk", "C0", &test_keys.card_values),
        ("cvk2", "C0", &test_keys.card_codes),
        ("pvk", "V2", &test_keys.pin_values),
        ("zpk", "P0", &test_keys.zone),
        ("imk", "E0", &test_keys.cryptograms),
    ];
    for (name, usage, key) in all {
        let (good, said) = keys(directory, &["import", name, "--usage", usage], &key.digits());
        assert!(good, "{name}: {said}");
    }
    std::fs::write(directory.join("links.toml"), plan.configuration).expect("written");
    std::fs::write(directory.join("terms.toml"), plan.terms).expect("written");
    let served = Served::start_with(directory, url, &KEYED);
    served.set_up();
    let terms = directory.join("terms.toml");
    let terms = terms.to_str().expect("a path");
    let programme = only(url, "SELECT id FROM programme").await;
    served.command(&["security", "terms", "--programme", &programme, terms]).expect("terms");
    let balance = only(url, "SELECT id FROM balance").await;
    let issue = ["card", "issue", "--balance", &balance, "--expiry", EXPIRY, "--reveal-test-pan"];
    let mut cards = Vec::new();
    for (pin, service_code, kind) in plan.cards {
        let issued = served.command(&issue).expect("a card");
        let pan = issued["pan"].as_str().expect("a number").to_owned();
        let id = issued["card"].as_i64().expect("a card").to_string();
        let data = ["security", "card-data", &id, "--service-code", service_code];
        served.command(&[&data[..], &["--sequence", "1"]].concat()).expect("data");
        let value = pin_verification_value(&test_keys.pin_values, &pan, 1, pin);
        let (set, said) = set_pin_reference(&served, &id, &value);
        assert!(set, "{said}");
        let facts = CardFacts {
            pan: TestPan::new(pan),
            expiry: EXPIRY.to_owned(),
            service_code: (*service_code).to_owned(),
            sequence: 1,
            pin: (*pin).to_owned(),
            kind: *kind,
        };
        let card = SimulatedCard::personalised(&test_keys, facts).expect("a card");
        cards.push(Issued { card, id, balance: balance.clone() });
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

/// A connection to a link of the binary that speaks this dialect.
pub(crate) async fn connect(served: &Served, link: &str, dialect: &str) -> Speaker {
    let dialect = Dialect::shipped(dialect).expect("shipped");
    let framing = Framing::new(LengthHeader::Binary2);
    Speaker::connect(served.address(link), dialect, framing).await
}

/// A field of a message takes the place of what it had.
pub(crate) fn set(draft: &mut Draft, field: u8, value: Value) {
    draft.retain(|(other, _)| *other != field);
    draft.push((field, value));
}

/// A message of the day of all purchases here with chip and PIN, for so much, under this processing
/// code; and what the chip remembers of it.
pub(crate) fn chip_and_pin(
    peer: &Speaker,
    card: &mut SimulatedCard,
    (stan, code, cents): (u32, &str, u64),
    flaw: Option<Flaw>,
) -> (Draft, Signed) {
    let sale = Sale {
        minor: cents,
        other_minor: 0,
        currency: 978,
        country: 724,
        date: [26, 11, 23],
        kind: code[..2].parse().expect("two digits"),
        unpredictable: stan.to_be_bytes(),
        with_pin: true,
    };
    let signed = card.sign(&sale, flaw);
    let mut draft = peer.purchase(card.facts().pan.digits(), stan, cents);
    set(&mut draft, 3, Value::Text(code.to_owned()));
    draft.extend([
        (23, Value::Text(signed.sequence.clone())),
        (35, Value::Text(signed.track.clone())),
        (52, Value::Bytes(card.pin_block_0(flaw).to_vec())),
        (55, Value::Bytes(signed.chip_data.clone())),
    ]);
    (draft, signed)
}

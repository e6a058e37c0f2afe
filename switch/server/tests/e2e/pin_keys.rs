//! Zone keys of PINs: exchanged over a link as a cryptogram with its check value, refused where a
//! production system could not start with them, and keys of AES, under which PINs come in blocks of
//! sixteen bytes in a dialect that has room for these.

use simulators::chip::{CardKind, Flaw, TestKeys, pin_block_0};
use simulators::network::Function;
use switch_security::{Exportability, Key, KeyCipher, KeyUsage, export_cryptogram};
use switch_server::config::{KeyForm, LinkKeyChange, Mode};

use crate::chips::{AES_ZONE, Chips, PIN, by_software, by_unit, import, unit};
use crate::keys::keys;
use crate::speaker::Value;

/// The key that PIN keys come under.
const KEK: &str = "D538ABD3E9CE981FB5C8BAFB3458FD98";
const ACCEPTED: &str = "00";
const REFUSED: &str = "96";

fn key(usage: KeyUsage, digits: &str) -> Key {
    let bytes = hex::decode(digits).expect("digits");
    let key = Key::new(usage, KeyCipher::Tdes, &bytes).expect("a key");
    key.with_exportability(Exportability::Exportable)
}

/// The digits of a PIN key under the other, and those of its check value.
fn under_kek(usage: KeyUsage, digits: &str) -> String {
    let made = export_cryptogram(&key(KeyUsage::K0, KEK), &key(usage, digits)).expect("made");
    format!("{}{}", hex::encode_upper(made.bytes), made.check_value)
}

/// Sends x800 with this as the key; how that was answered.
async fn send(chips: &mut Chips, text: &str) -> String {
    let stan = chips.next();
    let mut draft = chips.speaker.management(Function::Echo, stan);
    draft.retain(|(field, _)| *field != 70);
    draft.push((70, Value::Text("101".into())));
    draft.push((48, Value::Text(text.into())));
    chips.speaker.ask("800", &draft).await.action
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_sends_a_pin_key_and_pins_come_under_it() {
    let mut place = None;
    let mut chips = Chips::start(CardKind::Visa18, "iso87-ascii", |config| {
        let directory = config.security.key_file.parent().expect("a directory").to_owned();
        by_software(config);
        import(&directory, "kek", KeyUsage::K0, KEK);
        config.mode = Mode::Production;
        config.security.allow_clear_pins_in_this_process = true;
        config.links.get_mut("test").expect("the link").key_change = Some(LinkKeyChange {
            key: "zpk".into(),
            zone_key: "kek".into(),
            form: KeyForm::Cryptogram,
            field: 48,
            grace_s: 3_600,
        });
        place = Some(directory);
    })
    .await;
    let directory = place.expect("set");
    let listed = || keys(&directory, &["list"], "").1;
    let (old, new) = (TestKeys::from_seed(42), TestKeys::from_seed(7));
    let pan = chips.issued.pan.clone();
    let block = |keys: &TestKeys, pin: &str| pin_block_0(&keys.zone, &pan, pin);
    assert_eq!(chips.buy_with(&block(&old, PIN)).await, "00");
    assert_eq!(chips.buy_with(&block(&new, PIN)).await, "55", "nobody has that key yet");

    let text = under_kek(KeyUsage::P0, &new.zone.digits());
    let other_check = format!("{}000000", &text[..32]);
    let known = under_kek(KeyUsage::P0, "0123456789ABCDEFFEDCBA9876543210");
    for wrong in [other_check.as_str(), &text[..30], "no key", known.as_str()] {
        assert_eq!(send(&mut chips, wrong).await, REFUSED, "{wrong}");
    }
    assert!(!listed().contains("zpk 2"), "{}", listed());
    assert_eq!(send(&mut chips, &text).await, ACCEPTED);
    assert_eq!(chips.buy_with(&block(&new, PIN)).await, "00");
    assert_eq!(chips.buy_with(&block(&new, "1111")).await, "55");
    // One that was on its way under the key before is taken in the grace window.
    assert_eq!(chips.buy_with(&block(&old, PIN)).await, "00");
    assert_eq!(send(&mut chips, &text).await, ACCEPTED, "it comes again");
    let said = listed();
    assert!(said.contains("zpk 1: old until") && said.contains("zpk 2: active"), "{said}");
    assert!(!said.contains("zpk 3") && !said.contains(&new.zone.digits()), "{said}");
    let mut chips = chips.restart().await;
    assert_eq!(chips.buy_with(&block(&new, PIN)).await, "00");
    chips.stage.end().await;
}

/// In a dialect of one's own, whose field 52 has room for them.
#[tokio::test(flavor = "multi_thread")]
async fn pins_come_in_blocks_of_sixteen_bytes_under_a_key_of_aes() {
    let unit = unit().await;
    for by in [None, Some(&unit)] {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("format-4.toml");
        let shipped = codecs::iso8583::Dialect::shipped_toml("iso87-bcd").expect("shipped");
        let row = |max| {
            format!(
                "52 = {{ name = \"personal identification number data\", type = \"b\", length = \
                 \"fixed\", max = {max}, encoding = \"raw\" }}"
            )
        };
        assert!(shipped.contains(&row(8)), "as it is shipped");
        std::fs::write(&path, shipped.replace(&row(8), &row(16))).expect("written");
        let dialect = path.to_str().expect("text");
        let mut chips = Chips::start(CardKind::MChip15, dialect, |config| {
            match by {
                Some(unit) => by_unit(config, unit),
                None => by_software(config),
            }
            let link = config.links.get_mut("test").expect("the link");
            let pin = link.pin.as_mut().expect("set");
            (pin.key, pin.formats) = (AES_ZONE.to_owned(), vec![4]);
        })
        .await;
        let block = |chips: &Chips, flaw| chips.card.pin_block_4(flaw, [7; 8]);
        let right = block(&chips, None);
        assert_eq!(chips.buy_with(&right).await, "00");
        let wrong = block(&chips, Some(Flaw::Pin));
        assert_eq!(chips.buy_with(&wrong).await, "55");
        // Another card's block, or a changed one: no more than a wrong PIN.
        let mut changed = right;
        changed[3] ^= 1;
        assert_eq!(chips.buy_with(&changed).await, "55");
        assert_eq!(chips.buy_with(&right).await, "00");
        let reasons = ["approved", "incorrect_pin", "incorrect_pin", "approved"];
        assert_eq!(chips.reasons().await, reasons);
        chips.stage.end().await;
    }
    assert_eq!(unit.tally().commands_of("EC"), 4);
}

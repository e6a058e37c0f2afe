//! PINs over the API where a hardware module verifies them: set, ordered with plastic and used with
//! the chip, by the real binary with a simulated unit behind TLS; and nothing of it where the unit
//! is not to be told PINs in clear, or is away.

use simulators::hsm::{Fault, HsmUnit, Plan, Settings as UnitSettings};
use simulators::network::{Identity, Tls, TlsVersions};
use switch_security::KeyUsage;

use serde_json::json;

use super::plastic::{PIN, RIGHT, Shop, buys, issuers_keys};
use super::plastic_life::with;
use super::platform::LOG_FILE;
use super::processors::client_files;
use crate::certificates::server_files;
use crate::chips::key_of;

const AWAY: (u16, &str) = (503, "SECURITY_MODULE_UNAVAILABLE");

/// A unit, and the files of both sides of its TLS.
struct Vault {
    unit: HsmUnit,
    files: tempfile::TempDir,
}

impl Vault {
    async fn start() -> Self {
        let files = tempfile::tempdir().expect("a directory");
        server_files(files.path());
        client_files(files.path());
        let at = |name: &str| files.path().join(name);
        let identity = Some(Identity { chain: at("server.pem"), key: at("server.key") });
        let (authorities, name) = (Some(at("clients.pem")), String::new());
        let tls = Some(Tls { identity, authorities, name, versions: TlsVersions::Both });
        let settings = UnitSettings { clear_pins: true, tls, ..UnitSettings::default() };
        let unit = HsmUnit::listen(([127, 0, 0, 1], 0).into(), settings).await.expect("a port");
        Self { unit, files }
    }

    /// A switch whose cards it verifies, and which may tell it PINs or not.
    fn configuration(&self, clear_pins: bool) -> Vec<(&'static str, String)> {
        let path = |name: &str| self.files.path().join(name).display().to_string();
        let entries = issuers_keys().map(|(name, usage, digits)| {
            let usage = KeyUsage::from_code(usage).expect("a usage");
            let key = self.unit.wrap_key(&key_of(name, usage, &digits)).expect("wrapped");
            format!("{name} = {{ usage = \"{}\", key = \"{key}\" }}", usage.code())
        });
        vec![
            ("CARDSWITCH_SECURITY__MODULE", "hardware".into()),
            ("CARDSWITCH_HSM__UNITS", format!("[\"{}\"]", self.unit.address())),
            ("CARDSWITCH_HSM__KEYS", format!("{{ {} }}", entries.join(", "))),
            ("CARDSWITCH_HSM__CLEAR_PINS", clear_pins.to_string()),
            ("CARDSWITCH_HSM__TLS__CA", path("root.pem")),
            ("CARDSWITCH_HSM__TLS__CERTIFICATE", path("own.pem")),
            ("CARDSWITCH_HSM__TLS__KEY", path("own.key")),
            ("CARDSWITCH_HSM__TLS__SERVER_NAME", "localhost".into()),
            // What is slow here is the machine.
            ("CARDSWITCH_HSM__DEADLINE_MS", "3000".into()),
            ("CARDSWITCH_HSM__WAIT_MS", "3000".into()),
            ("CARDSWITCH_HSM__BREAKER_OPEN_MS", "100".into()),
            ("CARDSWITCH_HSM__RECONNECT_FIRST_MS", "10".into()),
            ("CARDSWITCH_HSM__RECONNECT_LONGEST_MS", "50".into()),
            ("CARDSWITCH_LOG__FILTER", "info".into()),
            (LOG_FILE, path("switch.log")),
        ]
    }

    fn keeps_quiet(&self, secrets: &[&str]) {
        let log = std::fs::read_to_string(self.files.path().join("switch.log")).expect("a log");
        assert!(log.contains("pin_for_host_command"), "each is in the audit log");
        for secret in secrets {
            assert!(!log.contains(secret), "{secret}");
        }
    }
}

// covers: SR-127, SR-136, SR-178, A-33
#[tokio::test(flavor = "multi_thread")]
async fn pins_over_the_api_are_encrypted_by_the_unit_and_hold_at_the_terminal() {
    let vault = Vault::start().await;
    let mut shop = Shop::open_with(vault.configuration(true)).await;
    let ordered = format!("/secure/customers/{}/cards/physical_with_pin", shop.customer);
    let client = shop.partner.client.clone();
    let answer = shop.reader.tell(&client, &ordered, "first", &shop.with_pin(PIN)).done(201);
    let order = shop.reader.opens(&answer)["orderId"].as_str().expect("an order").to_owned();
    let id = shop.made(&order).await;
    assert_eq!(shop.made_of(&order).pin, PIN, "the bureau has it out of its block");
    shop.activates(&id);
    let mut card = shop.soft_card(&order);
    let mut peer = shop.speaks().await;
    assert_eq!(buys(&mut peer, &mut card, 1, None).await, ("00".to_owned(), RIGHT));
    let asked = vault.unit.tally();
    assert_eq!((asked.commands_of("BA"), asked.commands_of("JG")), (1, 1));
    assert!(asked.commands_of("EC") >= 1, "PINs are the unit's to verify");

    let app = shop.app("device-0001", true);
    let path = format!("/customers/me/cards/{id}/pin");
    let plain = app.post(&path, "plain", &json!({ "pin": "7391" }));
    assert_eq!(plain.refused(), (403, "ENCRYPTION_REQUIRED".into()));
    let set = |key: &str, pin: &str| shop.reader.tell(&app, &path, key, &json!({ "pin": pin }));
    set("another", "7391").done(200);
    assert_eq!(buys(&mut peer, &mut with(&card, PIN, 10), 2, None).await.0, "55");
    let (mut new, right) = (with(&card, "7391", 20), "00".to_owned());
    assert_eq!(buys(&mut peer, &mut new, 3, None).await, (right.clone(), RIGHT));

    // Whatever the unit does wrong in between, no PIN is changed.
    for (at, letters) in [*b"BA", *b"JG", *b"FW"].into_iter().enumerate() {
        vault.unit.fail(Some(Plan::always(Fault::Code(*b"41")).to(letters)));
        let refused = set(&format!("fault {at}"), "5926").refused();
        assert_eq!((refused.0, refused.1.as_str()), AWAY, "{letters:?}");
    }
    // Where its officer does not allow it, that costs nobody a purchase.
    vault.unit.fail(Some(Plan::always(Fault::Code(*b"17")).to(*b"BA")));
    for at in 0..8 {
        let refused = set(&format!("not allowed {at}"), "5926").refused();
        assert_eq!((refused.0, refused.1.as_str()), AWAY);
    }
    vault.unit.fail(None);
    assert_eq!(buys(&mut peer, &mut new, 4, None).await, (right.clone(), RIGHT));
    vault.unit.die();
    let refused = set("away", "5926").refused();
    assert_eq!((refused.0, refused.1.as_str()), AWAY);
    vault.unit.revive().await.expect("the port is free");
    let mut stan = 10;
    while buys(&mut peer, &mut new, stan, None).await.0 != "00" {
        stan += 1;
        assert!(stan < 10_000, "it does not come back");
    }
    assert_eq!(buys(&mut peer, &mut with(&card, "5926", 40_000), stan + 1, None).await.0, "55");
    set("away", "5926").done(200);
    let mut last = with(&card, "5926", 50_000);
    assert_eq!(buys(&mut peer, &mut last, stan + 2, None).await, (right, RIGHT));
    vault.keeps_quiet(&[PIN, "7391", "5926", card.facts().pan.digits()]);
    drop(peer);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_pin_is_set_over_the_api_where_the_unit_is_not_to_be_told_any() {
    let vault = Vault::start().await;
    let mut shop = Shop::open_with(vault.configuration(false)).await;
    let client = shop.partner.client.clone();
    let ordered = format!("/secure/customers/{}/cards/physical_with_pin", shop.customer);
    let refused = shop.reader.tell(&client, &ordered, "with", &shop.with_pin(PIN));
    assert_eq!(refused.refused(), (409, "CONFLICT".into()));
    let order = shop.orders("without");
    let id = shop.made(&order).await;
    shop.activates(&id);
    let app = shop.app("device-0001", true);
    let path = format!("/customers/me/cards/{id}/pin");
    let refused = shop.reader.tell(&app, &path, "pin", &json!({ "pin": PIN }));
    assert_eq!(refused.refused(), (409, "CONFLICT".into()));
    let why = refused.json()["detail"].to_string();
    assert!(why.contains("hsm.clear_pins"), "{why}");
    assert_eq!(shop.details(&id)["pinStatus"], "NOT_SET");
    assert_eq!(vault.unit.tally().commands_of("BA"), 0);
    shop.close().await;
}

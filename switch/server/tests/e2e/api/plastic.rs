//! Plastic cards by the real binary, from the order over the API to a purchase with chip and PIN
//! over TCP: the simulated bureau opens the file, makes a soft card and reports it, and nothing is
//! seen of the card before it is linked.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use simulators::bureau::{Bureau, BureauFault, BureauKeys, Worked, read_soft_card};
use simulators::chip::{CardFacts, Flaw, IssuerAnswer, SimulatedCard, pin_verification_value};
use simulators::expected;

use super::cards::rig::Reader;
use super::platform::{Partner, Platform};
use crate::card_security::set_pin_reference;
use crate::http::get;
use crate::issuer::{chip_and_pin, connect, set, test_keys};
use crate::keys::keys;
use crate::speaker::Speaker;
use crate::speaker::Value::Text;

pub(super) const PIN: &str = "8264";
const EXCHANGE: &str = "6FA1C7E3095B4D82E1347F90ABCD25681E2F3A4B5C6D7E8F90A1B2C3D4E5F607";
const TERMS: &str = "\
    cvk = 'cvk'\ncvk2 = ['cvk2']\npvk = 'pvk'\nimk_ac = 'imk'\npin = { method = 'pvv' }\n\
    profiles = ['mchip-10']\n";
pub(super) const RIGHT: IssuerAnswer = IssuerAnswer::Right { approved: true };

/// A platform that has plastic made, a partner with a customer and an account, and the bureau.
pub(super) struct Shop {
    pub(super) platform: Platform,
    pub(super) partner: Partner,
    pub(super) customer: String,
    /// The account's path.
    balance: String,
    pub(super) bureau: Bureau,
    pub(super) reader: Reader,
}

/// The issuer's keys: their names, what they are for, and their digits.
pub(super) fn issuers_keys() -> [(&'static str, &'static str, String); 6] {
    let test_keys = test_keys();
    [
        ("cvk", "C0", test_keys.card_values.digits()),
        ("cvk2", "C0", test_keys.card_codes.digits()),
        ("cvk2-b", "C0", test_keys.card_values.digits()),
        ("pvk", "V2", test_keys.pin_values.digits()),
        ("zpk", "P0", test_keys.zone.digits()),
        ("imk", "E0", test_keys.cryptograms.digits()),
    ]
}

/// The keys of an issuer and of its bureau, in the key file.
fn import_keys(at: &Path) {
    for (name, usage, digits) in issuers_keys() {
        let (good, said) = keys(at, &["import", name, "--usage", usage], &digits);
        assert!(good, "{name}: {said}");
    }
    let exchange = ["import", "bureau", "--usage", "D0", "--cipher", "aes"];
    let (good, said) = keys(at, &exchange, EXCHANGE);
    assert!(good, "{said}");
}

/// The bureau of a platform in this directory.
pub(super) fn bureau(at: &Path) -> Bureau {
    let keys = BureauKeys::new(EXCHANGE, test_keys()).expect("keys");
    Bureau::new(&at.join("bureau"), &at.join("soft"), keys, "mchip-10").expect("a bureau")
}

/// A platform that has plastic made, and looks so often what there is to do, with more of its
/// configuration.
pub(super) async fn platform_with(every_ms: &str, more: Vec<(&'static str, String)>) -> Platform {
    let of = |name, value: &str| (name, value.to_owned());
    let ours = [
        of("CARDSWITCH_SECURITY__KEY_FILE", "keys/switch.keys"),
        of("CARDSWITCH_SECURITY__MAC_KEY_FILE", "keys/mac.key"),
        of("CARDSWITCH_LINKS__TEST__PIN", r#"{ key = "zpk", formats = [0] }"#),
        of("CARDSWITCH_API__CARDS__PIN_KEY", "zpk"),
        of("CARDSWITCH_API__PERSONALISATION__DIRECTORY", "bureau"),
        of("CARDSWITCH_API__PERSONALISATION__EVERY_MS", every_ms),
    ];
    Platform::start_keyed(ours.into_iter().chain(more).collect(), import_keys).await
}

/// An order of a card for this account.
pub(super) fn wanted(balance: &str) -> Value {
    json!({
        "balanceId": balance, "holderName": "Ada Lovelace",
        "delivery": {
            "way": "POST", "addressee": "Ada Lovelace", "street": "Hauptstrasse 1",
            "city": "Wien", "postalCode": "1010", "country": "AT"
        }
    })
}

impl Shop {
    pub(super) async fn open() -> Self {
        Self::open_with(Vec::new()).await
    }

    /// The same with more of its configuration.
    pub(super) async fn open_with(more: Vec<(&'static str, String)>) -> Self {
        let platform = platform_with("50", more).await;
        let at = platform.directory.path();
        let partner = platform.partner("Acme", "99999912");
        let terms = at.join("terms.toml");
        std::fs::write(&terms, TERMS).expect("written");
        let programme = partner.programme.to_string();
        let set = ["security", "terms", "--programme", &programme, terms.to_str().expect("text")];
        platform.served.command(&set).expect("terms");
        let customer = partner.registers("u-1");
        partner.verifies(&customer);
        let balance = partner.opens(&customer, "account");
        let reload = json!({ "amount": { "value": "100.00", "currency": "EUR" } });
        partner.client.post(&format!("{balance}/reload"), "reload", &reload).done(200);
        let (bureau, reader) = (bureau(at), Reader::new());
        Self { partner, customer, balance, bureau, platform, reader }
    }

    fn orders_path(&self) -> String {
        format!("/secure/customers/{}/cards/orders", self.customer)
    }

    pub(super) fn wanted(&self) -> Value {
        wanted(self.balance.rsplit('/').next().expect("an identifier"))
    }

    /// Orders a card; its identifier.
    pub(super) fn orders(&self, key: &str) -> String {
        let path = format!("/secure/customers/{}/cards/physical", self.customer);
        let client = &self.partner.client;
        let plain = client.post(&path, &format!("{key} in clear"), &self.wanted());
        assert_eq!(plain.refused(), (403, "ENCRYPTION_REQUIRED".into()));
        let order = self.reader.post(client, &path, key, &self.wanted()).done(201);
        let place = order.header("location").expect("a place").to_owned();
        let order = self.reader.opens(&order);
        assert_eq!((&order["state"], &order["cardId"]), (&json!("ORDERED"), &Value::Null));
        let id = order["orderId"].as_str().expect("an identifier").to_owned();
        assert_eq!(place, format!("{}/{id}", self.orders_path()));
        id
    }

    pub(super) fn reads(&self, order: &str) -> Value {
        self.partner.client.get(&format!("{}/{order}", self.orders_path())).done(200).json()
    }

    /// Waits until an order stands so; what it is then.
    pub(super) async fn until(&self, order: &str, state: &str) -> Value {
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        for _ in 0..3_000 {
            let found = self.reads(order);
            if found["state"] == state {
                return found;
            }
            looks.tick().await;
        }
        panic!("{order} does not become {state}: {}", self.reads(order))
    }

    /// Waits until so many lines were taken so, by the metrics.
    async fn until_lines(&self, result: &str, count: u32) {
        let line = format!("cardswitch_perso_lines_total{{result=\"{result}\"}} {count}");
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        for _ in 0..3_000 {
            if get(self.platform.served.http(), "/metrics").lines().any(|one| one == line) {
                return;
            }
            looks.tick().await;
        }
        panic!("the metrics do not come to {line}");
    }

    /// Cards of the account.
    pub(super) fn cards(&self) -> Vec<Value> {
        self.partner.reads(&self.balance)["cards"].as_array().expect("cards").clone()
    }

    /// What the bureau made for an order, with the PIN of its holder.
    pub(super) fn soft_card(&self, order: &str) -> SimulatedCard {
        let facts = CardFacts { pin: PIN.to_owned(), ..self.made_of(order) };
        SimulatedCard::personalised(&test_keys(), facts).expect("a card")
    }

    /// What the bureau made for an order.
    pub(super) fn made_of(&self, order: &str) -> CardFacts {
        let facts = read_soft_card(&self.platform.directory.path().join("soft"), order);
        facts.expect("a soft card")
    }

    /// Stops, and serves again over the same database.
    pub(super) fn restart(self) -> Self {
        let platform = self.platform.restart();
        let client = self.partner.client.at(platform.served.api("secure"));
        let partner = Partner { client, ..self.partner };
        Self { platform, partner, ..self }
    }

    /// Dies, and serves again over the same database, with more of its configuration.
    pub(super) fn crash(self, with: Vec<(&'static str, String)>) -> Self {
        let platform = self.platform.crash(|_, _| {}, with);
        let client = self.partner.client.at(platform.served.api("secure"));
        let partner = Partner { client, ..self.partner };
        Self { platform, partner, ..self }
    }

    pub(super) async fn close(self) {
        self.platform.close().await;
    }
}

/// Buys for a euro with chip and PIN; the code, and what the chip makes of the answer.
pub(super) async fn buys(
    peer: &mut Speaker,
    card: &mut SimulatedCard,
    stan: u32,
    flaw: Option<Flaw>,
) -> (String, IssuerAnswer) {
    let (mut draft, signed) = chip_and_pin(peer, card, (stan, "000000", 100), flaw);
    set(&mut draft, 14, Text(card.facts().expiry.clone()));
    let said = peer.ask("100", &draft).await;
    let judged = signed.judge_chip_data(&peer.chip_data(&said));
    (said.action, judged)
}

// covers: A-06, SR-126, SR-163, SR-164, SR-165, SR-166, SR-167, SR-168, SR-170, SR-171
#[tokio::test(flavor = "multi_thread")]
async fn sr_163_to_171_from_the_order_to_a_purchase_with_chip_and_pin() {
    let mut shop = Shop::open().await;
    let order = shop.orders("first");
    assert_eq!(shop.orders("first"), order, "the same request is the same order");
    shop.until(&order, "SENT").await;
    assert!(shop.cards().is_empty(), "nobody sees a card that is being made");
    let worked = shop.bureau.look(None).expect("it works");
    assert_eq!(worked, Worked { files: 1, cards: 1, refused: 0 });
    let linked = shop.until(&order, "LINKED").await;
    assert!(linked["trackingNumber"].as_str().expect("a number").starts_with("SIM"), "{linked}");
    let [card] = &shop.cards()[..] else { panic!("one card") };
    let id = linked["cardId"].as_str().expect("a card").to_owned();
    assert_eq!(
        (card["cardId"].as_str().unwrap_or_default().to_owned(), &card["state"]),
        (id.clone(), &json!("INACTIVE"))
    );

    let mut soft = shop.soft_card(&order);
    let pan = soft.facts().pan.clone();
    assert!(pan.digits().ends_with(card["lastFour"].as_str().expect("digits")));
    for told in [&linked, &shop.reads(&order), &json!(shop.cards())] {
        assert!(!told.to_string().contains(pan.digits()), "a number is told to nobody");
    }
    let mut peer = connect(&shop.platform.served, "test", "iso87-ascii").await;
    let inactive = expected::response_code("inactive").expect("a code");
    assert_eq!(buys(&mut peer, &mut soft, 1, None).await.0, inactive);
    shop.platform.served.command(&["card", "activate", &id]).expect("activated");
    let pvv = pin_verification_value(&test_keys().pin_values, pan.digits(), 1, PIN);
    let (set, said) = set_pin_reference(&shop.platform.served, &id, &pvv);
    assert!(set, "{said}");
    assert_eq!(buys(&mut peer, &mut soft, 2, None).await, ("00".to_owned(), RIGHT));
    assert_eq!(buys(&mut peer, &mut soft, 3, Some(Flaw::Pin)).await.0, "55");
    assert_eq!(buys(&mut peer, &mut soft, 4, Some(Flaw::Cryptogram)).await.0, "59");
    assert_eq!(shop.cards()[0]["state"], "ACTIVE");
    drop(peer);
    shop.close().await;
}

// covers: SR-124, SR-125
#[tokio::test(flavor = "multi_thread")]
async fn sr_124_and_125_customers_order_for_themselves_and_operators_for_them() {
    let shop = Shop::open().await;
    let app = shop.platform.anonymous();
    let session = shop.partner.pairs(&app, &shop.customer, "device-ada1").opens();
    let (reader, path) = (&shop.reader, "/customers/me/cards/physical");
    let own = reader.post(&session, path, "own", &shop.wanted()).done(201);
    let place = own.header("location").expect("a place").to_owned();
    let order = reader.opens(&own)["orderId"].as_str().expect("an identifier").to_owned();
    assert_eq!(session.get(&place).done(200).json()["orderId"], order.as_str());
    assert_eq!(shop.reads(&order)["orderId"], order.as_str(), "the partner sees it too");
    let other = shop.partner.registers("u-2");
    let theirs = format!("/secure/customers/{other}/cards/orders/{order}");
    assert_eq!(shop.partner.client.get(&theirs).refused(), (404, "NOT_FOUND".into()));
    let bad = json!({ "balanceId": shop.wanted()["balanceId"], "holderName": "Ada" });
    let refused = reader.post(&session, path, "bad", &bad).refused();
    assert_eq!(refused, (400, "INVALID_REQUEST".into()));

    let mut employee = super::person::Person::of(
        &shop
            .platform
            .served
            .command(&["operator", "add", "--name", "eva", "--role", "employee"])
            .expect("an operator"),
    );
    let token = employee.begins(&app);
    let panel = app.bearing(&token);
    let path = format!("/admin/customers/{}/cards/physical", shop.customer);
    let placed = reader.post(&panel, &path, "for", &shop.wanted()).done(201);
    let place = placed.header("location").expect("a place").to_owned();
    assert_eq!(panel.get(&place).done(200).json()["way"], "POST");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_bureau_does_wrong_makes_no_card_and_no_card_twice() {
    let mut shop = Shop::open().await;
    let order = shop.orders("first");
    shop.until(&order, "SENT").await;
    let damaged = [
        BureauFault::Damaged,
        BureauFault::Unmasked,
        BureauFault::Unknown,
        BureauFault::OtherNumber,
    ];
    for (times, fault) in (1..).zip(damaged) {
        shop.bureau.look(Some(fault)).expect("it works");
        shop.until_lines("rejected", times).await;
    }
    for fault in [BureauFault::Late, BureauFault::Partial, BureauFault::WrongCount] {
        shop.bureau.look(Some(fault)).expect("it works");
        assert_eq!(shop.reads(&order)["state"], "SENT", "{fault:?}");
    }
    let worked = shop.bureau.look(Some(BureauFault::Duplicated)).expect("it works");
    assert_eq!(worked.cards, 1);
    shop.until(&order, "LINKED").await;
    shop.until_lines("repeated", 1).await;
    assert_eq!(shop.bureau.look(None).expect("it works"), Worked::default(), "it has reported it");
    assert_eq!(shop.cards().len(), 1);
    // A file that somebody changed is no file.
    let out = shop.platform.directory.path().join("bureau/out");
    let file = std::fs::read_dir(&out).expect("read").next().expect("one").expect("it").path();
    let mut bytes = std::fs::read(&file).expect("read");
    *bytes.last_mut().expect("bytes") ^= 1;
    std::fs::write(out.join("changed.perso"), bytes).expect("written");
    assert_eq!(shop.bureau.look(None).expect("it works").refused, 1);
    shop.close().await;
}

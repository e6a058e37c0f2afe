//! Plastic cards, from the order to the linked card: what goes to the bureau, what its reports
//! move, and that a process that ends anywhere between makes no card twice.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use admin_api::cards::processor::InProcess;
use admin_api::cards::{CardModule, KeyNames, PinRules, Processors};
use admin_api::programmes::SaidProgramme;
use admin_api::{
    DeliveryInput, Done, NewCard, NewPlastic, OrderState, OrderedBy, Personal, Plastic,
    PlasticModules, PlasticOrder, PlasticSettings, Problem, Steps, WayName,
};
use switch_domain::{
    BalanceState, CardId, CardSecurityTerms, CardStatus, Expiry, PinMethod, SecurityKeys,
    ServiceCode,
};
use switch_security::{
    CardSecurity, CardValueKind, Key, KeyCipher, KeyHandle, KeyName, KeyRing, KeyUsage, NamedKey,
    PanKeys, PersoFile, SoftwareModule, VerifyCardValue, reveal_test_pan,
};
use uuid::Uuid;

use crate::world::{NOW, World, at, code, key, text};

const EXCHANGE: [u8; 32] = [0x5E; 32];
const ZPK: [u8; 16] = *b"\xFE\xDC\xBA\x98\x76\x54\x32\x10\x10\x23\x45\x67\x89\xAB\xCD\xEF";
const PVK: [u8; 16] = *b"\x23\x45\x67\x89\xAB\xCD\xEF\xFE\xDC\xBA\x98\x76\x54\x32\x10\x10";
const CVK: [u8; 16] = *b"\x10\x23\x45\x67\x89\xAB\xCD\xEF\xFE\xDC\xBA\x98\x76\x54\x32\x10";

/// A world where plastic is made.
pub(crate) struct Shop {
    pub(crate) world: World,
    pub(crate) plastic: Plastic,
    steps: Steps,
    directory: tempfile::TempDir,
    module: Arc<SoftwareModule>,
    pub(crate) customer: Uuid,
    balance: Uuid,
}

fn name(text: &str) -> KeyName {
    KeyName::new(text).expect("a name")
}

/// A module with the keys of an issuer and of its bureau.
fn module() -> Arc<SoftwareModule> {
    let mut ring = KeyRing::default();
    let keys = [
        ("bureau", Key::new(KeyUsage::D0, KeyCipher::Aes, &EXCHANGE)),
        ("cvk", Key::new(KeyUsage::C0, KeyCipher::Tdes, &CVK)),
        ("zpk", Key::new(KeyUsage::P0, KeyCipher::Tdes, &ZPK)),
        ("pvk", Key::new(KeyUsage::V2, KeyCipher::Tdes, &PVK)),
    ];
    for (named, key) in keys {
        let key = NamedKey { name: name(named), key: key.expect("a key") };
        let number = ring.add(key, NOW).expect("room");
        ring.activate(&name(named), number, NOW).expect("pending");
    }
    let module = SoftwareModule::new(&PanKeys::generate().expect("keys")).expect("a module");
    Arc::new(module.with_keys(ring))
}

fn settings(directory: &Path) -> PlasticSettings {
    PlasticSettings {
        directory: directory.to_owned(),
        exchange_key: name("bureau"),
        batch: 10,
        months: 36,
        service_code: ServiceCode::new(201).expect("three digits"),
        sequence: 1,
        pins: PinRules { key: text("zpk"), ..PinRules::default() },
        of_customer: 3,
        of_corporation: 3,
        waiting: 8,
        report_bytes: 4_096,
        pause: Duration::from_secs(60),
        keep_address: Duration::from_secs(86_400),
        keep_reports: Duration::from_secs(86_400),
    }
}

fn delivery(way: WayName) -> DeliveryInput {
    let of = |text: &str| Personal::new(text.to_owned());
    DeliveryInput {
        way,
        addressee: of("Ana Ruiz"),
        street: of("Calle Mayor 1"),
        city: of("Madrid"),
        postal_code: of("28013"),
        country: of("ES"),
        phone: (way == WayName::Courier).then(|| of("+34600000000")),
    }
}

/// The keys of the module, by their names.
struct Named;

impl KeyNames for Named {
    fn key(&self, name: &str, _: KeyUsage) -> Option<KeyHandle> {
        let position = ["bureau", "cvk", "zpk", "pvk"].iter().position(|known| *known == name)?;
        Some(KeyHandle::new(u16::try_from(position).expect("few")))
    }
}

impl Shop {
    pub(crate) async fn new() -> Self {
        let world = World::new().await;
        let customer = world.verified("A-1").await;
        let (partner, programme) = (world.one.partner, world.one.programme);
        let actor = text("partner:1");
        let opened = world.users.open_balance_for(partner, customer, programme, key("b"), actor);
        let balance = opened.await.expect("an account").public_id;
        let (cvk2, pvk) = (vec![text("cvk")], text("pvk"));
        let keys = SecurityKeys { cvk: text("cvk"), cvk2, pvk, ..Default::default() };
        let pin = Some(PinMethod::Pvv);
        let terms = CardSecurityTerms { keys, pin, ..CardSecurityTerms::default() };
        let set = world.services.set_card_security(key("t"), actor, programme, Some(terms));
        set.await.expect("terms");
        let module = module();
        let directory = tempfile::tempdir().expect("a directory");
        let (plastic, steps) = Self::service(&world, &module, directory.path());
        Self { world, plastic, steps, directory, module, customer, balance }
    }

    fn service(world: &World, module: &Arc<SoftwareModule>, at: &Path) -> (Plastic, Steps) {
        let values = CardModule { module: Arc::clone(module) as _, keys: Arc::new(Named) };
        let processors = Processors::new(InProcess::new(Arc::clone(module) as _), []);
        let modules = PlasticModules { values, exchange: Arc::clone(module) as _, processors };
        let services = (world.services.clone(), world.users.clone());
        let plastic = Plastic::new(services, modules, settings(at));
        let steps = Steps::new(plastic.clone()).expect("a directory");
        (plastic, steps)
    }

    pub(crate) fn wanted(&self) -> NewPlastic {
        NewPlastic {
            balance: self.balance,
            programme: SaidProgramme::default(),
            physical_of: None,
            replaces: None,
            holder_name: Personal::new("Ana Ruiz".to_owned()),
            reference: None,
            delivery: delivery(WayName::Courier),
        }
    }

    pub(crate) async fn asks(
        &self,
        new: &NewPlastic,
        named: &str,
    ) -> Result<PlasticOrder, Problem> {
        let by = OrderedBy { key: key(named), actor: text("partner:1"), now: NOW };
        self.plastic.order((self.world.one.partner, self.customer), new, by).await
    }

    pub(crate) async fn orders(&self, named: &str) -> PlasticOrder {
        self.asks(&self.wanted(), named).await.expect("an order")
    }

    pub(crate) async fn order(&self, order: &PlasticOrder) -> PlasticOrder {
        let found = self.plastic.order_of((self.world.one.partner, self.customer), order.reference);
        found.await.expect("the order")
    }

    pub(crate) async fn step(&self, seconds: i64) -> Done {
        self.steps.step(at(seconds)).await.expect("a step")
    }

    /// Where files for the bureau go.
    pub(crate) fn out(&self) -> PathBuf {
        self.directory.path().join("out")
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.out()).expect("the directory");
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
        paths.sort_unstable();
        paths
    }

    /// The only file, opened by the bureau.
    pub(crate) fn opened(&self) -> PersoFile {
        let [file] = &self.files()[..] else { panic!("{:?}", self.files()) };
        let key = Key::new(KeyUsage::D0, KeyCipher::Aes, &EXCHANGE).expect("a key");
        PersoFile::open(&fs::read(file).expect("the file"), &key).expect("it opens")
    }

    /// The line of a record.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |record: &switch_security::PersoRecord| {
            let pan = reveal_test_pan(&record.pan).expect("a test number");
            let reference = Uuid::from_bytes(record.reference);
            format!("{}******{},{reference},ES1,2026-11-28T01:00:00Z", &pan[..6], &pan[12..])
        };
        self.opened().records.iter().map(line).collect()
    }

    pub(crate) fn reports(&self, named: &str, lines: &[String], count: &str) {
        let mut text = String::from("cardNumber,reference,trackingNumber,created\n");
        for line in lines {
            text.push_str(&format!("{line}\n"));
        }
        text.push_str(&format!("END,{count}\n"));
        fs::write(self.directory.path().join("in").join(named), text).expect("written");
    }

    pub(crate) async fn card(&self, card: Option<CardId>) -> switch_domain::Card {
        self.world.services.node().card(card.expect("a card")).await.expect("it is there")
    }
}

// covers: A-06, SR-163, SR-164, SR-165, SR-166, SR-168, SR-169, SR-170
#[tokio::test]
async fn sr_163_to_170_an_order_becomes_a_record_a_line_and_then_an_inactive_card() {
    let shop = Shop::new().await;
    let order = shop.orders("first").await;
    assert_eq!((order.state, order.card, order.way), (OrderState::Ordered, None, WayName::Courier));
    let again = shop.orders("first").await;
    assert_eq!((again.reference, again.state), (order.reference, OrderState::Ordered));
    assert_eq!(shop.step(0).await, Done { sent: 1, ..Done::default() });

    let file = shop.opened();
    let [record] = &file.records[..] else { panic!("one record") };
    assert_eq!(record.reference, *order.reference.as_bytes());
    assert_eq!((record.expiry.yymm(), record.service_code.number()), (2911, 201));
    assert_eq!(record.holder.expose(), "ANA RUIZ");
    assert_eq!(
        record.delivery.phone.as_ref().map(switch_security::PersoText::expose),
        Some("+34600000000")
    );
    let of = [
        (&record.cvv, CardValueKind::Cvv { service_code: record.service_code }),
        (&record.icvv, CardValueKind::Icvv),
        (&record.cvv2, CardValueKind::Cvv2 { order: switch_domain::ExpiryOrder::default() }),
    ];
    for (value, kind) in of {
        let claimed = value.as_ref().expect("a value");
        let (key, pan, expiry) = (switch_security::KeyHandle::new(1), &record.pan, record.expiry);
        let command = VerifyCardValue { key, pan, expiry, kind, claimed };
        shop.module.verify_card_value(command).await.expect("it is the card's");
    }
    // The bureau has it; nobody else sees a card.
    assert_eq!(shop.order(&order).await.state, OrderState::Sent);
    let balance = shop.world.users.balance_by_handle(shop.world.one.partner, shop.balance).await;
    let balance = balance.expect("the account").id;
    assert!(shop.world.users.cards_of(balance).await.expect("none").is_empty());
    assert_eq!(shop.world.count("SELECT count(*) FROM card").await, 0);

    shop.reports("a.csv", &shop.lines(), "1");
    assert_eq!(shop.step(1).await, Done { made: 1, linked: 1, ..Done::default() });
    let linked = shop.order(&order).await;
    assert_eq!(linked.state, OrderState::Linked);
    assert_eq!(linked.tracking_number.as_deref(), Some("ES1"));
    let card = shop.card(linked.card).await;
    assert_eq!(
        (card.status, card.balance, card.expiry),
        (CardStatus::Inactive, balance, record.expiry)
    );
    let references = card.references.as_ref().expect("what stripe and chip have");
    assert_eq!((references.service_code, references.sequence), (Some(record.service_code), 1));
    assert_eq!(shop.step(2).await, Done::default());
    assert_eq!(shop.files().len(), 1);
    shop.world.close().await;
}

/// What a process leaves behind that ends at a point of a run.
#[tokio::test]
async fn a_run_that_was_cut_off_is_gone_on_with_and_written_once() {
    let shop = Shop::new().await;
    let order = shop.orders("first").await;
    // Its number was drawn, and the file not written.
    let out = shop.directory.path().join("out");
    fs::remove_dir(&out).expect("removed");
    assert!(shop.steps.step(at(0)).await.is_err());
    assert_eq!(shop.order(&order).await.state, OrderState::Ordered);
    let vault = "SELECT coalesce(sum(id), 0)::int8 FROM pan_vault";
    let drawn = shop.world.count(vault).await;
    assert_ne!(drawn, 0);
    // What is ordered meanwhile goes into the next.
    shop.orders("second").await;
    fs::create_dir(&out).expect("made");

    // The file was written, and that not noted.
    let failing = "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS \
                   $$ BEGIN RAISE EXCEPTION 'no'; END $$; \
                   CREATE TRIGGER fail BEFORE UPDATE ON perso_run \
                   FOR EACH ROW EXECUTE FUNCTION fail()";
    shop.world.as_owner(failing).await;
    assert!(shop.steps.step(at(1)).await.is_err());
    let written = shop.files();
    let bytes = fs::read(&written[0]).expect("the file");
    shop.world.as_owner("DROP TRIGGER fail ON perso_run").await;

    assert_eq!(shop.step(2).await, Done { sent: 1, ..Done::default() });
    assert_eq!(shop.files(), written);
    assert_eq!(fs::read(&written[0]).expect("the file"), bytes, "it is the one of before");
    assert_eq!(shop.world.count(vault).await, drawn, "and so is its number");
    assert_eq!(shop.order(&order).await.state, OrderState::Sent);
    assert_eq!(shop.step(3).await, Done { sent: 1, ..Done::default() });
    assert_eq!(shop.files().len(), 2);
    // The report was read, and the card is linked twice: it is the same one.
    let mut lines = Vec::new();
    let key = Key::new(KeyUsage::D0, KeyCipher::Aes, &EXCHANGE).expect("a key");
    for file in shop.files() {
        let file = PersoFile::open(&fs::read(file).expect("read"), &key).expect("it opens");
        for record in &file.records {
            let pan = reveal_test_pan(&record.pan).expect("a test number");
            let reference = Uuid::from_bytes(record.reference);
            let masked = format!("999999******{}", &pan[12..]);
            lines.push(format!("{masked},{reference},ES1,2026-11-28T01:00:00Z"));
        }
    }
    shop.reports("a.csv", &lines, "2");
    assert_eq!(shop.step(4).await.linked, 2);
    let card = shop.order(&order).await.card;
    shop.world
        .as_owner("UPDATE card_order SET state = 'PERSONALISED', card_id = NULL, linked_at = NULL")
        .await;
    assert_eq!(shop.step(5).await, Done { linked: 2, ..Done::default() });
    assert_eq!(shop.order(&order).await.card, card);
    shop.world.close().await;
}

#[tokio::test]
async fn each_line_of_a_report_counts_once_and_what_is_none_is_left_out() {
    let shop = Shop::new().await;
    for named in ["1", "2", "3"] {
        shop.orders(named).await;
    }
    assert_eq!(shop.step(0).await.sent, 3);
    let lines = shop.lines();
    let [first, second, third] = &lines[..] else { panic!("three lines") };
    let rejected = |made, repeated, rejected| Done {
        made,
        repeated,
        rejected,
        linked: made,
        ..Done::default()
    };
    let bad = Done { bad_reports: 1, ..Done::default() };
    let other = first.replacen("******", "*****0", 1);
    let ends = |line: &str| {
        let digit = if &line[15..16] == "0" { "1" } else { "0" };
        format!("{}{digit}{}", &line[..15], &line[16..])
    };
    let unknown = first.replace(&first[17..53], &Uuid::new_v4().to_string());
    let rows: [(&str, Vec<String>, &str, Done); 7] = [
        ("wrong count", lines.clone(), "4", bad),
        ("damaged", vec![first.replace(',', ";"), other], "2", rejected(0, 0, 2)),
        ("ends otherwise", vec![ends(first)], "1", rejected(0, 0, 1)),
        ("nobody's", vec![unknown], "1", rejected(0, 0, 1)),
        ("twice", vec![first.clone(), first.clone()], "2", rejected(1, 1, 0)),
        ("told before", vec![first.clone(), second.clone()], "2", rejected(1, 1, 0)),
        ("the last", vec![third.clone()], "1", rejected(1, 0, 0)),
    ];
    for (at, (what, lines, count, expected)) in (1..).zip(rows) {
        shop.reports("a.csv", &lines, count);
        assert_eq!(shop.step(at).await, expected, "{what}");
    }
    // One that is not done being written is looked at again; one that is too long is not taken.
    let place = shop.directory.path().join("in");
    fs::write(place.join("b.csv"), "cardNumber,reference,tra").expect("written");
    fs::write(place.join("c.csv"), "x".repeat(5_000)).expect("written");
    assert_eq!(shop.step(20).await, bad);
    assert_eq!(shop.step(21).await, Done::default());
    let left =
        |folder: &str| fs::read_dir(shop.directory.path().join(folder)).expect("read").count();
    assert_eq!((left("in"), left("taken"), left("rejected")), (1, 6, 2));
    assert_eq!(shop.world.count("SELECT count(*) FROM perso_report").await, 8);
    shop.world.close().await;
}

// covers: SR-030
#[tokio::test]
async fn who_may_not_have_a_card_orders_none_and_nobody_too_many() {
    let shop = Shop::new().await;
    let world = &shop.world;
    let partner = world.one.partner;
    let by = |named: &str| OrderedBy { key: key(named), actor: text("partner:1"), now: NOW };
    let stranger = world.customer("A-2").await.public_id;
    let theirs = shop.plastic.order((partner, stranger), &shop.wanted(), by("x")).await;
    assert_eq!(code(theirs), "NOT_FOUND", "another customer's account");
    let tenant = (world.other.partner, shop.customer);
    assert_eq!(code(shop.plastic.order(tenant, &shop.wanted(), by("y")).await), "NOT_FOUND");
    type Spoil = fn(&mut NewPlastic);
    let rows: [(&str, Spoil); 6] = [
        ("holderName", |new| new.holder_name = Personal::new("Zoë".into())),
        ("delivery.street", |new| new.delivery.street = Personal::new(" ".into())),
        ("delivery.city", |new| new.delivery.city = Personal::new("a\nb".into())),
        ("delivery.country", |new| new.delivery.country = Personal::new("es".into())),
        ("delivery.phone", |new| new.delivery.phone = Some(Personal::new("600".into()))),
        ("delivery.phone", |new| new.delivery.phone = None),
    ];
    for (field, spoil) in rows {
        let mut new = shop.wanted();
        spoil(&mut new);
        let problem = shop.asks(&new, "bad").await.expect_err("refused");
        assert_eq!((problem.code, problem.field.as_deref()), ("INVALID_REQUEST", Some(field)));
    }
    for (named, physical_of) in [("n", "0"), ("o", "-1"), ("p", "9999"), ("q", "x")] {
        let new = NewPlastic { physical_of: Some(physical_of.to_owned()), ..shop.wanted() };
        assert_eq!(code(shop.asks(&new, named).await), "NOT_FOUND");
    }
    for named in ["1", "2", "3"] {
        shop.orders(named).await;
    }
    assert_eq!(code(shop.asks(&shop.wanted(), "4").await), "EXHAUSTED");
    let order = shop.orders("1").await;
    let stolen = shop.plastic.order_of((world.other.partner, shop.customer), order.reference);
    assert_eq!(code(stolen.await), "NOT_FOUND");
    shop.world.close().await;
}

//
#[tokio::test]
async fn a_01_a_virtual_card_gets_plastic_with_its_own_number() {
    let shop = Shop::new().await;
    let partner = shop.world.one.partner;
    let balance = shop.world.users.balance_by_handle(partner, shop.balance).await.expect("it").id;
    let expiry = Expiry::from_yymm(3011).expect("a month");
    let new = NewCard { balance, expiry, active: true };
    let issued = shop.world.services.issue_card(key("v"), text("test"), new).await.expect("a card");
    let print = NewPlastic { physical_of: Some(issued.card.0.to_string()), ..shop.wanted() };
    let order = shop.asks(&print, "print").await.expect("an order");
    assert_eq!(order.physical_of, Some(issued.card));
    assert_eq!(shop.step(0).await.sent, 1);
    let file = shop.opened();
    assert!(file.records[0].pan == issued.pan && file.records[0].expiry == expiry);
    // The number of a card is looked for where the tables have it.
    while shop.world.count("SELECT count(*) FROM card").await < 1 {
        tokio::task::yield_now().await;
    }
    shop.reports("a.csv", &shop.lines(), "1");
    assert_eq!(shop.step(1).await, Done { made: 1, linked: 1, ..Done::default() });
    assert_eq!(shop.order(&order).await.card, Some(issued.card));
    let card = shop.card(Some(issued.card)).await;
    assert_eq!(card.status, CardStatus::Active, "it was in use all the time");
    assert!(card.references.expect("its data").service_code.is_some_and(ServiceCode::has_chip));
    let again = shop.asks(&print, "again").await;
    assert_eq!(code(again), "CONFLICT", "it is plastic already");
    shop.world.close().await;
}

#[tokio::test]
async fn an_account_that_was_closed_gets_no_card_and_addresses_are_forgotten() {
    let shop = Shop::new().await;
    let order = shop.orders("1").await;
    assert_eq!(shop.step(0).await.sent, 1);
    let partner = shop.world.one.partner;
    let balance = shop.world.users.balance_by_handle(partner, shop.balance).await.expect("it").id;
    let close = shop.world.services.set_balance_state(
        key("close"),
        text("test"),
        balance,
        BalanceState::Closed,
    );
    close.await.expect("closed");
    shop.reports("a.csv", &shop.lines(), "1");
    assert_eq!(shop.step(1).await, Done { made: 1, refused: 1, ..Done::default() });
    let refused = shop.order(&order).await;
    assert_eq!((refused.state, refused.card), (OrderState::Refused, None));
    assert_eq!(refused.refusal.as_deref(), Some("BALANCE_CLOSED"));
    let kept = shop.world.count("SELECT count(*) FROM pan_vault").await;
    assert_eq!(kept, 1, "its number stands on plastic, and is nobody else's");
    let known = "SELECT count(*) FROM card_order WHERE street IS NOT NULL OR holder_name \
                 IS NOT NULL OR phone IS NOT NULL";
    assert_eq!(shop.world.count(known).await, 1);
    shop.step(86_399).await;
    assert_eq!(shop.world.count(known).await, 1);
    shop.step(86_402).await;
    assert_eq!(shop.world.count(known).await, 0);
    assert_eq!(shop.world.count("SELECT count(*) FROM perso_report").await, 0);

    // Who is removed is forgotten at once, and what waits is not made.
    let customer = shop.world.users.customer(partner, shop.customer).await.expect("it");
    let removed = shop.world.users.remove(partner, shop.customer, customer.version, NOW).await;
    removed.expect("every account is closed");
    shop.world.close().await;
}

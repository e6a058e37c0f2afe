//! A switch whose programme has its cards verified, by this process or by a simulated hardware
//! module, and one card with a chip that computes by itself. It owns the keys of both sides; what
//! is wanted of answers is the stories' affair.

use std::path::Path;

use codecs::framing::{Framing, LengthHeader};
use simulators::chip::{
    CardFacts, CardKind, Flaw, IssuerAnswer, Signed, SimulatedCard, TestKeys, pin_block_0,
    pin_verification_value,
};
use simulators::demo_file::TestPan;
use simulators::hsm::{HsmUnit, Settings as UnitSettings};
use switch_domain::{
    AsciiText, CardId, CardSecurityTerms, MinorUnits, PinMethod, PinReference, ScriptKind,
    ScriptStanding, SecurityKeys, ServiceCode,
};
use switch_security::{Key, KeyCipher, KeyUsage};
use switch_server::config::{Config, HsmKeyEntry, LinkPin, Module};
use switch_store::private_postgres::DatabaseUrl;

use crate::issuer::chip_and_pin;
use crate::keys::{ceremony, keys as import_keys};
use crate::speaker::{Draft, Speaker, Value};
use crate::stage::{Issued, Stage, key, text};

/// What a dialect that says it says of the PIN block: format 0, under the first key.
const CONTROL: &str = "9701010001000000";
/// The first PIN of the card.
pub(crate) const PIN: &str = "8264";

/// The zone key of AES, for blocks of format 4.
pub(crate) const AES_ZONE: &str = "zpk-aes";

/// Names, usages and digits of the programme's keys and of the zone keys of PINs.
fn named_keys(keys: &TestKeys) -> [(&'static str, KeyUsage, String); 8] {
    [
        ("cvk", KeyUsage::C0, keys.card_values.digits()),
        ("cvk2", KeyUsage::C0, keys.card_codes.digits()),
        ("pvk", KeyUsage::V2, keys.pin_values.digits()),
        ("zpk", KeyUsage::P0, keys.zone.digits()),
        (AES_ZONE, KeyUsage::P0, keys.aes_zone.digits()),
        ("imk-ac", KeyUsage::E0, keys.cryptograms.digits()),
        ("imk-smi", KeyUsage::E2, keys.script_integrity.digits()),
        ("imk-smc", KeyUsage::E1, keys.script_confidentiality.digits()),
    ]
}

fn label<const N: usize>(name: &str) -> AsciiText<N> {
    AsciiText::new(name.as_bytes()).expect("a short name")
}

/// How the programme's keys are used, by name.
fn cipher(name: &str) -> KeyCipher {
    if name == AES_ZONE { KeyCipher::Aes } else { KeyCipher::Tdes }
}

pub(crate) fn key_of(name: &str, usage: KeyUsage, digits: &str) -> Key {
    let bytes = hex::decode(digits).expect("digits");
    Key::new(usage, cipher(name), &bytes).expect("a key")
}

/// A switch and the chip of one of its cards.
pub(crate) struct Chips {
    pub(crate) stage: Stage,
    pub(crate) issued: Issued,
    id: CardId,
    pub(crate) card: SimulatedCard,
    pub(crate) speaker: Speaker,
    stan: u32,
}

/// A unit on a port of its own.
pub(crate) async fn unit() -> HsmUnit {
    let settings = UnitSettings { lmk: Some([0x5A; 32]), ..UnitSettings::default() };
    HsmUnit::listen(([127, 0, 0, 1], 0).into(), settings).await.expect("a port")
}

/// Cards are verified by this unit, whose keys are those of the programme.
pub(crate) fn by_unit(config: &mut Config, unit: &HsmUnit) {
    config.security.module = Module::Hardware;
    config.hsm.units = vec![unit.address().to_string()];
    config.hsm.lmk_check_value = Some(unit.check_value());
    for (name, usage, digits) in named_keys(&TestKeys::from_seed(42)) {
        let key = unit.wrap_key(&key_of(name, usage, &digits)).expect("wrapped");
        let entry = HsmKeyEntry { usage: usage.code().to_owned(), key };
        config.hsm.keys.insert(name.to_owned(), entry);
    }
}

/// Cards are verified by this process, whose key file has the programme's keys.
pub(crate) fn by_software(config: &mut Config) {
    let directory = config.security.key_file.parent().expect("a directory").to_owned();
    config.security.lmk_components = ceremony(&directory);
    for (name, usage, digits) in named_keys(&TestKeys::from_seed(42)) {
        import(&directory, name, usage, &digits);
    }
    config.security.key_file = directory.join("keys/switch.keys");
}

pub(crate) fn import(directory: &Path, name: &str, usage: KeyUsage, digits: &str) {
    let cipher = if cipher(name) == KeyCipher::Aes { "aes" } else { "tdes" };
    let arguments = ["import", name, "--usage", usage.code(), "--cipher", cipher];
    let (good, said) = import_keys(directory, &arguments, digits);
    assert!(good, "{said}");
}

impl Chips {
    /// A switch over an empty database, with terms and one card.
    pub(crate) async fn start(
        kind: CardKind,
        dialect: &str,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let stage = Stage::configured(|config| {
            let link = config.links.get_mut("test").expect("the link");
            link.dialect = dialect.into();
            let (key, keys) = ("zpk".to_owned(), std::collections::BTreeMap::new());
            link.pin = Some(LinkPin { key, keys, formats: vec![0] });
            change(config);
        })
        .await;
        if let Some(units) = stage.app.hardware_module() {
            let mut connections = units.client().connections();
            let all = stage.config.hsm.units.len() * stage.config.hsm.connections;
            connections.wait_for(|up| *up == all).await.expect("the client lives");
        }
        let issued = stage.issue(10_000_000, 1_000_000).await;
        let id = CardId(number(&stage, "SELECT id FROM card").await);
        let keys = TestKeys::from_seed(42);
        let facts = CardFacts {
            pan: TestPan::new(issued.pan.clone()),
            expiry: "4912".into(),
            service_code: "201".into(),
            sequence: 1,
            pin: PIN.into(),
            kind,
        };
        let card = SimulatedCard::personalised(&keys, facts).expect("a card");
        let programme =
            *stage.services().node().control().programmes.keys().next().expect("a programme");
        let (services, actor) = (stage.services(), text("test"));
        let terms = Some(terms());
        services
            .set_card_security(key("terms"), actor, programme, terms)
            .await
            .expect("terms are set");
        let data = (ServiceCode::new(201).ok(), 1);
        services.set_card_data(key("data"), actor, id, data).await.expect("data");
        let reference = reference(&keys, &issued.pan);
        services.set_pin_reference(key("pin"), actor, id, reference).await.expect("a reference");
        let speaker = speaker(&stage, dialect).await;
        Self { stage, issued, id, card, speaker, stan: 0 }
    }

    /// A number of its own for a message.
    pub(crate) const fn next(&mut self) -> u32 {
        self.stan += 1;
        self.stan
    }

    /// A message with chip and PIN, for so much, and what the chip remembers of it.
    pub(crate) fn message(
        &mut self,
        code: &str,
        cents: u64,
        flaw: Option<Flaw>,
    ) -> (Draft, Signed) {
        let of = (self.next(), code, cents);
        let (mut draft, signed) = chip_and_pin(&self.speaker, &mut self.card, of, flaw);
        if self.speaker.dialect().pin_block_form().format_at.is_some() {
            draft.push((53, Value::Text(CONTROL.to_owned())));
        }
        (draft, signed)
    }

    /// Buys for a euro; how that was answered, and what the chip makes of it.
    pub(crate) async fn buy(&mut self, flaw: Option<Flaw>) -> (String, IssuerAnswer) {
        let (draft, signed) = self.message("000000", 100, flaw);
        let said = self.speaker.ask("100", &draft).await;
        let judged = signed.judge_chip_data(&self.speaker.chip_data(&said));
        (said.action, judged)
    }

    /// Another PIN in a block, as the terminal makes one of it.
    pub(crate) fn block_of(&self, pin: &str) -> [u8; 8] {
        pin_block_0(&TestKeys::from_seed(42).zone, &self.issued.pan, pin)
    }

    /// Buys for a euro with this as the PIN block; how that was answered.
    pub(crate) async fn buy_with(&mut self, block: &[u8]) -> String {
        let (mut draft, _) = self.message("000000", 100, None);
        draft.retain(|(field, _)| *field != 52);
        draft.push((52, Value::Bytes(block.to_vec())));
        self.speaker.ask("100", &draft).await.action
    }

    /// What became of the last command for the chip.
    pub(crate) async fn script(&self) -> Option<(ScriptKind, ScriptStanding)> {
        let counters = self.stage.services().node().card_counters(self.id).await;
        counters.and_then(|counters| counters.script).map(|script| (script.kind, script.standing))
    }

    /// The switch is stopped and started over the same database.
    pub(crate) async fn restart(mut self) -> Self {
        self.stage = self.stage.restart().await;
        let dialect = self.stage.config.links["test"].dialect.clone();
        self.speaker = speaker(&self.stage, &dialect).await;
        self
    }

    /// Reasons in the tables of all that was decided of cards, in order.
    pub(crate) async fn reasons(&self) -> Vec<String> {
        // What a command changes of the account is answered behind all that was decided before.
        let (services, name) = (self.stage.services(), format!("behind {}", self.stan));
        let balance = self.issued.balance;
        let credit =
            services.credit_balance(key(&name), text("test"), balance, MinorUnits(1), text("one"));
        credit.await.expect("credited");
        let pool = pool(&self.stage).await;
        let all = "SELECT reason FROM card_authorization ORDER BY decided_at, id";
        let reasons = sqlx::query_scalar(all).fetch_all(&pool).await.expect("rows");
        pool.close().await;
        reasons
    }
}

async fn speaker(stage: &Stage, dialect: &str) -> Speaker {
    let dialect = switch_server::config::dialect(dialect).expect("a dialect");
    Speaker::connect(stage.address(), dialect, Framing::new(LengthHeader::Binary2)).await
}

async fn pool(stage: &Stage) -> sqlx::PgPool {
    let url = DatabaseUrl::parse(stage.database.url().expose()).expect("a URL");
    sqlx::PgPool::connect_with(url.connect_options()).await.expect("connected")
}

/// One number of the tables.
pub(crate) async fn number(stage: &Stage, sql: &'static str) -> i64 {
    let pool = pool(stage).await;
    let number = sqlx::query_scalar(sql).fetch_one(&pool).await.expect("a number");
    pool.close().await;
    number
}

/// Terms of a programme with PINs and chips of all kinds.
pub(crate) fn terms() -> CardSecurityTerms {
    let keys = SecurityKeys {
        cvk: label("cvk"),
        cvk2: vec![label("cvk2")],
        pvk: label("pvk"),
        imk_ac: label("imk-ac"),
        imk_smi: label("imk-smi"),
        imk_smc: label("imk-smc"),
    };
    let profiles = CardKind::ALL.iter().map(|kind| label(kind.profile())).collect();
    CardSecurityTerms { keys, pin: Some(PinMethod::Pvv), profiles, ..CardSecurityTerms::default() }
}

/// What the issuer keeps of the card's PIN, computed apart from the switch under test.
pub(crate) fn reference(keys: &TestKeys, pan: &str) -> PinReference {
    let value = pin_verification_value(&keys.pin_values, pan, 1, PIN);
    PinReference::pvv(1, value.as_bytes()).expect("four digits")
}

//! The same story in every shipped dialect, each over three framings: approval and repeat, every
//! lock, short of funds, reversal and its repeat, what was decided in the issuer's stead, sign-on,
//! the life of a transaction (`life`), every field malformed and every one that must be there left
//! out. The wanted action codes stand
//! here for each edition of the standard, written out.

mod life;

use codecs::framing::{Framing, HeaderForm, LengthHeader, Trailer};
use codecs::iso8583::{Dialect, Version};
use simulators::network::Function;
use switch_domain::{Expiry, LockCode, MinorUnits};
use switch_server::config::Link;

use crate::speaker::{Speaker, Value};
use crate::stage::{Stage, key, text};

/// A purchase that the balance cannot pay.
const TOO_MUCH: u64 = 900_000_000;

/// In the order of the editions: 1987, 1993, 2003.
type Codes = [&'static str; 3];

const APPROVED: Codes = ["00", "000", "0000"];
const SHORT_OF_FUNDS: Codes = ["51", "116", "1016"];
const REVERSED: Codes = ["00", "400", "4000"];
const ADVISED: Codes = ["00", "901", "9001"];
const NETWORK: Codes = ["00", "800", "8000"];
const FORMAT_ERROR: Codes = ["30", "904", "9100"];
const INVALID_TRANSACTION: Codes = ["12", "902", "9102"];
const LOCKS: [(LockCode, Codes); 9] = [
    (LockCode::Lost, ["41", "208", "2008"]),
    (LockCode::Stolen, ["43", "209", "2009"]),
    (LockCode::PendingQuery, ["05", "100", "1000"]),
    (LockCode::Consolidation, ["51", "116", "1016"]),
    (LockCode::Inactive, ["56", "118", "1018"]),
    (LockCode::PinTriesExceeded, ["75", "106", "1006"]),
    (LockCode::SuspectedFraud, ["59", "102", "1002"]),
    (LockCode::Replaced, ["14", "111", "1011"]),
    (LockCode::OfflinePinTriesExceeded, ["75", "106", "1006"]),
];

fn framings() -> [Framing; 3] {
    [
        Framing::new(LengthHeader::Binary2),
        Framing { header: HeaderForm::Tpdu, ..Framing::new(LengthHeader::Ascii(4)) },
        Framing {
            header: HeaderForm::Station,
            trailer: Trailer::Etx,
            inclusive: true,
            ..Framing::new(LengthHeader::Binary4)
        },
    ]
}

/// What one link is asked.
struct Told<'a> {
    speaker: &'a mut Speaker,
    name: &'a str,
    stan: u32,
}

impl Told<'_> {
    fn stan(&mut self) -> u32 {
        self.stan += 1;
        self.stan
    }

    fn wanted(&self, codes: Codes) -> &'static str {
        let [first, second, third] = codes;
        match self.speaker.version() {
            Version::V1987 => first,
            Version::V1993 => second,
            Version::V2003 => third,
        }
    }

    /// The answer to what cannot be read: in words (DE44), or as severity, error and element in
    /// DE18.
    async fn format_error(&mut self, (words, set): &(String, String)) {
        let said = self.speaker.answer().await;
        assert_eq!(said.action, self.wanted(FORMAT_ERROR), "{} {words}", self.name);
        match self.speaker.version() {
            Version::V1987 | Version::V1993 => assert_eq!(said.text, *words, "{}", self.name),
            Version::V2003 => assert_eq!(said.error_set, *set, "{} {words}", self.name),
        }
    }

    async fn purchase(&mut self, pan: &str, cents: u64, codes: Codes) {
        let stan = self.stan();
        let draft = self.speaker.purchase(pan, stan, cents);
        let said = self.speaker.ask("100", &draft).await;
        assert_eq!(said.mti, self.speaker.mti("110").to_string(), "{}", self.name);
        assert_eq!(said.action, self.wanted(codes), "{} of {stan}", self.name);
        assert_eq!(said.approval.is_empty(), codes != APPROVED, "{}", self.name);
    }
}

#[tokio::test]
async fn every_dialect_tells_the_same_story_over_three_framings() {
    let mut links = Vec::new();
    for dialect in Dialect::shipped_names() {
        for (number, framing) in framings().into_iter().enumerate() {
            links.push((format!("{dialect}-{number}"), dialect, framing));
        }
    }
    let configured: Vec<_> = links.clone();
    let stage = Stage::configured(|config| {
        config.links.clear();
        for (index, (name, dialect, framing)) in configured.into_iter().enumerate() {
            let id = u16::try_from(index + 1).expect("few");
            let dialect = dialect.to_owned();
            let mut link = Link { id, dialect, framing, ..Link::default() };
            link.listen = Some(([127, 0, 0, 1], 0).into());
            config.links.insert(name, link);
        }
    })
    .await;
    let issued = stage.issue(10_000_000, 1_000_000).await;
    let mut locked = Vec::new();
    for (lock, codes) in LOCKS {
        let new = admin_api::NewCard {
            balance: issued.balance,
            expiry: Expiry::from_yymm(4_912).expect("a month"),
            active: true,
        };
        let name = format!("lock {}", lock.number());
        let card =
            stage.services().issue_card(key(&name), text("test"), new).await.expect("issued");
        let pan = switch_security::exit::reveal_test_pan(&card.pan).expect("a test number");
        let done = stage.services().lock_card(key(&(name + " now")), text("test"), card.card, lock);
        done.await.expect("locked");
        locked.push((pan, codes));
    }
    let addresses = stage.app.addresses().links.clone();
    for (index, (name, dialect, framing)) in links.into_iter().enumerate() {
        let (_, address) = addresses.iter().find(|(link, _)| *link == name).expect("it listens");
        let dialect = Dialect::shipped(dialect).expect("shipped");
        let mut speaker = Speaker::connect(*address, dialect, framing).await;
        let stan = u32::try_from(index).expect("few") * 1_000;
        let mut told = Told { speaker: &mut speaker, name: &name, stan };
        tell(&mut told, &issued.pan, &locked).await;
    }
    let balance = stage.services().node().balance(issued.balance).await.expect("known");
    assert_eq!(balance.held, MinorUnits(30 * 1_250), "one hold for each link");
    assert_eq!(balance.ledger, MinorUnits(1_000_000), "what was paid was refunded");
    stage.end().await;
}

async fn tell(told: &mut Told<'_>, pan: &str, locked: &[(String, Codes)]) {
    sign_on(told).await;
    told.purchase(pan, 1_250, APPROVED).await;
    told.purchase(pan, TOO_MUCH, SHORT_OF_FUNDS).await;
    for (pan, codes) in locked {
        told.purchase(pan, 1_250, *codes).await;
    }
    repeat_and_reversal(told, pan).await;
    in_our_stead(told, pan, locked).await;
    life::tell(told, pan).await;
    bad_field(told, pan).await;
    another_function(told, pan).await;
}

async fn sign_on(told: &mut Told<'_>) {
    let stan = told.stan();
    for function in [Function::SignOn, Function::Echo] {
        let draft = told.speaker.management(function, stan);
        let said = told.speaker.ask("800", &draft).await;
        assert_eq!(said.action, told.wanted(NETWORK), "{} {function:?}", told.name);
    }
}

async fn repeat_and_reversal(told: &mut Told<'_>, pan: &str) {
    let stan = told.stan();
    let draft = told.speaker.purchase(pan, stan, 777);
    let first = told.speaker.ask("100", &draft).await;
    assert_eq!(first.action, told.wanted(APPROVED), "{}", told.name);
    let again = told.speaker.ask("101", &draft).await;
    assert_eq!(again.body, first.body, "{}: the stored answer", told.name);

    let own = told.stan();
    let draft = told.speaker.reversal(pan, own, stan, 777);
    for kind in ["400", "401"] {
        let said = told.speaker.ask(kind, &draft).await;
        assert_eq!(said.mti, told.speaker.mti("410").to_string(), "{}", told.name);
        assert_eq!(said.action, told.wanted(REVERSED), "{} {kind}", told.name);
    }
}

/// Advices of what the network decided by itself: each is accepted and none twice, whatever the
/// card is; what it held is given back, so that the story leaves one hold.
async fn in_our_stead(told: &mut Told<'_>, pan: &str, locked: &[(String, Codes)]) {
    let (lost, _) = &locked[0];
    for (pan, cents, approved) in
        [(pan, 555, true), (pan, 555, false), (lost.as_str(), 1_000, true), (pan, TOO_MUCH, true)]
    {
        let stan = told.stan();
        let draft = told.speaker.advice(pan, stan, cents, approved);
        let first = told.speaker.ask("120", &draft).await;
        assert_eq!(first.mti, told.speaker.mti("130").to_string(), "{}", told.name);
        assert_eq!(first.action, told.wanted(ADVISED), "{}", told.name);
        assert_eq!(first.approval, "", "{}", told.name);
        let again = told.speaker.ask("121", &draft).await;
        assert_eq!(again.body, first.body, "{}: the stored answer", told.name);
        if approved && cents == TOO_MUCH {
            told.purchase(pan, 1, SHORT_OF_FUNDS).await;
        }
        let own = told.stan();
        let draft = told.speaker.reversal(pan, own, stan, cents);
        assert_eq!(told.speaker.ask("400", &draft).await.action, told.wanted(REVERSED));
    }
    let stan = told.stan();
    let mut draft = told.speaker.advice(pan, stan, 555, true);
    draft.retain(|(field, _)| *field != 39);
    let bytes = told.speaker.bytes(told.speaker.mti("120"), &draft);
    told.speaker.send(&bytes).await;
    told.format_error(&("FIELD 39 ABSENT".into(), "00000103900000".into())).await;
}

/// Each field of a purchase in turn with a byte in it that means nothing there, and each that must
/// be there without it. The trace number stays: without one there is nobody to answer.
async fn bad_field(told: &mut Told<'_>, pan: &str) {
    let stan = told.stan();
    let draft = told.speaker.purchase(pan, stan, 1_250);
    let good = told.speaker.bytes(told.speaker.mti("100"), &draft);
    let mandatory = told.speaker.dialect().mandatory_fields(told.speaker.mti("100"));
    let mandatory = mandatory.expect("a rule");
    for (field, value) in &draft {
        if *field == 11 {
            continue;
        }
        // Bytes of bits mean something whatever they are.
        if matches!(value, Value::Text(_)) {
            let mut bytes = good.clone();
            let at = told.speaker.content_offset(&bytes, *field);
            bytes[at] = 0xFA;
            told.speaker.send(&bytes).await;
            let named = (format!("FIELD {field} BYTE {at}"), format!("000003{field:03}00000"));
            told.format_error(&named).await;
        }
        if mandatory.contains(*field) || *field == 2 {
            let mut without = draft.clone();
            without.retain(|(other, _)| other != field);
            let bytes = told.speaker.bytes(told.speaker.mti("100"), &without);
            told.speaker.send(&bytes).await;
            let named = (format!("FIELD {field} ABSENT"), format!("000001{field:03}00000"));
            told.format_error(&named).await;
        }
    }
}

/// What an edition has a function code for, and is not done yet.
async fn another_function(told: &mut Told<'_>, pan: &str) {
    if told.speaker.version() == Version::V1987 {
        return;
    }
    let stan = told.stan();
    let mut draft = told.speaker.purchase(pan, stan, 1_250);
    draft.retain(|(field, _)| *field != 24);
    draft.push((24, Value::Text("181".into())));
    let said = told.speaker.ask("100", &draft).await;
    assert_eq!(said.action, told.wanted(INVALID_TRANSACTION), "{}", told.name);

    let own = told.stan();
    let mut draft = told.speaker.reversal(pan, own, stan, 1_250);
    draft.retain(|(field, _)| *field != 24);
    draft.push((24, Value::Text("403".into())));
    let said = told.speaker.ask("400", &draft).await;
    assert_eq!(said.action, told.wanted(INVALID_TRANSACTION), "{}: no function", told.name);
}

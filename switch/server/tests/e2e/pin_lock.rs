//! The PIN of a card with a chip is guessed, over real links of the real binary whose keys, terms
//! and cards came by its own commands: the third wrong one locks the card, from then on nobody
//! learns anything, a restart forgets nothing, and an unlock gives the holder's tries back. And
//! many guesses at once: no more outcomes are told than there are tries.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value as Json, json};
use simulators::chip::{CardKind, Flaw, IssuerAnswer, pin_block_0, pin_verification_value};
use sqlx::ConnectOptions;
use switch_store::private_postgres::{TestDatabase, fresh_database};

use crate::explain::{explain, told};
use crate::issuer::{Issued, KEYED, Plan, chip_and_pin, connect, set, set_up, test_keys};
use crate::speaker::{Said, Speaker, Value};
use crate::stage::Served;

const CENTS: u64 = 1_250;
/// Three editions of the standard, for each of which one card is used.
const PLAN: Plan<'_> = Plan {
    configuration: "\
        [links.test]\npin = { key = 'zpk', formats = [0] }\n\
        [links.v93]\nid = 2\nlisten = '127.0.0.1:0'\ndialect = 'iso93-ascii'\n\
        pin = { key = 'zpk', formats = [0] }\n\
        [links.v03]\nid = 3\nlisten = '127.0.0.1:0'\ndialect = 'iso2003-binary'\n\
        pin = { key = 'zpk', formats = [0] }\n",
    terms: "\
        cvk = 'cvk'\npvk = 'pvk'\nimk_ac = 'imk'\npin = { method = 'pvv' }\npin_limit = 3\n\
        profiles = ['visa-18', 'mchip-10', 'visa-10']\n",
    cards: &[
        ("8264", "201", CardKind::Visa18),
        ("739105", "201", CardKind::MChip10),
        ("504987", "201", CardKind::Visa10),
    ],
};
/// What an attacker's terminals send at once comes in any order of the chip's counter.
const MANY: Plan<'_> = Plan {
    terms: "\
        cvk = 'cvk'\npvk = 'pvk'\nimk_ac = 'imk'\npin = { method = 'pvv' }\npin_limit = 3\n\
        profiles = ['visa-18', 'mchip-10', 'visa-10']\ntakes_lower_counters = true\n",
    ..PLAN
};

const RIGHT: IssuerAnswer = IssuerAnswer::Right { approved: true };
const DECLINED: IssuerAnswer = IssuerAnswer::Right { approved: false };
const LOCKED: &str = "locked_pin_tries_exceeded";

/// A link, and how its edition says what is said here.
struct Edition {
    link: &'static str,
    dialect: &'static str,
    approved: &'static str,
    wrong_pin: &'static str,
    no_more_tries: &'static str,
    wrong_cryptogram: &'static str,
    replayed: &'static str,
}

const EDITIONS: [Edition; 3] = [
    Edition {
        link: "test",
        dialect: "iso87-ascii",
        approved: "00",
        wrong_pin: "55",
        no_more_tries: "75",
        wrong_cryptogram: "59",
        replayed: "63",
    },
    Edition {
        link: "v93",
        dialect: "iso93-ascii",
        approved: "000",
        wrong_pin: "117",
        no_more_tries: "106",
        wrong_cryptogram: "129",
        replayed: "122",
    },
    Edition {
        link: "v03",
        dialect: "iso2003-binary",
        approved: "0000",
        wrong_pin: "1017",
        no_more_tries: "1006",
        wrong_cryptogram: "1029",
        replayed: "1022",
    },
];

/// What nobody can tell a right PIN from a wrong one by: every field of an answer but the numbers
/// of the message, and how long the chip's part is.
type Told = (BTreeMap<u8, Vec<u8>>, usize);

/// A holder at a terminal of one edition.
struct Till {
    edition: &'static Edition,
    issued: Issued,
    peer: Speaker,
    stan: u32,
    /// Reasons for what was sent, by retrieval number.
    reasons: Vec<(String, &'static str)>,
    /// What a locked card was told last.
    refused: Option<Told>,
}

fn state(served: &Served, card: &str) -> (Json, Json) {
    let security = served.command(&["security", "card", card]).expect("a card");
    let shown = served.command(&["card", "show", card]).expect("a card");
    (security["pin_tries"].clone(), shown["lock"].clone())
}

impl Till {
    /// Buys; the chip has to find this in the answer, and the record this reason.
    async fn buy(
        &mut self,
        flaw: Option<Flaw>,
        code: &str,
        judged: IssuerAnswer,
        reason: &'static str,
    ) -> Said {
        self.stan += 1;
        let of = (self.stan, "000000", CENTS);
        let (draft, signed) = chip_and_pin(&self.peer, &mut self.issued.card, of, flaw);
        let said = self.peer.ask("100", &draft).await;
        let dialect = self.edition.dialect;
        assert_eq!(said.action, code, "{dialect}: {reason}");
        let found = signed.judge_chip_data(&self.peer.chip_data(&said));
        assert_eq!(found, judged, "{dialect}: {reason}");
        self.reasons.push((format!("{:012}", self.stan), reason));
        said
    }

    /// Buys with a card that has no tries left, and is told what it was told before.
    async fn refused(&mut self, flaw: Option<Flaw>, reason: &'static str) {
        let said = self.buy(flaw, self.edition.no_more_tries, DECLINED, reason).await;
        let mut fields = self.peer.fields(&said);
        let numbers = [11, 37].map(|field| fields.remove(&field));
        assert!(numbers.iter().all(Option::is_some), "they are told back");
        let chip = fields.remove(&55).expect("the chip's part").len();
        let told = (fields, chip);
        let before = self.refused.get_or_insert_with(|| told.clone());
        assert_eq!(*before, told, "{}: {reason}, {flaw:?}", self.edition.dialect);
    }

    /// A right PIN, wrong ones, and the card is locked.
    async fn until_locked(&mut self, served: &Served) {
        let (edition, id) = (self.edition, self.issued.id.clone());
        self.buy(None, edition.approved, RIGHT, "approved").await;
        for tries in 1..3 {
            let code = edition.wrong_pin;
            self.buy(Some(Flaw::Pin), code, DECLINED, "incorrect_pin").await;
            assert_eq!(state(served, &id), (json!(tries), json!(null)));
        }
        let before = held(served, &self.issued);
        self.refused(Some(Flaw::Pin), "pin_tries_exceeded").await;
        assert_eq!(state(served, &id), (json!(3), json!(6)));
        self.refused(Some(Flaw::Pin), LOCKED).await;
        self.refused(None, LOCKED).await;
        assert_eq!(state(served, &id), (json!(3), json!(6)), "it counts no more");
        assert_eq!(held(served, &self.issued), before, "and moves nothing");
    }

    /// The same after a restart, until somebody unlocks it; and what is wrong of chips.
    async fn until_unlocked(&mut self, served: &Served) {
        let (edition, id) = (self.edition, self.issued.id.clone());
        assert_eq!(state(served, &id), (json!(3), json!(6)));
        let before = held(served, &self.issued);
        self.refused(None, LOCKED).await;
        self.refused(Some(Flaw::Pin), LOCKED).await;
        assert_eq!(held(served, &self.issued), before);
        served.command(&["card", "unlock", &id]).expect("unlocked");
        assert_eq!(state(served, &id), (json!(0), json!(null)));
        self.buy(Some(Flaw::Pin), edition.wrong_pin, DECLINED, "incorrect_pin").await;
        assert_eq!(state(served, &id), (json!(1), json!(null)));
        self.buy(None, edition.approved, RIGHT, "approved").await;
        assert_eq!(state(served, &id), (json!(0), json!(null)), "the holder was there");
        let replayed = Some(Flaw::ReplayedCounter);
        self.buy(replayed, edition.replayed, DECLINED, "cryptogram_replayed").await;
        let (wrong, code) = (Some(Flaw::Cryptogram), edition.wrong_cryptogram);
        self.buy(wrong, code, IssuerAnswer::Absent, "cryptogram_incorrect").await;
        self.buy(None, edition.approved, RIGHT, "approved").await;
        assert_eq!(state(served, &id), (json!(0), json!(null)));
    }
}

fn held(served: &Served, issued: &Issued) -> Json {
    let shown = served.command(&["balance", "show", &issued.balance]).expect("a balance");
    assert_eq!(shown["ledger"], "500000.00", "nothing is settled here");
    shown["held"].clone()
}

// covers: SR-210, A-34
#[tokio::test(flavor = "multi_thread")]
async fn the_third_wrong_pin_locks_the_card_and_only_an_unlock_opens_it() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let (place, url) = (directory.path(), database.url().expose());
    let issued = set_up(place, url, &PLAN).await;
    let served = Served::start_with(place, url, &KEYED);
    let mut tills = Vec::new();
    for ((edition, issued), first) in EDITIONS.iter().zip(issued).zip([100, 200, 300]) {
        let peer = connect(&served, edition.link, edition.dialect).await;
        let (stan, reasons, refused) = (first, Vec::new(), None);
        let mut till = Till { edition, issued, peer, stan, reasons, refused };
        till.until_locked(&served).await;
        tills.push(till);
    }
    served.terminate();
    let mut tills = after_a_restart(place, url, tills).await;
    assert_eq!(tills.len(), EDITIONS.len());
    for (rrn, reason) in tills.iter_mut().flat_map(|till| till.reasons.drain(..)) {
        let text = explain(place, url, &["--rrn", &rrn]);
        let text = String::from_utf8(text.stdout).expect("text");
        let (first, _) = text.split_once('\n').expect("lines");
        let outcome = if reason == "approved" { reason } else { "declined" };
        assert!(first.ends_with(&format!(": {outcome}, {reason}")), "{rrn}: {text}");
        let one = told(&explain(place, url, &["--rrn", &rrn, "--json"]));
        let pin = match reason {
            "approved" => "matched",
            "incorrect_pin" | "pin_tries_exceeded" => "mismatched",
            _ => "skipped",
        };
        assert_eq!(one["verified"]["pin"], pin, "{rrn}: {one}");
    }
    database.close().await;
}

/// Another process takes over, and the story goes on.
async fn after_a_restart(place: &Path, url: &str, tills: Vec<Till>) -> Vec<Till> {
    let mut after = Vec::new();
    let again = Served::start_with(place, url, &KEYED);
    for till in tills {
        let peer = connect(&again, till.edition.link, till.edition.dialect).await;
        let mut till = Till { peer, ..till };
        till.until_unlocked(&again).await;
        after.push(till);
    }
    let held = held(&again, &after[0].issued);
    assert_eq!(held, "112.50", "three purchases with each card");
    again.terminate();
    after
}

/// Guesses at once, over so many connections.
const GUESSES: usize = 50;
const CONNECTIONS: usize = 10;

/// Sends guesses that are all others, the right one at this place, without waiting for answers; the
/// codes that came, with how often.
async fn guess(served: &Served, issued: &mut Issued, right_at: usize) -> BTreeMap<String, usize> {
    let keys = test_keys();
    let (pan, pin) = (issued.card.facts().pan.digits().to_owned(), issued.card.facts().pin.clone());
    let value = |pin: &str| pin_verification_value(&keys.pin_values, &pan, 1, pin);
    // Another PIN may have the same value by chance, and is as good.
    let right = value(&pin);
    let mut wrong = (0..9_999).map(|n| format!("{n:04}")).filter(|other| value(other) != right);
    let mut peers = Vec::new();
    for _ in 0..CONNECTIONS {
        peers.push((connect(served, "test", "iso87-ascii").await, Vec::new()));
    }
    for place in 0..GUESSES {
        let (peer, frames) = &mut peers[place % CONNECTIONS];
        let stan = 1 + u32::try_from(place).expect("few");
        let of = (stan, "000000", CENTS);
        let (mut draft, _) = chip_and_pin(peer, &mut issued.card, of, None);
        let entered = if place == right_at { Some(pin.clone()) } else { wrong.next() };
        let block = pin_block_0(&keys.zone, &pan, &entered.expect("there are enough"));
        set(&mut draft, 52, Value::Bytes(block.to_vec()));
        frames.extend(peer.framed(&peer.bytes(peer.mti("100"), &draft)));
    }
    let asking = peers.into_iter().map(|(mut peer, frames)| {
        tokio::spawn(async move {
            peer.send_raw(&frames).await;
            let mut codes = Vec::new();
            for _ in 0..GUESSES / CONNECTIONS {
                codes.push(peer.answer().await.action);
            }
            codes
        })
    });
    let mut codes = BTreeMap::new();
    for one in asking.collect::<Vec<_>>() {
        for code in one.await.expect("it asked") {
            *codes.entry(code).or_insert(0) += 1;
        }
    }
    codes
}

/// What the records say of a card's guesses, in the order of their decisions: reason, and whether
/// the PIN was found right, or wrong, or not looked at.
async fn decided(database: &TestDatabase, card: &str) -> Vec<(String, Option<bool>)> {
    let all = "SELECT reason, evidence FROM card_authorization WHERE card_id = $1 \
               ORDER BY decided_at, id";
    let mut session = database.url().connect_options().connect().await.expect("a session");
    let card = card.parse::<i64>().expect("a number");
    let rows = sqlx::query_as::<_, (String, String)>(all).bind(card).fetch_all(&mut session).await;
    let found = |evidence: &str| {
        let says = |word: &str| evidence.split_ascii_whitespace().any(|one| one == word);
        match (says("pin=matched"), says("pin=mismatched"), says("pin=skipped")) {
            (true, false, false) => Some(true),
            (false, true, false) => Some(false),
            (false, false, true) => None,
            _ => panic!("of a PIN: {evidence}"),
        }
    };
    let row = |(reason, evidence): (String, String)| (reason, found(&evidence));
    rows.expect("rows").into_iter().map(row).collect()
}

/// Goes through them: nothing is told, and nothing granted, once three are wrong. Gives how many
/// wrong ones count at the end.
fn judge(decided: &[(String, Option<bool>)], codes: &BTreeMap<String, usize>) -> usize {
    let (mut wrong, mut since, mut locked, mut told) = (0, 0, false, 0);
    for (reason, found) in decided {
        match (found, &**reason) {
            (None, LOCKED | "pin_tries_exceeded") if locked => {}
            (Some(true), "approved") if !locked => since = wrong,
            (Some(false), "incorrect_pin") if !locked => wrong += 1,
            (Some(false), "pin_tries_exceeded") if !locked => {
                (wrong, locked) = (wrong + 1, true);
            }
            _ => panic!("{reason}, {found:?}, after {wrong} wrong ones: {decided:#?}"),
        }
        assert!(wrong - since <= 3, "{decided:#?}");
        told += usize::from(found.is_some());
    }
    assert!(locked && decided.len() == GUESSES, "{} and locked: {locked}", decided.len());
    let approved = codes.get("00").copied().unwrap_or(0);
    // Three, unless the holder was among the first ones: he has his tries anew.
    let most = if approved == 0 { 3 } else { since + 1 + 3 };
    assert!(told <= most, "{told} told, with {approved} approved: {decided:#?}");
    let of = |reason: &str| decided.iter().filter(|(one, _)| one == reason).count();
    let expected = [
        ("00", of("approved")),
        ("55", of("incorrect_pin")),
        ("75", of("pin_tries_exceeded") + of(LOCKED)),
    ];
    let expected = expected.into_iter().filter(|(_, count)| *count > 0);
    assert_eq!(*codes, expected.map(|(code, count)| (code.to_owned(), count)).collect());
    wrong - since
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_guesses_at_once_no_more_are_told_than_there_are_tries() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let (place, url) = (directory.path(), database.url().expose());
    let mut issued = set_up(place, url, &MANY).await;
    let served = Served::start_with(place, url, &KEYED);
    let mut codes = Vec::new();
    for (issued, right_at) in issued.iter_mut().zip([0, GUESSES / 2, GUESSES - 1]) {
        codes.push(guess(&served, issued, right_at).await);
    }
    let states = |served: &Served| -> Vec<_> {
        issued.iter().map(|issued| state(served, &issued.id)).collect()
    };
    let before = states(&served);
    let held = held(&served, &issued[0]);
    served.terminate();
    let served = Served::start_with(place, url, &KEYED);
    assert_eq!(states(&served), before, "what counts is the same after a restart");
    let mut approved = 0;
    for ((issued, codes), before) in issued.iter().zip(&codes).zip(before) {
        let decided = decided(&database, &issued.id).await;
        let counts = judge(&decided, codes);
        assert_eq!(before, (json!(counts), json!(6)), "{decided:#?}");
        approved += codes.get("00").copied().unwrap_or(0);
    }
    let cents = approved * usize::try_from(CENTS).expect("few");
    assert_eq!(held, format!("{}.{:02}", cents / 100, cents % 100), "one hold for each approval");
    for (issued, stan) in issued.iter_mut().zip(101..) {
        let mut peer = connect(&served, "test", "iso87-ascii").await;
        for (at, code) in [(0, "75"), (10, "00")] {
            let of = (stan + at, "000000", CENTS);
            let (draft, _) = chip_and_pin(&peer, &mut issued.card, of, None);
            assert_eq!(peer.ask("100", &draft).await.action, code);
            if at == 0 {
                served.command(&["card", "unlock", &issued.id]).expect("unlocked");
            }
        }
    }
    served.terminate();
    database.close().await;
}

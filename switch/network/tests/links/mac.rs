//! Authentication codes: a request without a good one moves nothing and is answered with the code
//! for that, and answers carry one that the peer can check.

use std::net::SocketAddr;
use std::sync::Arc;

use codecs::framing::{Framing, LengthHeader};
use codecs::iso8583::Dialect;
use switch_domain::{BinRange, Fingerprint, LinkId, Pan};
use switch_network::{LinkConfig, MacRule, OpenLink, Purpose, Request};
use switch_security::{
    CheckValue, IssueError, KeyError, KeyHandle, KeyName, Mac, MacAlgorithm, MacError, MacPadding,
    MacScheme, SealedPan, SecurityModule, VaultError,
};

use crate::rig::{Answer, DIALECTS, Draft, Log, Rig, approved_in_part, security};

const FAILURES: &str = "cardswitch_link_mac_failures_total";
const RETAIL: MacScheme = MacScheme::RetailMac(MacPadding::Zeros);

fn name(name: &str) -> KeyName {
    KeyName::new(name).expect("a name")
}

fn rule(scheme: MacScheme, bytes: usize) -> MacRule {
    let key = match scheme.algorithm() {
        MacAlgorithm::CbcMac => name("cbc"),
        MacAlgorithm::RetailMac => name("retail"),
        MacAlgorithm::Cmac => name("cmac"),
    };
    MacRule { scheme, key, bytes, required: true, answers: true }
}

fn rig(dialect: &str, rule: MacRule) -> Rig {
    Rig::with(dialect, |config| config.mac = Some(rule))
}

/// The code as it stands in its field: eight bytes, or sixteen characters.
fn code(rig: &Rig, rule: &MacRule, covered: &[u8]) -> Vec<u8> {
    let module = security();
    let key = module.find_mac_key(&rule.key, rule.scheme.algorithm()).expect("known");
    let mac = module.generate_mac(key, rule.scheme, covered).expect("made");
    let mut room = mac.shortened(rule.bytes).expect("long enough").to_vec();
    room.resize(8, 0);
    match rig.dialect.name() {
        "iso87-ascii" => hex::encode_upper(room).into_bytes(),
        _ => room,
    }
}

/// The bytes of a message that ends with its code in `field`.
fn coded(rig: &Rig, rule: &MacRule, field: u8, draft: &Draft) -> Vec<u8> {
    let width = code(rig, rule, b"").len();
    let mut message = draft.clone().raw(field, &vec![b'0'; width]).bytes();
    message.truncate(message.len() - width);
    let code = code(rig, rule, &message);
    message.extend(code);
    message
}

fn assert_coded(rig: &Rig, rule: &MacRule, answer: &Answer, field: u8) {
    let claimed = answer.wire(field).expect("a code");
    let covered = &answer.body()[..answer.body().len() - claimed.len()];
    assert_eq!(claimed, code(rig, rule, covered), "{:?}", answer.summary());
}

#[tokio::test]
async fn every_algorithm_and_length_goes_both_ways() {
    for dialect in DIALECTS {
        for scheme in [
            RETAIL,
            MacScheme::RetailMac(MacPadding::OneThenZeros),
            MacScheme::CbcMac(MacPadding::Zeros),
            MacScheme::CbcMac(MacPadding::OneThenZeros),
            MacScheme::Cmac,
        ] {
            for bytes in [4, 8] {
                let rule = rule(scheme, bytes);
                let rig = rig(dialect, rule.clone());
                let mut peer = rig.connect().await;
                peer.send_body(&coded(&rig, &rule, 64, &rig.request(1))).await;
                let approved = peer.answer().await;
                assert_eq!((approved.mti(), approved.text(39)), ("0110".into(), "00".into()));
                assert_coded(&rig, &rule, &approved, 64);
                // With a second bitmap the code is in the last field of that.
                peer.send_body(&coded(&rig, &rule, 128, &rig.reversal(2, 1))).await;
                let reversed = peer.answer().await;
                assert_eq!((reversed.mti(), reversed.text(39)), ("0410".into(), "00".into()));
                assert_coded(&rig, &rule, &reversed, 128);
                peer.send_body(&coded(&rig, &rule, 128, &rig.network(3, "301"))).await;
                assert_coded(&rig, &rule, &peer.answer().await, 128);
                assert_eq!(rig.script.commands().len(), 2);
                assert_eq!(rig.metric(FAILURES, ""), 0.0);
            }
        }
    }
}

/// Its answer is written anew, with another amount than was begun.
#[tokio::test]
async fn the_approval_of_a_part_carries_a_code_over_what_it_says() {
    for dialect in DIALECTS {
        let rule = rule(RETAIL, 8);
        let rig = rig(dialect, rule.clone());
        rig.script.hand_over();
        let mut peer = rig.connect().await;
        let draft = rig.request(1).set(63, "PARTIAL");
        peer.send_body(&coded(&rig, &rule, 64, &draft)).await;
        rig.script.next().await.reply.send(approved_in_part(1, 1_000, 1_250));
        let answer = peer.answer().await;
        assert_eq!((answer.text(4), answer.text(39)), ("000000001000".into(), "10".into()));
        assert_coded(&rig, &rule, &answer, 64);
    }
}

#[tokio::test]
async fn requests_of_ours_carry_a_code_and_their_answers_must() {
    for dialect in DIALECTS {
        let rule = rule(RETAIL, 4);
        let rig = rig(dialect, rule.clone());
        let mut peer = rig.connect().await;
        rig.until(|rig| !rig.handle.view().connections.is_empty()).await;
        let handle = rig.handle.clone();
        let sign_on = Request::network(Purpose::SignOn);
        let asked = tokio::spawn(async move { handle.request(sign_on).await });
        let request = peer.answer().await;
        assert_coded(&rig, &rule, &request, 128);
        let (sent, stan) = (request.text(7), request.text(11));
        let answer = rig.draft("0810").set(7, &sent).set(11, &stan).set(39, "00").set(70, "001");
        peer.send(&answer).await;
        let mut wrong = coded(&rig, &rule, 128, &answer.clone().set(39, "91"));
        let code = wrong.len() - if dialect == "iso87-ascii" { 16 } else { 8 };
        wrong[code] = if wrong[code] == b'0' { b'1' } else { b'0' };
        peer.send_body(&wrong).await;
        rig.until(|rig| rig.metric("cardswitch_link_dropped_total", "\"mac\"") == 2.0).await;
        assert_eq!((rig.metric(FAILURES, "missing"), rig.metric(FAILURES, "wrong")), (1.0, 1.0));
        assert!(!rig.handle.view().signed_on, "nothing has changed");
        peer.send_body(&coded(&rig, &rule, 128, &answer)).await;
        assert!(asked.await.expect("no panic").expect("an answer").accepted);
        assert!(rig.handle.view().signed_on);
    }
}

#[tokio::test]
async fn what_has_no_good_code_moves_nothing_and_is_answered_with_the_code_for_that() {
    for dialect in DIALECTS {
        let rule = rule(RETAIL, 4);
        let rig = rig(dialect, rule.clone());
        let mut peer = rig.connect().await;
        let good = coded(&rig, &rule, 64, &rig.request(1));
        let changed = |at: usize| {
            let mut changed = good.clone();
            let byte = changed.len() - 1 - at;
            changed[byte] ^= 1;
            changed
        };
        let per_byte = if dialect == "iso87-ascii" { 2 } else { 1 };
        let amount = {
            let mut other = rig.request(1).set(4, "000000991250").raw(64, b"").bytes();
            other.extend(&good[good.len() - 8 * per_byte..]);
            other
        };
        // A code that is right for what is before it, and a field behind it.
        let early = {
            let draft = rig.request(1).set(95, &"0".repeat(42));
            let mut before = draft.clone().raw(64, b"").bytes();
            let behind = draft.wire(95).expect("set").len();
            let tail = before.split_off(before.len() - behind);
            let code = code(&rig, &rule, &before);
            [before, code, tail].concat()
        };
        let rows = [
            ("no code", rig.request(1).bytes(), "missing"),
            ("fields behind the code", early, "missing"),
            ("another amount", amount, "wrong"),
            ("another first byte of the code", changed(8 * per_byte - 1), "wrong"),
            ("another last byte of the code", changed(5 * per_byte - 1), "wrong"),
            ("other than zeros behind a short code", changed(0), "wrong"),
            ("a sign-off without a code", rig.network(1, "002").bytes(), "missing"),
            ("a reversal without a code", rig.reversal(1, 7).bytes(), "missing"),
        ];
        for (what, message, cause) in rows {
            let before = rig.metric(FAILURES, cause);
            peer.send_body(&message).await;
            let answer = peer.answer().await;
            assert_eq!(
                (answer.text(39), answer.text(11)),
                ("98".into(), "000001".into()),
                "{what}"
            );
            assert_eq!(rig.metric(FAILURES, cause), before + 1.0, "{what}");
            let field = if answer.wire(64).is_some() { 64 } else { 128 };
            assert_coded(&rig, &rule, &answer, field);
        }
        assert_eq!(rig.script.commands().len(), 0, "nothing reached the switch");
        peer.send_body(&good).await;
        assert_eq!(peer.answer().await.text(39), "00");
    }
    let log = Log::of_this_process().text();
    let event = log.lines().find(|line| line.contains("mac_failure")).expect("an event");
    for expected in ["WARN", "security", "missing", "0100"] {
        assert!(event.contains(expected), "{event}");
    }
}

#[tokio::test]
async fn where_none_is_required_a_wrong_one_is_refused_all_the_same() {
    let rule = MacRule { required: false, answers: false, ..rule(MacScheme::Cmac, 8) };
    let rig = rig("iso87-bcd", rule.clone());
    let mut peer = rig.connect().await;
    let plain = peer.ask(&rig.request(1)).await;
    assert_eq!((plain.text(39), plain.wire(64)), ("00".into(), None));
    peer.send_body(&coded(&rig, &rule, 64, &rig.request(2))).await;
    assert_eq!(peer.answer().await.text(39), "00");
    let wrong = peer.ask(&rig.request(3).raw(64, &[7; 8])).await;
    assert_eq!((wrong.text(39), wrong.wire(64)), ("98".into(), None));
    assert_eq!(rig.metric(FAILURES, "wrong"), 1.0);
}

#[tokio::test]
async fn what_cannot_be_read_is_answered_as_such_and_with_a_code() {
    let rule = rule(RETAIL, 8);
    let rig = rig("iso87-ascii", rule.clone());
    let mut peer = rig.connect().await;
    let bad = rig.request(1).raw(4, b"00000000A250");
    peer.send_body(&coded(&rig, &rule, 64, &bad)).await;
    let answer = peer.answer().await;
    assert_eq!((answer.text(39), answer.text(44)), ("30".into(), "FIELD 4 BYTE 52".into()));
    assert_coded(&rig, &rule, &answer, 64);
    assert_eq!(rig.metric(FAILURES, ""), 0.0);
}

/// A module that has lost its keys.
struct Lost(Arc<dyn SecurityModule>);

impl SecurityModule for Lost {
    fn fingerprint(&self, pan: &Pan) -> Fingerprint {
        self.0.fingerprint(pan)
    }

    fn seal(&self, pan: &Pan, place: &[u8]) -> Result<SealedPan, VaultError> {
        self.0.seal(pan, place)
    }

    fn open(&self, sealed: &SealedPan, card: &Fingerprint, at: &[u8]) -> Result<Pan, VaultError> {
        self.0.open(sealed, card, at)
    }

    fn generate_pan(&self, range: &BinRange) -> Result<Pan, IssueError> {
        self.0.generate_pan(range)
    }

    fn check_value(&self) -> &CheckValue {
        self.0.check_value()
    }

    fn find_mac_key(&self, name: &KeyName, algorithm: MacAlgorithm) -> Result<KeyHandle, MacError> {
        self.0.find_mac_key(name, algorithm)
    }

    fn generate_mac(
        &self,
        key: KeyHandle,
        scheme: MacScheme,
        message: &[u8],
    ) -> Result<Mac, MacError> {
        self.0.generate_mac(key, scheme, message)
    }

    fn verify_mac(&self, _: KeyHandle, _: MacScheme, _: &[u8], _: &[u8]) -> Result<(), MacError> {
        Err(MacError::Key(KeyError::UnknownHandle))
    }
}

#[tokio::test]
async fn a_security_module_that_cannot_tell_never_approves() {
    let rule = rule(RETAIL, 8);
    let lost = Arc::new(Lost(security()));
    let rig = Rig::over(lost, "iso87-ascii", |config| config.mac = Some(rule.clone()));
    let mut peer = rig.connect().await;
    peer.send_body(&coded(&rig, &rule, 64, &rig.request(1))).await;
    assert_eq!(peer.answer().await.text(39), "96");
    assert_eq!(rig.metric(FAILURES, "unknown"), 1.0);
    assert_eq!(rig.script.commands().len(), 0);
}

#[tokio::test]
async fn a_link_that_cannot_authenticate_does_not_open() {
    let open = |dialect: Dialect, rule: MacRule| {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let framing = Framing::new(LengthHeader::Binary2);
        let mut config = LinkConfig::new("acquirer", LinkId(7), listen, framing, Arc::new(dialect));
        config.mac = Some(rule);
        let opened = OpenLink::open(config, crate::rig::Script::new(), security());
        opened.err().expect("refused").to_string()
    };
    let shipped = || Dialect::shipped("iso87-ascii").expect("shipped");
    let text = Dialect::shipped_toml("iso87-ascii").expect("shipped");
    let without = Dialect::from_toml(&text.replace("mac_fields = [64, 128]", "")).expect("good");
    let long = text.replace("max = 16, encoding = \"hex\" }", "max = 32, encoding = \"hex\" }");
    let long = Dialect::from_toml(&long).expect("good");
    let rows = [
        (shipped(), MacRule { key: name("absent"), ..rule(RETAIL, 8) }, "there is no key absent"),
        (shipped(), MacRule { key: name("cmac"), ..rule(RETAIL, 8) }, "is for M6"),
        (shipped(), rule(RETAIL, 3), "4 bytes at least"),
        (shipped(), rule(MacScheme::Cmac, 9), "no more than the field"),
        (without, rule(RETAIL, 8), "mac_fields says"),
        (long, rule(RETAIL, 9), "less than 9 bytes"),
    ];
    for (dialect, rule, expected) in rows {
        let error = open(dialect, rule);
        assert!(error.starts_with("link acquirer: ") && error.contains(expected), "{error}");
    }
}

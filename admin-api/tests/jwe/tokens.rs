//! Every token of the vectors behaves as its `expect` says (J-01), ends at the stage that it names,
//! and leaves nothing of itself in what is said of it (J-03, J-04, J-08).

use std::collections::BTreeMap;

use admin_api::jwe::{EncryptionProblem, JweError, OpenPolicy, Openable, Refused, Stage};

use crate::stage::{NOW, key, keys, open, open_by, part};
use crate::vectors::{Vector, all};

fn plaintext(vector: &Vector) -> Option<String> {
    vector.plaintext.map(str::to_owned)
}

// covers: SR-061, SR-063, A-13
#[test]
fn all_tokens_behave_as_they_are_expected_to() {
    let mut counts: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for vector in all() {
        let outcome = open(vector.token, keys());
        let outcome = outcome.map(|payload| part(payload.json()));
        let stage = outcome.as_ref().err().map(|refused| refused.stage().name());
        let name = format!("{} {}", vector.id, vector.name);
        match vector.expect {
            "accept" => assert_eq!(outcome.ok(), plaintext(&vector), "{name}"),
            // Without a name every live key is tried; the rest are refused.
            "either" if vector.name == "kid missing" => {
                assert_eq!(outcome.ok(), plaintext(&vector), "{name}");
            }
            "reject" | "either" => assert_eq!(stage, Some(vector.stage), "{name}"),
            other => panic!("{name}: expects {other}"),
        }
        let made_by = if vector.expect == "accept" { vector.made_by } else { "" };
        *counts.entry((vector.expect, vector.stage, made_by)).or_default() += 1;
    }
    for ((expect, stage, made_by), count) in &counts {
        println!("{count:4} {expect} {stage}{made_by}");
    }
    let of = |wanted: &str| -> usize {
        counts.iter().filter(|((expect, ..), _)| *expect == wanted).map(|(_, count)| count).sum()
    };
    println!("{:4} tokens", counts.values().sum::<usize>());
    assert_eq!((of("accept"), of("reject"), of("either")), (30, 115, 5));
}

// covers: SR-061
#[test]
fn compression_extensions_and_keys_in_the_token_are_refused_by_name() {
    let outcome = |name: &str| {
        let vector = all().into_iter().find(|vector| vector.name == name).expect("a vector");
        open(vector.token, keys()).err()
    };
    for name in ["zip DEF, small and honest", "zip DEF bomb 8 MiB", "zip GZ"] {
        assert_eq!(outcome(name), Some(Refused::Compressed), "{name}");
    }
    for name in ["crit empty list", "crit with an unknown name", "crit b64"] {
        assert_eq!(outcome(name), Some(Refused::Critical), "{name}");
    }
    for name in ["embedded jwk", "jku points outside", "x5u points outside"] {
        assert_eq!(outcome(name), Some(Refused::CarriesKey), "{name}");
    }
    assert_eq!(outcome("alg RSA1_5"), Some(Refused::Algorithm));
    assert_eq!(outcome("enc A128GCM"), Some(Refused::Encryption));
    assert_eq!(outcome("kid unknown"), Some(Refused::NoSuchKey));
}

// covers: SR-063
#[test]
fn rsa_oaep_with_sha1_can_be_switched_off() {
    let policy = OpenPolicy { rsa_oaep_sha1: false, ..OpenPolicy::default() };
    let (mut with_sha1, mut others) = (0, 0);
    for vector in all().into_iter().filter(|vector| vector.expect == "accept") {
        let outcome = open_by(vector.token, keys(), &policy);
        if vector.name.contains("RSA-OAEP ") {
            assert_eq!(outcome.err(), Some(Refused::AlgorithmSwitchedOff), "{}", vector.id);
            with_sha1 += 1;
        } else {
            assert!(outcome.is_ok(), "{}", vector.id);
            others += 1;
        }
    }
    assert_eq!((with_sha1, others), (14, 16));
}

// covers: SR-061
#[test]
fn j_05_a_token_that_says_when_it_was_issued_is_of_now_and_it_may_have_to_say_so() {
    let at = |iat: &str| {
        let header = format!("{{\"alg\":\"RSA-OAEP-256\",\"enc\":\"A256GCM\"{iat}}}");
        format!("{}.AAAA.AAAA.AAAA.AAAA", part(header.as_bytes()))
    };
    let checked = |iat: &str, issued_required: bool| {
        let policy = OpenPolicy { issued_required, ..OpenPolicy::default() };
        Openable::check(&at(iat), keys(), &policy, NOW).err()
    };
    let now = NOW.0 / 1_000_000;
    let iat = |seconds: i64| format!(",\"iat\":{}", now + seconds);
    for near in [0, 300, -300] {
        assert_eq!(checked(&iat(near), true), None, "{near}");
    }
    for far in [301, -301, -86_400] {
        assert_eq!(checked(&iat(far), false), Some(Refused::IssuedAnotherTime), "{far}");
    }
    for other in ["\"now\"", "1.5", "null"] {
        let refused = checked(&format!(",\"iat\":{other}"), false);
        assert_eq!(refused, Some(Refused::IssuedForm), "{other}");
    }
    assert_eq!(checked("", false), None);
    assert_eq!(checked("", true), Some(Refused::NotIssued));
    assert_eq!(Refused::IssuedAnotherTime.stage(), Stage::Header, "no RSA operation is paid");
}

#[test]
fn every_failure_of_decryption_is_the_same_error() {
    let mut seen = 0;
    for vector in all().into_iter().filter(|vector| vector.stage == "decrypt") {
        let refused = open(vector.token, keys()).err().expect("refused");
        assert_eq!(refused, Refused::DoesNotOpen, "{}", vector.id);
        let problem = EncryptionProblem::from(refused);
        assert_eq!((problem.code(), problem.status()), ("CANT_DECRYPT_PAYLOAD", 400));
        seen += 1;
    }
    assert_eq!(seen, 31);
    // And a key that is not there is told no otherwise.
    assert_eq!(EncryptionProblem::from(Refused::NoSuchKey), EncryptionProblem::CantDecryptPayload);
}

#[test]
fn nothing_of_a_token_or_its_payload_stands_in_what_is_said_of_it() {
    let mut said = String::new();
    let mut card_numbers = 0;
    for vector in all() {
        let Err(refused) = open(vector.token, keys()) else { continue };
        let problem = EncryptionProblem::from(refused);
        let (outer, api) = (JweError::from(refused), admin_api::Problem::from(problem));
        let text =
            format!("{refused} {refused:?} {problem} {problem:?} {outer} {outer:?} {api} {api:?}");
        for long in vector.token.split(['.', ' ']).filter(|part| part.len() > 15) {
            assert!(!text.contains(long), "{}", vector.id);
        }
        said.push_str(&text);
    }
    for vector in all() {
        let Some(plaintext) = vector.plaintext else { continue };
        let bytes = crate::stage::parts(plaintext).remove(0);
        let digits = String::from_utf8_lossy(&bytes).into_owned();
        let runs = digits.split(|digit: char| !digit.is_ascii_digit());
        for run in runs.filter(|run| run.len() > 11) {
            assert!(!said.contains(run), "{}: a card number is in what is said", vector.id);
            card_numbers += 1;
        }
    }
    println!("{card_numbers} card numbers looked for in {} characters", said.len());
    assert!(card_numbers > 20 && said.len() > 1000);
    assert!(!said.contains('\n'), "one line each");
}

#[test]
fn members_that_an_endpoint_does_not_ask_for_are_an_error_without_values() {
    #[derive(serde::Deserialize)]
    struct Asked {
        #[serde(rename = "pan")]
        _pan: u8,
    }
    let genuine = all().into_iter().find(|vector| vector.expect == "accept").expect("one");
    let payload = open(genuine.token, keys()).expect("opens");
    assert_eq!(payload.read::<Asked>().err(), Some(Refused::OtherMembers));
    let whole: serde_json::Value = payload.read().expect("an object");
    assert!(whole.is_object());
    assert_eq!(Refused::OtherMembers.stage(), Stage::Payload);
}

#[test]
fn a_key_alone_opens_its_own_tokens_and_no_others() {
    let alone = admin_api::jwe::PlatformKeys::new(key("rsa4096-a"));
    for vector in all().into_iter().filter(|vector| vector.expect == "accept") {
        let outcome = open(vector.token, &alone).err();
        let own = vector.name.ends_with("4096");
        assert_eq!(outcome, (!own).then_some(Refused::NoSuchKey), "{}", vector.id);
    }
}

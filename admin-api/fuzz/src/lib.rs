//! What holds for whatever comes in encrypted: nothing panics; no token opens but those of the
//! vectors, unchanged; what is refused before decryption costs no RSA operation; what is taken for
//! a key is one, and the same when it is written. The fuzzer looks for bytes for which it does not
//! hold; the tests of `admin-api` include this file and go through the corpus with it.

use std::sync::LazyLock;

use admin_api::jwe::{
    Asked, EncryptionProblem, KeyRules, Kid, OpenPolicy, Openable, PartnerKey, PartnerRule,
    Payload, PlatformKey, PlatformKeys, Refused, RequestBody, Requirement, ResponseBody, Stage,
    envelope, negotiate, seal, token_of,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use switch_domain::Timestamp;
use zeroize::Zeroizing;

const NOW: Timestamp = Timestamp(1_796_083_200_000_000);
const LATER: Timestamp = Timestamp(1_796_083_200_000_001);
const RULES: KeyRules = KeyRules { allow_2048: true, most_keys: 3 };

/// Tokens of three libraries, genuine and hostile, and the keys that they are for.
static VECTORS: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../tests/vectors/jwe.json")).expect("JSON")
});
static TOKENS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let tokens = VECTORS["tokens"].as_array().expect("tokens");
    tokens.iter().map(|token| token["token"].as_str().expect("text")).collect()
});
static KEYS: LazyLock<PlatformKeys> = LazyLock::new(|| {
    let key = |kid: &str| {
        let pkcs8 = VECTORS["keys"][kid]["pkcs8_der_b64"].as_str().expect("a key");
        let pkcs8 = STANDARD.decode(pkcs8).expect("base64");
        PlatformKey::from_pkcs8(Some(Kid::new(kid).expect("a name")), &pkcs8, &RULES)
            .expect("a key")
    };
    let before = PlatformKeys::new(key("rsa4096-a"));
    before.rotate(key("rsa2048-a"), (NOW, LATER), &RULES).expect("two keys")
});

/// Of how many tokens the fuzzer knows.
#[must_use]
pub fn tokens() -> usize {
    TOKENS.len()
}

/// Behind a zero a token stands as it is; otherwise the first two bytes pick one of the vectors,
/// and each four that follow change it.
pub fn token(bytes: &[u8]) {
    let text = match bytes {
        [0, text @ ..] => match std::str::from_utf8(text) {
            Ok(text) => text.to_owned(),
            Err(_) => return,
        },
        [pick, more, edits @ ..] => edited(u16::from_be_bytes([pick - 1, *more]), edits),
        _ => return,
    };
    let before = operations();
    let outcome = open(&text);
    let cost = operations() - before;
    match outcome {
        Ok(payload) => {
            assert!(TOKENS.contains(&text.as_str()), "another token than those of the vectors");
            let value: Value = payload.read().expect("it was read");
            assert!(value.is_object());
        }
        Err(refused) => {
            assert_eq!(cost > 0, refused.stage() >= Stage::Decrypt, "{refused}");
        }
    }
}

fn operations() -> u64 {
    KEYS.iter().map(|(key, _)| key.operations()).sum()
}

fn open(text: &str) -> Result<Payload, Refused> {
    Openable::check(text, &KEYS, &OpenPolicy::default(), NOW)?.open()
}

/// A vector with changes: where, which, and with what.
fn edited(pick: u16, edits: &[u8]) -> String {
    let mut text = TOKENS[usize::from(pick) % TOKENS.len()].as_bytes().to_vec();
    for [high, low, change, byte] in edits.as_chunks().0 {
        let place = usize::from(u16::from_be_bytes([*high, *low])) % (text.len() + 1);
        match change % 4 {
            0 if place < text.len() => text[place] = byte & 0x7F,
            1 if place < text.len() => drop(text.remove(place)),
            2 => text.truncate(place),
            _ => text.insert(place, byte & 0x7F),
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Lines: what is asked of the endpoint, three headers, and the body behind them.
pub fn headers(bytes: &[u8]) {
    let mut lines = bytes.splitn(5, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let how = line().first().copied().unwrap_or_default();
    let texts = [line(), line(), line()].map(|line| std::str::from_utf8(line).ok());
    let [encrypted_request, encrypt_response, public_key] =
        texts.map(|text| text.filter(|text| !text.is_empty()));
    let body = line();
    let asked = Asked {
        encrypted_request,
        encrypt_response,
        public_key,
        method: if how & 1 == 0 { "POST" } else { "GET" },
        has_body: !body.is_empty(),
    };
    let requirement = match (how >> 1) % 3 {
        0 => Requirement::Optional,
        1 => Requirement::Response,
        _ => Requirement::RequestAndResponse,
    };
    let wrong = [encrypted_request, encrypt_response];
    let wrong = wrong.iter().flatten().any(|flag| !["true", "false"].contains(flag));
    match negotiate(&asked, requirement, &PartnerRule::KeyInRequest) {
        Err(problem) => assert_eq!(wrong, problem == EncryptionProblem::InvalidPayload),
        Ok(negotiated) => {
            assert!(!wrong);
            let opened = negotiated.request == RequestBody::Encrypted;
            assert!(!opened || encrypted_request == Some("true"));
            match negotiated.response {
                ResponseBody::Plain => assert_eq!(requirement, Requirement::Optional),
                ResponseBody::Encrypted(key) => is_key(&key),
            }
        }
    }
    if let Ok(token) = token_of(body) {
        assert_eq!(token_of(envelope(&token).as_bytes()).as_deref(), Ok(token.as_str()));
    }
}

fn is_key(key: &PartnerKey) {
    assert_eq!(PartnerKey::from_der(key.der()).as_ref(), Ok(key));
    let token = seal(key, &Zeroizing::new(b"{}".to_vec())).expect("sealed");
    assert_eq!(token.split('.').count(), 5);
}

//! Two other libraries, jwcrypto (Python) and jose (Node): their tokens open here, ours open there,
//! and each reads our key as it is published.

use std::io::Write;
use std::process::{Command, Stdio};

use admin_api::jwe::{
    KeyRules, PartnerKey, PlatformKey, PlatformKeys, PublishedKey, RsaBits, seal,
};
use serde_json::{Value, json};

use crate::stage::{open, partner};
use crate::vectors::vectors;

const PAYLOADS: [&str; 3] =
    [r#"{"pan":"9999000000000019","cvv":"123"}"#, r#"{"note":"ÇAĞLA ÖZ, İş"}"#, "{}"];

/// Runs a program that answers one JSON text with another.
fn ask(mut program: Command, call: &Value) -> Value {
    let program = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = program.spawn().expect("the program starts");
    let mut input = running.stdin.take().expect("its input");
    input.write_all(call.to_string().as_bytes()).expect("it reads");
    drop(input);
    let output = running.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Both ways: what the peer makes for our key, and what we make for its key.
fn both_ways(name: &str, program: Command) {
    let rules = KeyRules::default();
    let ours = PlatformKey::generate(RsaBits::Bits3072, &rules).expect("a key");
    let published = PublishedKey::of(&ours);
    let keys = PlatformKeys::new(ours);
    let recipient = partner("rsa2048-a");
    let sealed: Vec<String> = PAYLOADS
        .iter()
        .map(|payload| seal(&recipient, payload.as_bytes()).expect("sealed"))
        .collect();
    let call = json!({
        "platform": published,
        "partner": vectors()["keys"]["rsa2048-a"]["jwk"],
        "payloads": PAYLOADS,
        "tokens": sealed,
    });
    let answer = ask(program, &call);
    assert_eq!(answer["opened"], json!(PAYLOADS), "{name} opens ours");
    let made = answer["made"].as_array().expect("tokens");
    for one in made {
        let token = one["token"].as_str().expect("a token");
        let opened = open(token, &keys);
        let opened = opened.ok().map(|payload| String::from_utf8_lossy(payload.json()).into());
        assert_eq!(opened, one["payload"].as_str().map(str::to_owned), "{name}: {}", one["how"]);
    }
    // Two algorithms, three forms of our key, with kid and without.
    assert_eq!(made.len(), PAYLOADS.len() * 2 * 3 * 2, "{name}");
    let named = answer["public_key"].as_str().expect("its key as it sends it");
    assert_eq!(PartnerKey::from_base64(named), Ok(recipient), "{name}");
    println!(
        "{name} {}: {} of theirs opened here, {} of ours there",
        answer["version"],
        made.len(),
        PAYLOADS.len()
    );
}

// covers: SR-062, SR-063, SR-266
#[test]
fn jwcrypto_opens_ours_and_we_open_its() {
    let Ok(python) = std::env::var("CARDSWITCH_TEST_PYTHON") else {
        panic!("set CARDSWITCH_TEST_PYTHON to a Python with jwcrypto, as `make test` does")
    };
    let mut program = Command::new(python);
    program.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/jwe/jwcrypto_peer.py"));
    both_ways("jwcrypto", program);
}

// covers: SR-062, SR-063, SR-266
#[test]
fn jose_opens_ours_and_we_open_its() {
    let Ok(packages) = std::env::var("CARDSWITCH_TEST_NODE_PACKAGES") else {
        panic!("set CARDSWITCH_TEST_NODE_PACKAGES to a folder with jose, as `make test` does")
    };
    let mut program = Command::new("node");
    program.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/jwe/jose_peer.mjs")).arg(packages);
    both_ways("jose", program);
}

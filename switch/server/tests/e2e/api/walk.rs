//! The steps of the seed, as far as partners' systems go: a request for a certificate signed, a
//! customer registered and verified, an account opened, reloaded, read, spent from over TCP, and
//! blocked.

use serde_json::{Value, json};

use super::platform::{Platform, euros};
use crate::stage::{cardswitch, peer, purchase};

// covers: SR-003, SR-015, SR-030, SR-031, SR-033, SR-034, SR-051, SR-053, SR-102, SR-142, SR-145
// covers: A-29, API-17
#[tokio::test(flavor = "multi_thread")]
async fn from_a_certificate_to_a_purchase() {
    let platform = Platform::start().await;
    let acme = platform.partner("Acme", "99999912");
    let client = &acme.client;

    // Registered, and not verified yet.
    let customer = acme.registers("u-1");
    let path = format!("/secure/customers/{customer}/balances");
    let new = json!({ "programmeId": acme.programme });
    let early = client.post(&path, "open early", &new);
    assert_eq!(early.refused(), (409, "CUSTOMER_NOT_VERIFIED".into()));

    acme.verifies(&customer);
    let kyc = client.get(&format!("/lifecycle/v1/customers/{customer}/kyc")).done(200).json();
    assert_eq!(kyc["state"], "VERIFIED");
    assert_eq!(kyc["moves"].as_array().map(|moves| moves[0]["by"].clone()), Some("partner".into()));

    let balance = acme.opens(&customer, "open");
    assert_eq!(acme.reads(&balance)["available"], euros("0.00"), "it begins at zero");

    // Reloaded out of the partner's credit, and never beyond it.
    let reload = format!("{balance}/reload");
    let amount = |value: &str| json!({ "amount": euros(value), "reference": "top-up" });
    let beyond = client.post(&reload, "beyond", &amount("1000.01"));
    assert_eq!(beyond.refused(), (409, "INSUFFICIENT_FUNDS".into()));
    let reloaded = client.post(&reload, "first", &amount("50")).done(200).json();
    assert_eq!(reloaded["available"], euros("50.00"));
    let again = client.post(&reload, "first", &amount("50")).done(200);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.json(), reloaded, "money moves once");
    let other = client.post(&reload, "first", &amount("60"));
    assert_eq!(other.refused(), (422, "IDEMPOTENCY_KEY_REUSED".into()));

    // Spent from over TCP; the card is made by command.
    let pan = platform.issues_card().await;
    let mut acquirer = peer(platform.served.link, 1).await;
    let answer = acquirer.exchange(0, &purchase(&pan, 1, 1_250)).await.expect("an answer");
    assert_eq!(answer.text(39), Some("00"));
    let read = acme.reads(&balance);
    assert_eq!(
        (&read["ledger"], &read["held"], &read["available"]),
        (&euros("50.00"), &euros("12.50"), &euros("37.50"))
    );
    // From the moment that the answer to the block is there, nothing is approved any more.
    assert_eq!(acme.reads(&balance)["state"], "ACTIVE");
    client.post(&format!("{balance}/block"), "block", &json!(null)).done(204);
    assert_eq!(acme.reads(&balance)["state"], "BLOCKED");
    let answer = acquirer.exchange(0, &purchase(&pan, 2, 100)).await.expect("an answer");
    assert_ne!(answer.text(39), Some("00"), "the account is blocked");
    client.post(&format!("{balance}/unblock"), "unblock", &json!(null)).done(204);
    let answer = acquirer.exchange(0, &purchase(&pan, 3, 100)).await.expect("an answer");
    assert_eq!(answer.text(39), Some("00"));
    let full = client.post(&format!("{balance}/close"), "close", &json!(null));
    assert_eq!(full.refused(), (409, "CONFLICT".into()), "it is not empty");
    drop(acquirer);

    // What was answered once is answered so after a restart, and the records of it all are whole.
    let platform = platform.restart();
    let client = client.at(platform.served.api("secure"));
    let again = client.post(&reload, "first", &amount("50")).done(200);
    assert_eq!(again.json(), reloaded);
    let read = client.get(&balance).done(200).json();
    assert_eq!(read["available"], euros("36.50"));
    assert_eq!(read["cards"][0]["lastFour"], pan[12..]);
    assert!(!read.to_string().contains(&pan[..12]), "{read}");
    let audit = |what: &[&str]| -> Value {
        let mut command = cardswitch(platform.directory.path());
        command.arg("audit").args(what).arg("--json");
        let output = command.env("DATABASE_URL", platform.database.url().expose()).output();
        serde_json::from_slice(&output.expect("it starts").stdout).expect("JSON")
    };
    let told = audit(&["verify"]);
    assert_eq!(told["chain"], "whole", "{told}");
    assert!(told["records"].as_i64() > Some(10), "{told}");
    assert_eq!(told["let_go"], 0);
    let head = audit(&["head"])["head"].as_str().expect("a head").to_owned();
    assert_eq!(told["head"], head);
    assert_eq!(audit(&["verify", "--head", &head])["chain"], "whole");
    let starts = "SELECT count(*) FROM audit_chain WHERE act = 'start of the audit'";
    assert_eq!(platform.count(starts).await, 2);
    platform.close().await;
}

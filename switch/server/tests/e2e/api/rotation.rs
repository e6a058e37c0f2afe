//! The key of encrypted bodies is rotated under a running switch: it publishes the next one, and
//! what was encrypted to the one before is still opened.

use std::time::Duration;

use admin_api::jwe::{PartnerKey, envelope, seal};
use serde_json::{Value, json};

use super::client::Client;
use super::platform::Platform;
use crate::certificates::FILES;
use crate::stage::cardswitch;

/// The published key.
fn published(client: &Client) -> (String, PartnerKey) {
    let told = client.get("/lifecycle/v1/public-key").done(200).json();
    let text = |member: &str| told[member].as_str().expect("text").to_owned();
    (text("kid"), PartnerKey::from_pem(&text("pem")).expect("a key"))
}

/// Registers somebody by a body that is encrypted to this key; the status.
fn registers(client: &Client, key: &PartnerKey, own: &str, reference: &str) -> u16 {
    let person = json!({
        "reference": reference,
        "person": { "givenName": "Ada", "familyName": "Lovelace", "birthDate": "1990-12-10" }
    });
    let token = seal(key, person.to_string().as_bytes()).expect("sealed");
    let body: Value = serde_json::from_str(&envelope(&token)).expect("JSON");
    let headers = [("Encrypted-Request", "true"), ("Public-Key", own)];
    client.send("POST", "/lifecycle/v1/customers", &headers, Some(&body)).status
}

// covers: SR-062, SR-067, A-13
#[tokio::test(flavor = "multi_thread")]
async fn the_next_key_is_published_and_the_one_before_still_opens() {
    let reload = ("CARDSWITCH_API__LIMITS__RELOAD_S", "1".to_owned());
    let platform = Platform::start_with(vec![reload]).await;
    let acme = platform.partner("Acme", "99999912");
    let (before, key) = published(&acme.client);
    let told = acme.client.get("/lifecycle/v1/public-key").done(200).json();
    // Any public key will do for the answers: here the platform's own.
    let own = told["publicKey"].as_str().expect("text").to_owned();
    assert_eq!(registers(&acme.client, &key, &own, "u-1"), 201);

    let rotate = |overlap: &str| {
        let mut command = cardswitch(platform.directory.path());
        command.args(["keys", "rotate-api", "--overlap", overlap]);
        command.envs(FILES).env(crate::certificates::LMK.0, crate::certificates::LMK.1);
        command.env("CARDSWITCH_API__ENCRYPTION__KEY_FILE", "keys/api.key");
        let output = command.output().expect("it starts");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
        told.split(':').next().expect("a name").to_owned()
    };
    let taken_over = |kid: String| {
        let client = acme.client.clone();
        async move {
            let mut looks = tokio::time::interval(Duration::from_millis(50));
            while published(&client).0 != kid {
                looks.tick().await;
            }
        }
    };
    let within = Duration::from_secs(60);
    let next = rotate("24");
    assert_ne!(next, before);
    tokio::time::timeout(within, taken_over(next)).await.expect("it is read anew");
    let (_, other) = published(&acme.client);
    assert_eq!(registers(&acme.client, &key, &own, "u-2"), 201, "to the one before");
    assert_eq!(registers(&acme.client, &other, &own, "u-3"), 201, "to the next");

    // Without an overlap the one before is of no more use.
    let last = rotate("0");
    tokio::time::timeout(within, taken_over(last)).await.expect("it is read anew");
    assert_eq!(registers(&acme.client, &other, &own, "u-4"), 400);
    assert_eq!(registers(&acme.client, &key, &own, "u-5"), 201, "a day is not over");
    platform.close().await;
}

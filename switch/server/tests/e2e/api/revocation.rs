//! A partner's certificate is taken back while the partner is connected with it.

use serde_json::json;

use super::platform::Platform;

// covers: SR-051, API-02
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_revoked_opens_nothing_on_a_connection_that_is_open() {
    let platform = Platform::start().await;
    let (acme, other) =
        (platform.partner("Acme", "99999912"), platform.partner("Other", "99999913"));
    let customers = "/lifecycle/v1/customers";
    let (mut standing, mut beside) = (acme.client.stands(), other.client.stands());
    for connection in [&mut standing, &mut beside] {
        connection.get(customers).done(200);
    }
    let listed = ["partner", "certificates", "--partner", &acme.id];
    let listed = platform.served.command(&listed).expect("a list");
    let serial = listed[0]["serial"].as_str().expect("a number").to_owned();
    let revoke = ["partner", "revoke-certificate", &serial, "--reason", "key-compromise"];
    platform.served.command(&revoke).expect("revoked");

    // With the next request, on the same connection.
    assert_eq!(standing.get(customers).refused(), (401, "UNAUTHENTICATED".into()));
    assert_eq!(standing.get(customers).refused().0, 401);
    beside.get(customers).done(200);
    // And there is a record of who did not get through.
    let recorded = "SELECT count(*) FROM audit_chain WHERE act = 'GET by client certificate' \
                    AND outcome = 'refused' AND code = 'UNAUTHENTICATED'";
    assert_eq!(platform.count(recorded).await, 2);
    let made = json!({ "reference": "u-1", "person": {
        "givenName": "Ada", "familyName": "Lovelace", "birthDate": "1990-12-10"
    } });
    other.client.post(customers, "still", &made).done(201);
    platform.close().await;
}

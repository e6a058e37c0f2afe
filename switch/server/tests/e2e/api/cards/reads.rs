//! What is on a card, read, its code reset and its PIN set; and that none of it lies anywhere after
//! all that.

use aho_corasick::AhoCorasick;
use serde_json::{Value, json};
use simulators::network::Value as Field;
use sqlx::{ConnectOptions, Connection};

use super::rig::{Known, Reader, Rig};

const NONE: &Value = &Value::Null;

// covers: SR-118, SR-120, SR-121, SR-123, SR-176, SR-177, A-32, API-06
#[tokio::test(flavor = "multi_thread")]
async fn full_data_are_read_with_a_step_more_and_each_time_on_record() {
    let rig = Rig::start().await;
    let card = rig.issue("card");
    let path = format!("/customers/me/cards/{}", card.id);
    assert_eq!(rig.app.get(&path).refused(), (403, "ENCRYPTION_REQUIRED".into()));
    let early = rig.reader.ask(&rig.app, "GET", &path, None);
    assert_eq!(early.refused(), (403, "STEP_UP_REQUIRED".into()));
    let reset = format!("{path}/cvv");
    let early = rig.reader.post(&rig.app, &reset, "early", NONE);
    assert_eq!(early.refused(), (403, "STEP_UP_REQUIRED".into()));
    rig.step_up();
    let read = rig.reader.ask(&rig.app, "GET", &path, None).done(200);
    let own = Known::of(&rig.reader.opens(&read));
    assert_eq!((&own.pan, &own.cvv2, &own.expiry), (&card.pan, &card.cvv2, &card.expiry));
    let partners = format!("{}/{}", rig.cards(), card.id);
    assert_eq!(rig.acme.client.get(&partners).refused(), (403, "ENCRYPTION_REQUIRED".into()));
    let read = rig.reader.ask(&rig.acme.client, "GET", &partners, None).done(200);
    assert_eq!(Known::of(&rig.reader.opens(&read)).pan, card.pan);
    let reads = "SELECT count(*) FROM audit_chain WHERE act LIKE 'GET /%cards/{cardId}' AND \
                 outcome = 'done'";
    assert_eq!(rig.platform.count(reads).await, 2, "each is on record");

    // A code that was reset is another one, and the same request sent again resets it once.
    let answer = rig.reader.post(&rig.app, &reset, "reset", NONE).done(200);
    let new = rig.reader.opens(&answer)["cvv"].as_str().expect("a code").to_owned();
    assert_ne!(new, card.cvv2);
    let again = rig.reader.post(&rig.app, &reset, "reset", NONE).done(200);
    assert_eq!(rig.reader.opens(&again)["cvv"], new.as_str());
    let read = rig.reader.ask(&rig.app, "GET", &path, None).done(200);
    let after = Known::of(&rig.reader.opens(&read));
    assert_eq!((&after.cvv2, &after.pan), (&new, &card.pan));
    // Not offered to partners, and not for plastic.
    let partners = rig.reader.post(&rig.acme.client, &format!("{partners}/cvv"), "reset", NONE);
    assert_eq!(partners.status, 404, "{partners:?}");
    let data = ["security", "card-data", &card.id, "--service-code", "201", "--sequence", "1"];
    rig.platform.served.command(&data).expect("data");
    rig.platform.sql("UPDATE card_profile SET form = 'PHYSICAL'").await;
    let plastic = rig.reader.post(&rig.app, &reset, "plastic", NONE);
    assert_eq!(plastic.refused(), (409, "CONFLICT".into()));
    // Another customer's card is not there, whoever steps up.
    let bob = rig.acme.registers("u-2");
    let bobs = rig.acme.pairs(&rig.platform.anonymous(), &bob, "device-0002").opens();
    let pin = json!({ "pin": crate::api::platform::PIN });
    bobs.send("POST", "/customers/sessions/current/step-up", &[], Some(&pin)).done(200);
    let stranger = Reader::new().ask(&bobs, "GET", &path, None);
    assert_eq!(stranger.refused(), (404, "NOT_FOUND".into()));
    rig.platform.close().await;
}

// covers: SR-127, SR-128, SR-178, A-07, A-33
#[tokio::test(flavor = "multi_thread")]
async fn a_pin_is_set_in_an_encrypted_request_and_holds_at_the_terminal() {
    let rig = Rig::start().await;
    let terminal = rig.terminal().await;
    let card = rig.issue("card");
    let path = format!("/customers/me/cards/{}/pin", card.id);
    let chosen = json!({ "pin": "8264" });
    let plain = rig.app.post(&path, "plain", &chosen);
    assert_eq!(plain.refused(), (403, "ENCRYPTION_REQUIRED".into()));
    let half = rig.reader.post(&rig.app, &path, "half", &chosen);
    assert_eq!(half.refused(), (403, "ENCRYPTION_REQUIRED".into()), "the request is sensitive too");
    let early = rig.reader.tell(&rig.app, &path, "early", &chosen);
    assert_eq!(early.refused(), (403, "STEP_UP_REQUIRED".into()));
    rig.step_up();
    let block = |pin: &str| {
        let block = card.by_the_issuers_keys(pin).pin_block_0(None);
        Some((52, Field::Bytes(block.to_vec())))
    };
    assert_ne!(terminal.asks(&card, block("8264")).await, "0000", "it has none yet");
    for (at, wrong) in ["1234", "0000", "2580", "826", "82645", "82a4", ""].iter().enumerate() {
        let body = json!({ "pin": wrong });
        let refused = rig.reader.tell(&rig.app, &path, &format!("wrong {at}"), &body);
        assert!(wrong.is_empty() || !refused.text.contains(wrong), "{refused:?}");
        assert_eq!(refused.refused(), (400, "INVALID_REQUEST".into()), "{wrong}");
    }
    rig.reader.tell(&rig.app, &path, "set", &chosen).done(204);
    assert_eq!(terminal.asks(&card, block("8264")).await, "0000");
    let details = format!("{}/{}/details", rig.cards(), card.id);
    assert_eq!(rig.acme.client.get(&details).done(200).json()["pinStatus"], "SET");
    // Another one: the one before is worth nothing, and tries that were used are there again.
    for _ in 0..2 {
        assert_eq!(terminal.asks(&card, block("1357")).await, "1017", "a wrong one");
    }
    rig.reader.tell(&rig.app, &path, "another", &json!({ "pin": "7391" })).done(204);
    assert_eq!(terminal.asks(&card, block("8264")).await, "1017");
    assert_eq!(terminal.asks(&card, block("7391")).await, "0000");
    // Neither partners nor operators set one.
    let partners = format!("{}/{}/pin", rig.cards(), card.id);
    assert_eq!(rig.reader.post(&rig.acme.client, &partners, "p", &chosen).status, 404);
    rig.platform.close().await;
}

// covers: SR-004, SR-265, API-13
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_on_a_card_lies_anywhere_after_all_that() {
    let rig = Rig::start().await;
    let mut told = String::new();
    let card = rig.issue("card");
    rig.step_up();
    let path = format!("/customers/me/cards/{}", card.id);
    for _ in 0..2 {
        told.push_str(&rig.reader.ask(&rig.app, "GET", &path, None).done(200).text);
        let code = rig.reader.post(&rig.app, &format!("{path}/cvv"), "reset", NONE).done(200);
        told.push_str(&code.text);
        let pin = json!({ "pin": "826413" });
        let refused = rig.reader.tell(&rig.app, &format!("{path}/pin"), "pin", &pin);
        told.push_str(&refused.text);
        rig.reader
            .tell(&rig.app, &format!("{path}/pin"), "pin", &json!({ "pin": "8264" }))
            .done(204);
        told.push_str(&rig.app.get("/customers/me/cards").done(200).text);
        told.push_str(&rig.app.get(&path).text);
    }
    let packed = card.pan.as_bytes();
    let wanted =
        [card.pan.clone(), hex::encode(packed), format!("\"{}\"", card.cvv2), "826413".into()];
    let search = AhoCorasick::new(&wanted).expect("patterns");
    assert!(search.find(&told).is_none(), "an answer in clear: {told}");
    let mut session = rig.platform.database.url().connect_options().connect().await.expect("open");
    let tables = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables \
                  WHERE schemaname NOT IN ('pg_catalog', 'information_schema')";
    let tables: Vec<String> =
        sqlx::query_scalar(tables).fetch_all(&mut session).await.expect("tables");
    assert!(tables.iter().any(|table| table == "public.card_profile"), "{tables:?}");
    for table in tables {
        let rows = sqlx::AssertSqlSafe(format!("SELECT t::text FROM {table} t"));
        let rows: Vec<String> =
            sqlx::query_scalar(rows).fetch_all(&mut session).await.expect("rows");
        let found = rows.iter().find(|row| search.find(row.as_str()).is_some());
        assert!(found.is_none(), "{table}: {found:?}");
    }
    session.close().await.expect("closed");
    rig.platform.close().await;
}

//! Corporations as a partner creates and documents them, and as operators look at them.

use serde_json::{Value, json};

use super::{CORPORATIONS, Desk, MISSING, company, document, operator, pdf};

/// With small limits, so that they are reached.
async fn desk() -> Desk {
    let of = |name, value: &str| (name, value.to_owned());
    Desk::open_with(vec![
        of("CARDSWITCH_API__CORPORATIONS__DOCUMENT_BYTES", "10000"),
        of("CARDSWITCH_API__CORPORATIONS__DOCUMENTS", "3"),
        of("CARDSWITCH_API__CORPORATIONS__MOST", "3"),
    ])
    .await
}

// covers: SR-021, SR-053, SR-132, A-28
#[tokio::test(flavor = "multi_thread")]
async fn a_corporation_is_created_once_waits_and_is_listed_by_pages() {
    let desk = desk().await;
    let client = &desk.acme.client;
    let made = client.post(CORPORATIONS, "one", &company("c-1")).done(201);
    let one = made.json()["dcCorporationId"].as_str().expect("an identifier").to_owned();
    assert_eq!(made.header("location"), Some(format!("{CORPORATIONS}/{one}").as_str()));
    assert_eq!(made.json()["kybState"], "PENDING");
    assert_eq!(client.post(CORPORATIONS, "one", &company("c-1")).done(201).text, made.text);
    let taken = client.post(CORPORATIONS, "two", &company("c-1"));
    assert_eq!(taken.refused(), (409, "CONFLICT".into()));
    let mut wrong = company("c-2");
    wrong["company"]["country"] = json!("XX");
    let refused = client.post(CORPORATIONS, "wrong", &wrong);
    assert_eq!((refused.refused().0, &refused.json()["field"]), (400, &"country".into()));
    let (two, three) = (desk.creates("c-2"), desk.creates("c-3"));
    let many = client.post(CORPORATIONS, "four", &company("c-4"));
    assert_eq!(many.refused(), (409, "EXHAUSTED".into()));

    let read = client.get(&format!("{CORPORATIONS}/{one}")).done(200).json();
    assert_eq!(
        (&read["company"]["legalName"], &read["moves"]),
        (&"Analytical Engines GmbH".into(), &json!([]))
    );
    let first = client.get(&format!("{CORPORATIONS}?limit=2")).done(200).json();
    let cursor = first["nextCursor"].as_str().expect("more").to_owned();
    let rest = client.get(&format!("{CORPORATIONS}?limit=2&cursor={cursor}")).done(200).json();
    let ids = |page: &Value| {
        let items = page["items"].as_array().expect("items").iter();
        items.map(|one| one["dcCorporationId"].clone()).collect::<Vec<_>>()
    };
    assert_eq!([ids(&first), ids(&rest)].concat(), [one.clone(), two, three]);
    assert_eq!(rest["nextCursor"], Value::Null);
    desk.decides(&one, "HOLD").done(200);
    let held = client.get(&format!("{CORPORATIONS}?state=ON_HOLD")).done(200).json();
    assert_eq!(ids(&held), [one]);
    desk.platform.close().await;
}

// covers: SR-150
#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_what_its_bytes_are_lies_sealed_and_is_shown_to_reviewers_alone() {
    let desk = desk().await;
    let corporation = desk.creates("c-1");
    let client = &desk.acme.client;
    let path = format!("{CORPORATIONS}/{corporation}/documents");
    let mut large = pdf("large");
    large.resize(10_001, b' ');
    for (key, content, refused) in [
        ("html", b"<html><script>1</script>".to_vec(), (400, "INVALID_REQUEST")),
        ("program", b"MZ\x90\0".to_vec(), (400, "INVALID_REQUEST")),
        ("cut short", b"%PDF-1.4\n".to_vec(), (400, "INVALID_REQUEST")),
        ("nothing", Vec::new(), (400, "INVALID_REQUEST")),
        ("too large", large, (413, "BODY_TOO_LARGE")),
        ("a body too long", vec![b' '; 100_000], (413, "BODY_TOO_LARGE")),
    ] {
        let told = desk.sends(&corporation, key, &document(&content)).refused();
        assert_eq!((told.0, told.1.as_str()), refused, "{key}");
    }
    let mut wrong = document(&pdf("x"));
    wrong["content"] = json!("no base64!");
    assert_eq!(desk.sends(&corporation, "coded", &wrong).refused().0, 400);
    assert_eq!(desk.platform.count("SELECT count(*) FROM corporation_document").await, 0);

    let extract = pdf("of the register of companies");
    let sent = desk.sends(&corporation, "extract", &document(&extract)).done(201);
    let told = sent.json();
    let digest = format!(
        "SELECT count(*) FROM corporation_document WHERE sha256 = sha256('{}'::bytea) \
         AND encode(sha256, 'hex') = '{}'",
        String::from_utf8_lossy(&extract),
        told["sha256"].as_str().expect("digits")
    );
    assert_eq!(desk.platform.count(&digest).await, 1);
    assert_eq!(
        (&told["mediaType"], &told["bytes"]),
        (&"application/pdf".into(), &extract.len().into())
    );
    let again = desk.sends(&corporation, "extract", &document(&extract)).done(201);
    assert_eq!(again.text, sent.text);
    let twice = desk.sends(&corporation, "twice", &document(&extract));
    assert_eq!(twice.refused(), (409, "CONFLICT".into()));
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR..\0\0\0\0IEND\xAE\x42\x60\x82";
    for (key, content) in [("png", &png[..]), ("jpeg", b"\xFF\xD8\xFF\xE0..\xFF\xD9")] {
        desk.sends(&corporation, key, &document(content)).done(201);
    }
    let more = desk.sends(&corporation, "more", &document(&pdf("more")));
    assert_eq!(more.refused(), (409, "EXHAUSTED".into()));
    // An encrypted request is the same, up to the longest document.
    let other = desk.creates("c-2");
    let theirs = format!("{CORPORATIONS}/{other}/documents");
    desk.reader.tell(client, &theirs, "sealed", &document(&extract)).done(201);
    let mut longest = b"%PDF-1.4\n".to_vec();
    longest.resize(9_994, b' ');
    longest.extend(b"%%EOF\n");
    desk.reader.tell(client, &theirs, "longest", &document(&longest)).done(201);

    let listed = client.get(&path).done(200);
    assert_eq!(listed.json()["items"].as_array().map(Vec::len), Some(3));
    assert!(listed.json()["items"][0].get("content").is_none(), "{listed:?}");
    let in_clear = "SELECT count(*) FROM corporation_document_content \
                    WHERE position('register of companies'::bytea in sealed) > 0";
    assert_eq!(desk.platform.count(in_clear).await, 0);
    let document = told["documentId"].as_str().expect("an identifier").to_owned();
    let own = client.get(&format!("{path}/{document}"));
    assert_eq!(own.refused(), (404, "NOT_FOUND".into()), "what was sent is given to nobody");
    reviewed(&desk, (&corporation, &other, &document), &extract).await;
    desk.platform.close().await;
}

/// What operators see of it.
async fn reviewed(desk: &Desk, (corporation, other, document): (&str, &str, &str), content: &[u8]) {
    let employee = operator(&desk.platform, "eve", "employee");
    let of = format!("/admin/corporations/{corporation}");
    let queue = "/admin/corporations?limit=1";
    let waiting = employee.get(queue).done(200).json();
    assert_eq!(waiting["items"][0]["dcCorporationId"], corporation);
    assert!(waiting["items"][0].get("company").is_none(), "one at a time: {waiting}");
    assert_eq!(waiting["items"][0]["partnerId"].to_string(), desk.acme.id);
    let cursor = waiting["nextCursor"].as_str().expect("more");
    let next = employee.get(&format!("{queue}&cursor={cursor}")).done(200).json();
    assert_eq!(next["items"][0]["dcCorporationId"], other);
    assert_eq!(employee.get(&of).done(200).json()["company"]["contactName"], "Ada Lovelace");
    employee.get(&format!("{of}/documents")).done(200);
    let file = format!("{of}/documents/{document}");
    assert_eq!(employee.get(&file).refused(), (403, "FORBIDDEN".into()), "who reviews, decides");
    let body = json!({ "decision": "APPROVE", "note": "seen" });
    let decided = employee.send("POST", &format!("{of}/kyb"), &[], Some(&body));
    assert_eq!(decided.refused(), (403, "FORBIDDEN".into()));

    let taken = desk.manager.get(&file).done(200);
    assert_eq!(taken.text.as_bytes(), content);
    let name = format!("attachment; filename=\"{document}.pdf\"");
    for (header, value) in [
        ("content-type", "application/pdf"),
        ("content-disposition", name.as_str()),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'; sandbox"),
    ] {
        assert_eq!(taken.header(header), Some(value));
    }
    for missing in [
        format!("/admin/corporations/{other}/documents/{document}"),
        format!("{of}/documents/{MISSING}"),
        format!("/admin/corporations/{MISSING}/documents/{document}"),
    ] {
        assert_eq!(desk.manager.get(&missing).refused(), (404, "NOT_FOUND".into()), "{missing}");
    }
    let recorded = format!(
        "SELECT count(*) FROM audit_chain WHERE object = '{file}' AND outcome = 'done' AND act = \
         'GET /admin/corporations/{{dcCorporationId}}/documents/{{documentId}}'"
    );
    assert_eq!(desk.platform.count(&recorded).await, 1, "who has read it is recorded");
    let read = desk.manager.send("GET", &file, &[], None);
    assert_eq!(read.status, 200);
}

//! The verification of corporations at the panel: every move and every one that is none.

use serde_json::{Value, json};

use super::{CORPORATIONS, Desk, document, pdf};

/// A state, and the decision that brings a new corporation there.
const STATES: [(&str, Option<&str>); 4] = [
    ("PENDING", None),
    ("APPROVED", Some("APPROVE")),
    ("REJECTED", Some("REJECT")),
    ("ON_HOLD", Some("HOLD")),
];

/// From where, what is decided, and where that leads; everything else leads nowhere.
const MOVES: [(&str, &str, &str); 7] = [
    ("PENDING", "APPROVE", "APPROVED"),
    ("PENDING", "REJECT", "REJECTED"),
    ("PENDING", "HOLD", "ON_HOLD"),
    ("ON_HOLD", "REJECT", "REJECTED"),
    ("ON_HOLD", "REOPEN", "PENDING"),
    ("APPROVED", "HOLD", "ON_HOLD"),
    ("REJECTED", "REOPEN", "PENDING"),
];

// covers: SR-035, SR-036, SR-150, A-28
#[tokio::test(flavor = "multi_thread")]
async fn every_move_is_made_kept_and_told_or_refused() {
    let desk = Desk::open_with(Vec::new()).await;
    let hook = json!({ "url": "https://localhost:1/hook", "events": ["kyb.changed"] });
    desk.acme.client.post("/secure/webhooks", "hook", &hook).done(201);
    let mut told = 0;
    for (state, way) in STATES {
        for decision in ["APPROVE", "REJECT", "HOLD", "REOPEN"] {
            let corporation = desk.creates(&format!("{state} {decision}"));
            desk.sends(&corporation, "extract", &document(&pdf("extract"))).done(201);
            if let Some(first) = way {
                desk.decides(&corporation, first).done(200);
                told += 1;
            }
            let answer = desk.decides(&corporation, decision);
            let found = MOVES.iter().find(|row| (row.0, row.1) == (state, decision));
            let Some((_, _, to)) = found else {
                assert_eq!(answer.refused(), (409, "CONFLICT".into()), "{state} {decision}");
                assert_eq!(desk.state(&corporation), state);
                continue;
            };
            assert_eq!(answer.done(200).json()["kybState"], *to, "{state} {decision}");
            assert_eq!(desk.state(&corporation), *to);
            told += 1;
        }
    }
    let messages = "SELECT count(*) FROM webhook_message WHERE kind = 'kyb.changed'";
    assert_eq!(desk.platform.count(messages).await, told, "each is told once");
    let recorded = "SELECT count(*) FROM audit_chain WHERE outcome = 'done' \
                    AND act = 'POST /admin/corporations/{dcCorporationId}/kyb'";
    assert_eq!(desk.platform.count(recorded).await, told, "and recorded");
    desk.platform.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_is_kept_and_none_is_approved_without_a_document_or_a_note() {
    let desk = Desk::open_with(Vec::new()).await;
    let corporation = desk.creates("c-1");
    assert_eq!(desk.decides(&corporation, "APPROVE").refused(), (409, "CONFLICT".into()));
    desk.sends(&corporation, "extract", &document(&pdf("extract"))).done(201);
    let path = format!("/admin/corporations/{corporation}/kyb");
    for note in ["", " ", &"x".repeat(201)] {
        let body = json!({ "decision": "APPROVE", "note": note });
        let refused = desk.manager.send("POST", &path, &[], Some(&body));
        assert_eq!(refused.refused(), (400, "INVALID_REQUEST".into()));
    }
    desk.decides(&corporation, "HOLD").done(200);
    let last = desk.decides(&corporation, "REJECT").done(200).json();
    let steps = |moves: &Value| {
        let moves = moves.as_array().expect("moves").iter();
        moves.map(|one| json!([one["from"], one["to"], one["note"]])).collect::<Vec<_>>()
    };
    let expected =
        [json!(["PENDING", "ON_HOLD", "case 4711"]), json!(["ON_HOLD", "REJECTED", "case 4711"])];
    assert_eq!(steps(&last["moves"]), expected);
    assert!(last["moves"][0]["byName"].as_str().expect("a name").starts_with("op:"));
    // The partner sees why, and not by whom.
    let read = desk.acme.client.get(&format!("{CORPORATIONS}/{corporation}")).done(200).json();
    assert_eq!(steps(&read["moves"]), expected);
    assert!(read["moves"][0].get("byName").is_none(), "{read}");
    let more = desk.sends(&corporation, "more", &document(&pdf("more")));
    assert_eq!(more.refused(), (409, "CONFLICT".into()), "it was rejected");
    desk.decides(&corporation, "REOPEN").done(200);
    desk.sends(&corporation, "again", &document(&pdf("again"))).done(201);
    desk.platform.close().await;
}

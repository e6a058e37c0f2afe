//! The OpenAPI documents are those of the routes: what is committed is what the code says.
//!
//! `CARDSWITCH_TEST_WRITE_OPENAPI=1 cargo test -p admin-api --test openapi` writes them anew.

use std::path::PathBuf;

use serde_json::Value;

fn committed() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi/secure.json")
}

fn made() -> String {
    let mut text = admin_api::routes::secure_document().to_pretty_json().expect("JSON");
    text.push('\n');
    text
}

#[test]
fn the_committed_document_is_that_of_the_routes() {
    if std::env::var_os("CARDSWITCH_TEST_WRITE_OPENAPI").is_some() {
        std::fs::write(committed(), made()).expect("written");
    }
    let found = std::fs::read_to_string(committed()).expect("docs/openapi/secure.json");
    assert!(found == made(), "docs/openapi/secure.json is not what the routes say: write it anew");
}

#[test]
fn every_operation_says_what_it_does_and_what_can_come_of_it() {
    let document: Value = serde_json::from_str(&made()).expect("JSON");
    let mut operations = 0;
    for (path, methods) in document["paths"].as_object().expect("paths") {
        assert!(path.starts_with("/secure/") || path.starts_with("/lifecycle/v1/"), "{path}");
        for (method, operation) in methods.as_object().expect("methods") {
            let what = format!("{method} {path}");
            assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{what}");
            assert!(operation["operationId"].is_string(), "{what}");
            let responses = operation["responses"].as_object().expect("responses");
            assert!(responses.keys().any(|status| status.starts_with('2')), "{what}");
            for status in ["400", "401", "404", "429", "500", "503"] {
                let form = &responses[status]["content"]["application/problem+json"]["schema"];
                assert!(form["$ref"].as_str().is_some_and(|name| name.ends_with("ProblemBody")));
            }
            operations += 1;
        }
    }
    assert!(operations >= 18, "{operations}");
}

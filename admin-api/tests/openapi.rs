//! The OpenAPI documents are those of the routes: what is committed is what the code says.
//!
//! `CARDSWITCH_TEST_WRITE_OPENAPI=1 cargo test -p admin-api --test openapi` writes them anew.

use std::path::PathBuf;

use admin_api::routes::{customer_document, secure_document};
use serde_json::Value;

fn committed(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/openapi/{name}.json"))
}

/// Each with where its paths begin.
fn made() -> Vec<(&'static str, &'static [&'static str], String)> {
    let channels: [(_, &[_], _); 2] = [
        ("secure", &["/secure/", "/lifecycle/v1/"], secure_document()),
        ("customer", &["/customers/"], customer_document()),
    ];
    let text = |(name, paths, document): (_, _, utoipa::openapi::OpenApi)| {
        let mut text = document.to_pretty_json().expect("JSON");
        text.push('\n');
        (name, paths, text)
    };
    channels.into_iter().map(text).collect()
}

#[test]
fn the_committed_documents_are_those_of_the_routes() {
    for (name, _, made) in made() {
        if std::env::var_os("CARDSWITCH_TEST_WRITE_OPENAPI").is_some() {
            std::fs::write(committed(name), &made).expect("written");
        }
        let found = std::fs::read_to_string(committed(name)).expect("a document");
        assert!(found == made, "docs/openapi/{name}.json is not what the routes say");
    }
}

#[test]
fn every_operation_says_what_it_does_and_what_can_come_of_it() {
    let mut operations = 0;
    for (_, places, made) in made() {
        let document: Value = serde_json::from_str(&made).expect("JSON");
        for (path, methods) in document["paths"].as_object().expect("paths") {
            assert!(places.iter().any(|place| path.starts_with(place)), "{path}");
            for (method, operation) in methods.as_object().expect("methods") {
                says_what_comes_of_it(&format!("{method} {path}"), operation);
                operations += 1;
            }
        }
    }
    assert!(operations >= 37, "{operations}");
}

fn says_what_comes_of_it(what: &str, operation: &Value) {
    assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{what}");
    assert!(operation["operationId"].is_string(), "{what}");
    let responses = operation["responses"].as_object().expect("responses");
    assert!(responses.keys().any(|status| status.starts_with('2')), "{what}");
    for status in ["400", "401", "404", "429", "500", "503"] {
        let form = &responses[status]["content"]["application/problem+json"]["schema"];
        assert!(form["$ref"].as_str().is_some_and(|name| name.ends_with("ProblemBody")));
    }
}

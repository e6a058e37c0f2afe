//! The OpenAPI documents are those of the routes: what is committed is what the code says.
//!
//! `CARDSWITCH_TEST_WRITE_OPENAPI=1 cargo test -p admin-api --test openapi` writes them anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use admin_api::openapi::{WHOLE, documents, whole};
use serde_json::Value;

/// The documents as they are committed: the file's path, and the text.
fn made() -> Vec<(PathBuf, String)> {
    let all = documents().into_iter().chain([(WHOLE, whole())]);
    all.map(|(name, document)| {
        // What the whole says is read in the others; it is kept small.
        let mut text = if name == WHOLE {
            document.to_json().expect("JSON")
        } else {
            document.to_pretty_json().expect("JSON")
        };
        text.push('\n');
        let file = format!("../docs/openapi/{name}.json");
        (PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file), text)
    })
    .collect()
}

/// Every operation of every channel: what it is, and what the document says of it, with the answers
/// in place that it only names.
fn operations() -> Vec<(String, Value)> {
    let (_, text) = made().pop().expect("the whole");
    let whole: Value = serde_json::from_str(&text).expect("JSON");
    let mut operations = Vec::new();
    for (path, methods) in whole["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let mut operation = operation.clone();
            put_in_place(&whole, &mut operation);
            operations.push((format!("{} {path}", method.to_uppercase()), operation));
        }
    }
    operations
}

/// Headers, parameters and answers that are only named; schemas stay named.
fn put_in_place(whole: &Value, part: &mut Value) {
    let named = part["$ref"].as_str().filter(|name| !name.starts_with("#/components/schemas/"));
    if let Some(place) = named.and_then(|name| name.strip_prefix('#')) {
        *part = whole.pointer(place).expect("what is named").clone();
    }
    match part {
        Value::Object(members) => members.values_mut().for_each(|one| put_in_place(whole, one)),
        Value::Array(parts) => parts.iter_mut().for_each(|one| put_in_place(whole, one)),
        _ => {}
    }
}

// covers: SR-264, API-09
#[test]
fn the_committed_documents_are_those_of_the_routes() {
    for (file, text) in made() {
        if std::env::var_os("CARDSWITCH_TEST_WRITE_OPENAPI").is_some() {
            std::fs::write(&file, &text).expect("written");
        }
        let found = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(found == text, "{} is not what the routes say: write it anew", file.display());
    }
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi");
    let files = std::fs::read_dir(folder).expect("the folder").count();
    assert_eq!(files, made().len(), "a document of no channel is committed");
}

#[test]
fn every_operation_says_what_it_does_and_what_can_come_of_it() {
    let mut names = BTreeSet::new();
    for (what, operation) in operations() {
        let name = operation["operationId"].as_str().expect("a name").to_owned();
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{what}");
        assert!(names.insert(name), "{what} has another's operationId");
        assert!(!operation["security"].is_null(), "{what}: who may call it");
        let responses = operation["responses"].as_object().expect("responses");
        assert!(responses.keys().any(|status| status.starts_with('2')), "{what}");
        for status in ["400", "401", "404", "429", "500", "503"] {
            let form = &responses[status]["content"]["application/problem+json"]["schema"];
            assert!(form["$ref"].as_str().is_some_and(|name| name.ends_with("ProblemBody")));
        }
        for (status, response) in responses {
            assert!(!response["headers"]["X-Request-Id"].is_null(), "{what} {status}");
        }
        assert!(!responses["429"]["headers"]["Retry-After"].is_null(), "{what}");
        let headers = parameters(&operation, "header");
        let shared = ["Encrypted-Request", "Encrypt-Response", "Public-Key"];
        assert!(shared.iter().all(|name| headers.contains(*name)), "{what}: {headers:?}");
        let keyed = ["Idempotency-Key", "X-Idempotency-Key"];
        assert!(keyed.iter().all(|name| headers.contains(*name) == what.starts_with("POST")));
        assert_eq!(headers.contains("If-Match"), responses.contains_key("428"), "{what}");
    }
    assert!(names.len() >= 60, "{}", names.len());
}

/// Every part of the whole document that another names is there.
#[test]
fn every_reference_leads_somewhere() {
    for (file, text) in made() {
        let document: Value = serde_json::from_str(&text).expect("JSON");
        let named = text.split("\"#/").skip(1).filter_map(|rest| rest.split('"').next());
        let mut seen = 0;
        for name in named {
            let missing = document.pointer(&format!("/{name}")).is_none();
            assert!(!missing, "{}: {name} is not there", file.display());
            seen += 1;
        }
        assert!(seen > 20, "{}: {seen}", file.display());
    }
}

fn parameters(operation: &Value, place: &str) -> BTreeSet<String> {
    let all = operation["parameters"].as_array().cloned().unwrap_or_default();
    let there = all.iter().filter(|parameter| parameter["in"] == place);
    there.map(|parameter| parameter["name"].as_str().expect("a name").to_owned()).collect()
}

/// The paths that the seed prints are served as it prints them; an identifier has one name, and
/// none is of a kind that could be a card number or a token.
// covers, API-12
#[test]
fn paths_and_members_are_spelled_alike() {
    let mut kinds: BTreeMap<String, Value> = BTreeMap::new();
    for (what, operation) in operations() {
        let path = what.split(' ').nth(1).expect("a path");
        let spelled: String =
            path.split('/').filter(|part| !part.starts_with('{')).collect::<Vec<_>>().join("/");
        assert_eq!(spelled, spelled.to_lowercase(), "{what}");
        for parameter in operation["parameters"].as_array().expect("parameters") {
            let name = parameter["name"].as_str().expect("a name");
            if parameter["in"] == "path" {
                let kind = parameter["schema"].clone();
                let is_number = kind["pattern"] == "^[1-9][0-9]{0,18}$";
                // The seed's name of a card is a number, of which nothing can be guessed (SR-003).
                let named = match name {
                    // So is what webhooks call an authorization: it is found with its card alone;
                    // and a pool, which is found with its partner.
                    "cardId" | "authorizationId" | "poolId" => is_number,
                    // A product is named as bodies name it; of another's nothing is told. A
                    // partner stands in paths of operators alone, who may list them all.
                    "programmeId" => kind["type"] == "integer",
                    "partnerId" => kind["type"] == "integer" && path.starts_with("/admin/"),
                    // A month and a form of file.
                    "invoice" => kind["pattern"].is_string(),
                    _ => kind["format"] == "uuid",
                };
                assert!(named, "{what}: {name} tells something");
                assert_eq!(*kinds.entry(name.to_owned()).or_insert(kind.clone()), kind, "{what}");
            }
        }
    }
    assert!(kinds.contains_key("customerId") && kinds.contains_key("balanceId"), "{kinds:?}");
    let (_, text) = made().pop().expect("the whole");
    let whole: Value = serde_json::from_str(&text).expect("JSON");
    let mut members = 0;
    for (name, schema) in whole["components"]["schemas"].as_object().expect("schemas") {
        for member in schema["properties"].as_object().into_iter().flat_map(|all| all.keys()) {
            let camel = member.starts_with(|first: char| first.is_ascii_lowercase())
                && member.chars().all(|one| one.is_ascii_alphanumeric());
            assert!(camel, "{name}.{member}");
            members += 1;
        }
    }
    assert!(members > 30, "{members}");
}

/// Paths of channels that are not recorded yet, by their beginning.
const NOT_RECORDED: [&str; 0] = [];

/// What the switch answered stands in the documents, for every operation: `examples.json` is
/// recorded by a test of the switch.
#[test]
fn every_operation_shows_a_real_answer() {
    for (what, operation) in operations() {
        let responses = operation["responses"].as_object().expect("responses");
        let of = |response: &Value, form: &str| response["content"][form]["example"].clone();
        let (status, success) =
            responses.iter().find(|(status, _)| status.starts_with('2')).expect("a success");
        let path = what.split(' ').nth(1).expect("a path");
        if NOT_RECORDED.iter().any(|channel| path.starts_with(channel)) {
            continue;
        }
        // What is no JSON is a file: there is nothing of it to be shown.
        let is_json = |form: &String| form == "application/json";
        let forms = success["content"].as_object();
        let has_body = forms.is_some_and(|forms| forms.keys().all(is_json));
        let example = of(success, "application/json");
        assert_eq!(has_body, example.is_object(), "{what} {status}: record the examples anew");
        let refused = |(_, response): (&String, &Value)| of(response, "application/problem+json");
        for problem in responses.iter().map(refused).filter(|example| !example.is_null()) {
            assert!(problem["code"].is_string() && problem["requestId"].is_string(), "{what}");
        }
    }
}

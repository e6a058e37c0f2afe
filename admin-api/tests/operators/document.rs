//! The OpenAPI document of the panel is that of the table of roles.

use std::collections::BTreeSet;

use admin_api::http::Role;
use admin_api::routes::{Access, Needs};
use serde_json::Value;

fn made() -> String {
    admin_api::routes::admin_document().to_json().expect("JSON")
}

#[test]
fn sr_261_every_operation_is_in_the_table_of_roles_and_shows_its_roles() {
    let document: Value = serde_json::from_str(&made()).expect("JSON");
    let mut operations = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        assert!(path.starts_with("/admin/"), "{path}");
        for (method, operation) in methods.as_object().expect("methods") {
            let method = method.to_uppercase();
            let needs = Access::needed(&method, path).expect("a row of the table");
            let may = |role: &Role| needs != Needs::Nobody && needs.allows(*role);
            let roles: Vec<&str> = Role::ALL.iter().filter(|r| may(r)).map(|r| r.name()).collect();
            assert_eq!(operation["x-roles"], serde_json::json!(roles), "{method} {path}");
            for status in ["400", "401", "403", "404", "429", "500", "503"] {
                assert!(operation["responses"][status].is_object(), "{method} {path} {status}");
            }
            operations.insert((method, path.clone()));
        }
    }
    let table: BTreeSet<_> =
        Access::TABLE.iter().map(|row| (row.method.to_owned(), row.path.to_owned())).collect();
    assert_eq!(operations, table);
    assert_eq!(table.len(), Access::TABLE.len(), "no row twice");
}

#[test]
fn sr_119_no_answer_of_the_panel_has_a_place_for_card_data() {
    let document: Value = serde_json::from_str(&made()).expect("JSON");
    let mut members = BTreeSet::new();
    for schema in document["components"]["schemas"].as_object().expect("schemas").values() {
        collect(schema, &mut members);
    }
    assert!(members.contains("lastFour") && members.contains("otpauthUri"), "{members:?}");
    // Whether a card has a PIN, its month beside four digits, its letter, and how long numbers of a
    // programme are, anybody may see; a company is no PAN.
    let anybody = ["pinStatus", "pinNotice", "expiry", "trackingNumber", "company", "panLength"];
    for member in members.iter().filter(|name| !anybody.contains(&name.as_str())) {
        let name = member.to_lowercase();
        for word in ["pan", "cvv", "cvc", "cardno", "cardnumber", "track", "pin", "expiry"] {
            assert!(!name.contains(word), "{member}");
        }
    }
}

fn collect(schema: &Value, members: &mut BTreeSet<String>) {
    match schema {
        Value::Object(object) => {
            if let Some(properties) = object.get("properties").and_then(Value::as_object) {
                members.extend(properties.keys().cloned());
            }
            object.values().for_each(|value| collect(value, members));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, members)),
        _ => {}
    }
}

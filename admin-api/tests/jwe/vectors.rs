//! The tokens of `tests/vectors/jwe.json`: 30 genuine ones of three libraries, 115 hostile ones,
//! and five that may go either way.

use std::sync::OnceLock;

use serde_json::Value;

/// One token.
pub(crate) struct Vector {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) made_by: &'static str,
    pub(crate) expect: &'static str,
    pub(crate) stage: &'static str,
    pub(crate) token: &'static str,
    /// In base64url, where it has one.
    pub(crate) plaintext: Option<&'static str>,
}

/// The file.
pub(crate) fn vectors() -> &'static Value {
    static FILE: OnceLock<Value> = OnceLock::new();
    FILE.get_or_init(|| {
        serde_json::from_str(include_str!("../vectors/jwe.json")).expect("the vectors are JSON")
    })
}

/// Its tokens.
pub(crate) fn all() -> Vec<Vector> {
    let text = |token: &'static Value, member: &str| token[member].as_str();
    let tokens = vectors()["tokens"].as_array().expect("tokens");
    tokens
        .iter()
        .map(|token| Vector {
            id: text(token, "id").expect("id"),
            name: text(token, "name").expect("name"),
            made_by: text(token, "made_by").expect("made_by"),
            expect: text(token, "expect").expect("expect"),
            stage: text(token, "stage").expect("stage"),
            token: text(token, "token").expect("token"),
            plaintext: text(token, "plaintext_b64url"),
        })
        .collect()
}

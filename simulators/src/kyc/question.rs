//! A question, as a provider reads it. Must refuse what it does not know: what the switch sends
//! beyond what was agreed would go unseen otherwise.

use serde::Deserialize;

/// The longest.
pub(super) const QUESTION_MOST: usize = 8 * 1024;

/// What is asked. Only what the verdict needs is ever looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Question {
    pub(super) inquiry: String,
    given_name: String,
    pub(super) family_name: String,
    birth_date: String,
    email: Option<String>,
    phone: Option<String>,
    street: Option<String>,
    city: Option<String>,
    postal_code: Option<String>,
    country: Option<String>,
    language: Option<String>,
}

/// Reads one that came under this idempotency key; none: it is not as agreed.
pub(super) fn read(bytes: &[u8], key: Option<&str>) -> Option<Question> {
    let question: Question = serde_json::from_slice(bytes).ok()?;
    let optional = [
        &question.email,
        &question.phone,
        &question.street,
        &question.city,
        &question.postal_code,
        &question.country,
        &question.language,
    ];
    let said = [&question.given_name, &question.family_name, &question.birth_date]
        .into_iter()
        .chain(optional.into_iter().flatten())
        .all(|text| !text.is_empty());
    let is_id = question.inquiry.len() == 36;
    (said && is_id && key == Some(question.inquiry.as_str())).then_some(question)
}

#[test]
fn only_what_was_agreed_is_read() {
    let id = "6f2c2b5e-8a4f-4a52-9f5e-3d1a2b3c4d5e";
    let who = r#""givenName":"A","familyName":"B","birthDate":"1990-01-01","email":"a@b.example""#;
    let good = format!(r#"{{"inquiry":"{id}",{who}}}"#);
    assert!(read(good.as_bytes(), Some(id)).is_some());
    assert!(read(good.as_bytes(), Some("another")).is_none());
    assert!(read(good.as_bytes(), None).is_none());
    assert!(read(good.replace("email", "iban").as_bytes(), Some(id)).is_none());
    assert!(read(good.replace("\"A\"", "\"\"").as_bytes(), Some(id)).is_none());
    assert!(read(b"{}", Some(id)).is_none());
}

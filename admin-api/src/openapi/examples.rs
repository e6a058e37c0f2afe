//! Examples in the documents: what the API really answered when its operations were asked one by
//! one, as a test of the switch recorded it. It owns where a recording goes in a document.

use serde_json::Value;
use utoipa::Modify;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{HeaderBuilder, OpenApi, RefOr};

use super::operations::{operations, verb};

/// The recording.
pub(super) struct Examples(Value);

impl Examples {
    /// As it is committed; without one the documents have no examples, and a test fails.
    pub(super) fn read() -> Self {
        Self(serde_json::from_str(include_str!("examples.json")).unwrap_or_default())
    }
}

impl Modify for Examples {
    fn modify(&self, document: &mut OpenApi) {
        for (path, item) in &mut document.paths.paths {
            for (method, operation) in operations(item) {
                let recorded = &self.0[format!("{} {path}", verb(&method))];
                if let (Some(body), Some(RefOr::T(taken))) =
                    (recorded.get("request"), operation.request_body.as_mut())
                {
                    for content in taken.content.values_mut() {
                        if let RefOr::T(content) = content {
                            content.example = Some(body.clone());
                        }
                    }
                }
                for (status, response) in &mut operation.responses.responses {
                    let (Some(recorded), RefOr::T(response)) = (recorded.get(status), response)
                    else {
                        continue;
                    };
                    // A file is recorded without a body.
                    let shown = Some(&recorded["body"]).filter(|body| !body.is_null());
                    for content in response.content.values_mut() {
                        if let RefOr::T(content) = content {
                            content.example = shown.cloned();
                        }
                    }
                    let headers = recorded["headers"].as_array();
                    let has = |name| headers.is_some_and(|all| all.iter().any(|one| one == name));
                    for (name, shown, words) in [
                        ("etag", "ETag", "The version, for If-Match."),
                        ("location", "Location", "The path of what was made."),
                    ] {
                        if has(name) {
                            let text = ObjectBuilder::new().schema_type(Type::String);
                            let header = HeaderBuilder::new().schema(Some(text));
                            let header = header.description(Some(words)).build();
                            response.headers.insert(shown.to_owned(), RefOr::T(header));
                        }
                    }
                }
            }
        }
    }
}

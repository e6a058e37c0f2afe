//! Requests and answers as examples. It owns what is replaced in them, and by what.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::api::client::{Answer, Client};

/// Members that are another with each run: of our keys, and what cards and cursors are called.
const DRAWN: [&str; 7] = ["kid", "publicKey", "pem", "n", "lastFour", "id", "nextCursor"];

/// What was asked and answered, by operation.
#[derive(Default)]
pub(super) struct Recording {
    operations: BTreeMap<String, Map<String, Value>>,
    identifiers: Vec<String>,
}

/// One request.
pub(super) struct Asked<'a> {
    pub(super) method: &'a str,
    /// As the document writes it.
    pub(super) template: &'a str,
    /// What stands in the places of the template, in their order.
    pub(super) names: &'a [&'a str],
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: Option<Value>,
}

impl Asked<'_> {
    /// The path, with its names.
    fn path(&self) -> String {
        let mut names = self.names.iter();
        let part = |part: &str| match part.starts_with('{') {
            true => (*names.next().expect("a name for each place")).to_owned(),
            false => part.to_owned(),
        };
        self.template.split('/').map(part).collect::<Vec<_>>().join("/")
    }
}

impl Recording {
    /// Asks; the first answer of each status of an operation is its example.
    #[track_caller]
    pub(super) fn ask(&mut self, client: &Client, asked: Asked<'_>, status: u16) -> Answer {
        let answer = client.send(asked.method, &asked.path(), asked.headers, asked.body.as_ref());
        let answer = answer.done(status);
        let body = if answer.text.is_empty() { Value::Null } else { answer.json() };
        let headers = named(&answer);
        let recorded = json!({
            "body": self.steady(&body),
            "headers": headers,
        });
        let request = asked.body.map(|body| self.steady(&body));
        let operation = format!("{} {}", asked.method, asked.template);
        let operation = self.operations.entry(operation).or_default();
        if (200..300).contains(&status)
            && let Some(request) = request
        {
            operation.entry("request").or_insert(request);
        }
        operation.entry(status.to_string()).or_insert(recorded);
        answer
    }

    /// With what is the same in every run in the place of what is not.
    fn steady(&mut self, value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                let steady = |(name, value): (&String, &Value)| {
                    let value = match name.as_str() {
                        "requestId" => json!("9f3c1f2e-58a5-4d5e-9a0c-3f6f6a0c1b52"),
                        _ => self.steady(value),
                    };
                    (name.clone(), value)
                };
                Value::Object(members.iter().map(steady).collect())
            }
            Value::Array(items) => items.iter().map(|item| self.steady(item)).collect(),
            Value::String(text) if uuid::Uuid::parse_str(text).is_ok() => {
                let known = self.identifiers.iter().position(|known| known == text);
                let at = known.unwrap_or_else(|| {
                    self.identifiers.push(text.clone());
                    self.identifiers.len() - 1
                });
                json!(format!("5b0e6d1c-0c6e-4f0a-9d3b-{:012}", at + 1))
            }
            Value::String(text) if text.parse::<jiff::Timestamp>().is_ok() => {
                json!("2026-11-27T12:00:00Z")
            }
            other => other.clone(),
        }
    }

    /// All of it. What is drawn by chance stands as it is committed, where it is of the same kind.
    pub(super) fn examples(self, committed: &Value) -> Value {
        let mut made = json!(self.operations);
        keep_drawn(&mut made, committed);
        made
    }
}

/// The headers that programs read.
fn named(answer: &Answer) -> Vec<&'static str> {
    let known = ["etag", "location", "retry-after", "x-request-id", "idempotent-replayed"];
    known.into_iter().filter(|name| answer.header(name).is_some()).collect()
}

fn keep_drawn(made: &mut Value, committed: &Value) {
    match made {
        Value::Object(members) => {
            for (name, value) in members {
                let before = &committed[name.as_str()];
                let same_kind = (value.is_string() && before.is_string())
                    || (value.is_number() && before.is_number());
                if DRAWN.contains(&name.as_str()) && same_kind {
                    *value = before.clone();
                } else {
                    keep_drawn(value, before);
                }
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter_mut().enumerate() {
                keep_drawn(item, &committed[at]);
            }
        }
        _ => {}
    }
}

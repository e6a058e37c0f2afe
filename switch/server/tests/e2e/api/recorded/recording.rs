//! Requests and answers as examples. It owns what is replaced in them, and by what.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::api::cards::rig::Reader;
use crate::api::client::{Answer, Client};

/// Members that are another with each run: of our keys, what cards, cursors, messages and
/// authorizations are called, and what stands in messages.
const DRAWN: [&str; 21] = [
    "kid",
    "publicKey",
    "pem",
    "n",
    "lastFour",
    "id",
    "cardId",
    "replaces",
    "replacedBy",
    "renews",
    "expiry",
    "nextCursor",
    "body",
    "approvalCode",
    "authorizationId",
    "content",
    "trackingNumber",
    "messageId",
    "poolId",
    "changeId",
    "digest",
];

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
    /// Behind the path.
    pub(super) query: &'a str,
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
        let path = self.template.split('/').map(part).collect::<Vec<_>>().join("/");
        format!("{path}{}", self.query)
    }
}

impl Recording {
    /// Asks; the first answer of each status of an operation is its example.
    #[track_caller]
    pub(super) fn ask(&mut self, client: &Client, asked: Asked<'_>, status: u16) -> Answer {
        let answer = client.send(asked.method, &asked.path(), asked.headers, asked.body.as_ref());
        let answer = answer.done(status);
        let is_json = answer.header("content-type").is_some_and(|form| form.contains("json"));
        let body = if is_json { answer.json() } else { Value::Null };
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
                    let value = match (secret(name, value), name.as_str()) {
                        (Some(shown), _) => json!(shown),
                        (_, "requestId") => json!("9f3c1f2e-58a5-4d5e-9a0c-3f6f6a0c1b52"),
                        (_, "number") => json!(1),
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
            Value::String(text) if text.starts_with("partner:") => json!("partner:1/5df7a8d8"),
            Value::String(text) if text.starts_with("op:") => {
                json!("op:5b0e6d1c0c6e4f0a9d3b000000000001")
            }
            Value::String(text) if text.starts_with('/') => {
                let parts = text.split('/').map(|part| self.steady(&json!(part)));
                let parts: Vec<_> =
                    parts.map(|part| part.as_str().unwrap_or_default().to_owned()).collect();
                json!(parts.join("/"))
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

/// What stands for a secret of the run.
fn secret(name: &str, value: &Value) -> Option<&'static str> {
    match name {
        "token" | "installationSecret" => {
            Some("5f0c2b9d7e1a4836c0d95e7f1a2b3c4d5f0c2b9d7e1a4836c0d95e7f1a2b3c4d")
        }
        "secret" => Some("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="),
        "pairingCode" => Some("7K3M9XQ2RT4W6Z"),
        "payload" => {
            Some("eyJhbGciOiJSU0EtT0FFUC0yNTYiLCJlbmMiOiJBMjU2R0NNIn0.jF5K.4Qe8.m0x3.Yz5w")
        }
        "oneTimePassword" | "password" | "currentPassword" => Some("given-once-and-changed"),
        "newPassword" => Some("a long one of 4 words"),
        "otpauthUri" => Some("otpauth://totp/Cardswitch:grace?secret=GEZDGNBVGY3TQOJQ"),
        "code" if value.as_str().is_some_and(|code| code.parse::<u32>().is_ok()) => Some("287082"),
        _ => None,
    }
}

/// What asks, and keeps the answers.
pub(super) struct Asking<'a> {
    pub(super) client: &'a Client,
    pub(super) recording: &'a mut Recording,
    keys: u32,
}

impl<'a> Asking<'a> {
    pub(super) fn new(client: &'a Client, recording: &'a mut Recording) -> Self {
        Self { client, recording, keys: 0 }
    }

    #[track_caller]
    pub(super) fn get(&mut self, template: &str, names: &[&str], status: u16) -> Answer {
        self.get_where(template, names, "", status)
    }

    #[track_caller]
    pub(super) fn get_where(
        &mut self,
        template: &str,
        names: &[&str],
        query: &str,
        status: u16,
    ) -> Answer {
        let asked = Asked { method: "GET", template, names, query, headers: &[], body: None };
        self.recording.ask(self.client, asked, status)
    }

    #[track_caller]
    pub(super) fn post(
        &mut self,
        template: &str,
        names: &[&str],
        body: Option<Value>,
        status: u16,
    ) -> Answer {
        self.keys += 1;
        let key = format!("key {}", self.keys);
        let headers = [("Idempotency-Key", key.as_str())];
        let asked = Asked { method: "POST", template, names, query: "", headers: &headers, body };
        self.recording.ask(self.client, asked, status)
    }

    /// The same with an answer that is encrypted, or a body that is too.
    #[track_caller]
    pub(super) fn encrypted(
        &mut self,
        (method, template): (&str, &str),
        names: &[&str],
        (header, key): (&str, &str),
        body: Option<Value>,
        status: u16,
    ) -> Answer {
        self.keys += 1;
        let name = format!("key {}", self.keys);
        let headers = [(header, "true"), ("Public-Key", key), ("Idempotency-Key", name.as_str())];
        let headers = if method == "GET" { &headers[..2] } else { &headers[..] };
        let asked = Asked { method, template, names, query: "", headers, body };
        self.recording.ask(self.client, asked, status)
    }

    /// Something made, whose answer is encrypted to somebody else: its name, from its place.
    #[track_caller]
    pub(super) fn made_unread(&mut self, template: &str, names: &[&str], body: Value) -> String {
        let reader = Reader::new();
        let key = ("Encrypt-Response", reader.public.as_str());
        let made = self.encrypted(("POST", template), names, key, Some(body), 201);
        let place = made.header("location").expect("a place");
        place.rsplit('/').next().expect("a name").to_owned()
    }

    #[track_caller]
    pub(super) fn delete(&mut self, template: &str, names: &[&str], status: u16) -> Answer {
        let asked =
            Asked { method: "DELETE", template, names, query: "", headers: &[], body: None };
        self.recording.ask(self.client, asked, status)
    }
}

/// An identifier that an answer has.
pub(super) fn identifier(answer: &Answer, member: &str) -> String {
    answer.json()[member].as_str().expect("an identifier").to_owned()
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

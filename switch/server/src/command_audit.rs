//! The records of commands in the audit (P-21): what was asked over the control socket, by whom,
//! and what came of it, in the chain in which the acts over the API stand. It owns which commands
//! are acts, and what a record says each is about: identifiers, nothing else of a request.

use admin_api::Problem;
use admin_api::audit::{AuditSink, Entry, Outcome};
use serde_json::Value;
use uuid::Uuid;

use crate::clock::now;

/// Members by which commands name what they are about.
const SUBJECTS: [&str; 14] = [
    "card",
    "balance",
    "customer",
    "pool",
    "programme",
    "partner",
    "transfer",
    "control",
    "link",
    "file",
    "serial",
    "merchant",
    "currency",
    "name",
];
/// Characters of a name that stand in a record.
const MOST: usize = 64;

/// Commands and where their records go.
#[derive(Clone, Debug)]
pub(crate) struct CommandAudit(AuditSink);

/// A command that was begun.
pub(crate) struct Begun(Option<Entry>);

impl CommandAudit {
    /// Into this sink.
    pub(crate) const fn new(sink: AuditSink) -> Self {
        Self(sink)
    }

    /// Records that a command is about to be done, if it is an act.
    ///
    /// # Errors
    /// It cannot be recorded: the command must not be done.
    pub(crate) async fn begin(
        &self,
        (actor, key): (&str, Uuid),
        name: &str,
        operation: &Value,
    ) -> Result<Begun, Problem> {
        if !is_act(name) {
            return Ok(Begun(None));
        }
        let entry = Entry {
            at: now(),
            actor: actor.to_owned(),
            act: format!("command {name}"),
            outcome: Outcome::Begun,
            origin: "control socket".into(),
            object: object_of(operation).unwrap_or_else(|| "the switch".into()),
            request_id: key.simple().to_string(),
            code: None,
        };
        match self.0.add(entry.clone()).await {
            Ok(()) => Ok(Begun(Some(entry))),
            // Links are paused and drained where the database is the trouble, so that is not
            // refused for a record; the log has it all the same.
            Err(_) if is_for_trouble(name) => Ok(Begun(Some(entry))),
            Err(problem) => Err(problem),
        }
    }

    /// Records what came of it.
    ///
    /// # Errors
    /// It cannot be recorded: nobody may be told that it was done.
    pub(crate) async fn end(
        &self,
        begun: Begun,
        result: &Result<Value, Problem>,
    ) -> Result<(), Problem> {
        let Some(mut entry) = begun.0 else { return Ok(()) };
        let for_trouble = is_for_trouble(entry.act.trim_start_matches("command "));
        entry.at = now();
        match result {
            Ok(made) => {
                entry.outcome = Outcome::Done;
                if let Some(object) = object_of(made) {
                    entry.object = object;
                }
            }
            Err(problem) => {
                let ours = is_ours(problem.code);
                entry.outcome = if ours { Outcome::Failed } else { Outcome::Refused };
                entry.code = Some(problem.code.to_owned());
            }
        }
        match self.0.add(entry).await {
            Err(problem) if !for_trouble => Err(problem),
            _ => Ok(()),
        }
    }
}

/// Whether a problem is none of the command's: it was not done, or nobody knows.
fn is_ours(code: &str) -> bool {
    matches!(code, "INTERNAL" | "OUTCOME_UNKNOWN" | "OVERLOADED" | "STOPPING")
        || code.ends_with("_UNAVAILABLE")
}

/// Whether a command does something: what only shows is no act.
fn is_act(name: &str) -> bool {
    let shows = ["-show", "-list", "-events"];
    !name.is_empty() && name != "status" && !shows.iter().any(|end| name.ends_with(end))
}

/// Whether a command is what a person reaches for when the database is in trouble.
fn is_for_trouble(name: &str) -> bool {
    matches!(name, "link-pause" | "link-resume" | "link-drain" | "link-request")
}

/// What a command names, or what it made.
fn object_of(told: &Value) -> Option<String> {
    let named = |subject: &&str| {
        let text = match told.get(subject)? {
            Value::Number(number) => number.to_string(),
            Value::String(text) if !text.is_empty() => {
                text.chars().filter(|letter| !letter.is_control()).take(MOST).collect()
            }
            _ => return None,
        };
        Some(format!("{subject} {text}"))
    };
    let within = || object_of(told.get("subject")?);
    SUBJECTS.iter().find_map(named).or_else(within)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_changes_something_is_an_act_and_what_shows_is_none() {
        for act in ["card-lock", "operator-add", "link-pause", "rate-set", "security-card-data"] {
            assert!(is_act(act), "{act}");
        }
        for no_act in ["status", "card-show", "rate-list", "attack-events", ""] {
            assert!(!is_act(no_act), "{no_act}");
        }
    }

    #[test]
    fn a_record_is_about_what_is_named_and_repeats_nothing_else() {
        let lock = json!({ "operation": "card-lock", "card": 7, "code": 2 });
        assert_eq!(object_of(&lock).as_deref(), Some("card 7"));
        let credit = json!({ "amount": "12.50", "reference": "of a person", "balance": 9 });
        assert_eq!(object_of(&credit).as_deref(), Some("balance 9"));
        let long = json!({ "name": "x".repeat(1000) + "\n" });
        assert_eq!(object_of(&long).map(|text| text.len()), Some("name ".len() + MOST));
        let control = json!({ "subject": { "card": 3 }, "terms": { "name": "at night" } });
        assert_eq!(object_of(&control).as_deref(), Some("card 3"));
        assert_eq!(object_of(&json!({ "done": true })), None);
    }
}

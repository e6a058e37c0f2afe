//! File actions: how each edition asks the issuer to lock a card, or to take a lock back. Must stay
//! this side's own words for it; the record's field is the dialect's to say.

use anyhow::{Context, Result};
use codecs::iso8583::{FieldType, Version};
use jiff::civil::DateTime;

use super::draft::{Draft, Value};
use super::speech::Speech;

/// What is asked of a card's lock, with the number of a lock code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LockAsk {
    /// Lock it.
    Lock(u8),
    /// Take back this lock, or whichever there is.
    Unlock(Option<u8>),
}

impl Speech {
    /// The kind of a request on files: `"302"`, and `"304"` from 1993 on.
    #[must_use]
    pub fn file_action_kind(&self) -> &'static str {
        match self.version() {
            Version::V1987 => "302",
            Version::V1993 | Version::V2003 => "304",
        }
    }

    /// Asks for the lock of a card: add or delete its record in the file of locks.
    ///
    /// # Errors
    /// When the dialect has no fields for file actions.
    pub fn file_action(&self, pan: &str, ask: LockAsk, stan: u32, at: DateTime) -> Result<Draft> {
        let form = self.dialect().lock_form().context("the dialect has no file actions")?;
        let text = |value: String| Value::Text(value);
        let (add, code) = match ask {
            LockAsk::Lock(code) => (true, Some(code)),
            LockAsk::Unlock(code) => (false, code),
        };
        let action = match (self.version(), add) {
            (Version::V1987, true) => (91, "1"),
            (Version::V1987, false) => (91, "3"),
            (_, true) => (24, "301"),
            (_, false) => (24, "303"),
        };
        let mut draft: Draft = vec![
            (2, text(pan.to_owned())),
            (7, text(at.strftime("%m%d%H%M%S").to_string())),
            (11, text(format!("{stan:06}"))),
            (32, text("123456".to_owned())),
            (37, text(format!("{stan:012}"))),
            (action.0, text(action.1.to_owned())),
            (101, text(form.file.to_string())),
        ];
        draft.extend(self.local_time(at));
        if let Some(code) = code {
            let digits = format!("{code:02}");
            let spec = self.dialect().spec(form.record);
            let binary = spec.is_some_and(|spec| spec.kind == FieldType::Binary);
            let record = if binary { Value::Bytes(digits.into_bytes()) } else { text(digits) };
            draft.push((form.record, record));
        }
        Ok(draft)
    }
}

//! One message of this peer: a type and its fields, each padded as on the wire. Must never show a
//! card number, track or PIN block in its `Debug` form.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Result, bail};

use super::write;

/// A message type indicator and fields, as they stand on the wire without their length prefixes.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    pub(super) mti: [u8; 4],
    pub(super) fields: BTreeMap<u8, Vec<u8>>,
}

impl Message {
    /// Without fields.
    ///
    /// # Errors
    /// When the message type is not four ASCII digits.
    pub fn new(mti: &str) -> Result<Message> {
        match mti.as_bytes() {
            &[a, b, c, d] if [a, b, c, d].iter().all(u8::is_ascii_digit) => {
                Ok(Message { mti: [a, b, c, d], fields: BTreeMap::new() })
            }
            _ => bail!("message type {mti:?} is not four digits"),
        }
    }

    /// The message type indicator, four digits.
    #[must_use]
    pub fn mti(&self) -> &str {
        std::str::from_utf8(&self.mti).unwrap_or("????")
    }

    /// Sets a field; a short value of a fixed field is filled as its content asks.
    ///
    /// # Errors
    /// When the field is not in this peer's table, or the value does not fit it.
    pub fn set(&mut self, field: u8, value: impl AsRef<[u8]>) -> Result<()> {
        let padded = write::padded(field, value.as_ref())?;
        self.fields.insert(field, padded);
        Ok(())
    }

    /// As [`Message::set`], for building in one expression.
    ///
    /// # Errors
    /// As [`Message::set`].
    pub fn with(mut self, field: u8, value: impl AsRef<[u8]>) -> Result<Message> {
        self.set(field, value)?;
        Ok(self)
    }

    /// Takes a field out.
    pub fn remove(&mut self, field: u8) {
        self.fields.remove(&field);
    }

    /// Copies those of the listed fields that the other message has.
    pub fn copy_from(&mut self, other: &Message, fields: &[u8]) {
        for field in fields {
            if let Some(value) = other.fields.get(field) {
                self.fields.insert(*field, value.clone());
            }
        }
    }

    /// A field as it stands on the wire.
    #[must_use]
    pub fn bytes(&self, field: u8) -> Option<&[u8]> {
        self.fields.get(&field).map(Vec::as_slice)
    }

    /// A field as text, its padding included; `None` when absent or not text.
    #[must_use]
    pub fn text(&self, field: u8) -> Option<&str> {
        std::str::from_utf8(self.bytes(field)?).ok()
    }

    /// The numbers of the fields present, ascending.
    pub fn present(&self) -> impl Iterator<Item = u8> + '_ {
        self.fields.keys().copied()
    }

    /// Makes it a message of another type, fields kept.
    ///
    /// # Errors
    /// When the message type is not four ASCII digits.
    pub fn retyped(mut self, mti: &str) -> Result<Message> {
        self.mti = Message::new(mti)?.mti;
        Ok(self)
    }

    /// The message as bytes, without framing.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        write::message(self)
    }
}

/// Type and field numbers only.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with fields {:?}", self.mti(), self.fields.keys().collect::<Vec<_>>())
    }
}

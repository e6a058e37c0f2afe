//! A message that came. Must never show a field's content in its `Debug` form.

use std::fmt;
use std::sync::Arc;

use anyhow::{Context, Result};
use bytes::Bytes;
use codecs::iso8583::{Dialect, Fields, Message};

use crate::acquirer::Matchable;

/// A message with the bytes that it came as.
pub struct Said {
    dialect: Arc<Dialect>,
    body: Bytes,
    fields: Fields,
    mti: String,
}

impl Said {
    pub(super) fn new(dialect: Arc<Dialect>, body: Bytes, fields: Fields) -> Result<Said> {
        let mti = fields.mti().context("a message without type")?.to_string();
        Ok(Said { dialect, body, fields, mti })
    }

    /// Four digits.
    #[must_use]
    pub fn mti(&self) -> &str {
        &self.mti
    }

    /// The whole message as it came.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// The characters of a field; `None` where it is absent or has none.
    #[must_use]
    pub fn text(&self, field: u8) -> Option<String> {
        self.view().text(field).ok().map(|text| text.to_string())
    }

    /// Field 39; empty where absent.
    #[must_use]
    pub fn action(&self) -> String {
        self.text(39).unwrap_or_default()
    }

    /// Where its fields are.
    #[must_use]
    pub fn view(&self) -> Message<'_> {
        self.dialect.view(&self.body, &self.fields)
    }
}

impl Matchable for Said {
    fn mti(&self) -> &str {
        &self.mti
    }

    fn content(&self, field: u8) -> &[u8] {
        self.view().content(field).unwrap_or_default()
    }
}

/// Type and field numbers only.
impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let present: Vec<_> = self.view().present().into_iter().collect();
        write!(f, "{} with fields {present:?}", self.mti)
    }
}

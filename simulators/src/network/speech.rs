//! A dialect spoken: drafts to bytes, bytes to what was said. Must refuse what the dialect cannot
//! write, and read nothing that it does not describe.

use std::sync::Arc;

use anyhow::{Context, Result};
use bytes::{Bytes, BytesMut};
use codecs::iso8583::{Dialect, Encoder, Fields, Mti, Version};

use super::draft::{Draft, Value};
use super::management::{Function, accepted, approved};
use super::said::Said;

/// Fields of an answer to network management that are taken over from the request.
const TAKEN_OVER: [u8; 6] = [7, 11, 12, 24, 33, 70];

/// One dialect.
#[derive(Clone, Debug)]
pub struct Speech {
    dialect: Arc<Dialect>,
}

impl Speech {
    /// Of this dialect.
    #[must_use]
    pub const fn new(dialect: Arc<Dialect>) -> Speech {
        Speech { dialect }
    }

    /// The dialect.
    #[must_use]
    pub fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    /// Its edition of the standard.
    #[must_use]
    pub fn version(&self) -> Version {
        self.dialect.version()
    }

    /// `"100"` and so on, with this edition's digit in front.
    ///
    /// # Errors
    /// When that is no message type.
    pub fn mti(&self, kind: &str) -> Result<Mti> {
        let text = format!("{}{kind}", self.version().mti_digit());
        Mti::parse(&text).with_context(|| format!("{text} is no message type"))
    }

    /// Field 39 of an approval.
    #[must_use]
    pub fn approved(&self) -> &'static str {
        approved(self.version())
    }

    /// Field 39 of a yes to network management.
    #[must_use]
    pub fn accepted(&self) -> &'static str {
        accepted(self.version())
    }

    /// The bytes of a message, without framing.
    ///
    /// # Errors
    /// When a value does not fit its field, or the dialect has no such field.
    pub fn bytes(&self, mti: Mti, draft: &Draft) -> Result<Vec<u8>> {
        let mut encoder = Encoder::new();
        let mut message = encoder.start(&self.dialect, mti);
        for (field, value) in draft {
            match value {
                Value::Text(value) => message.text(*field, value)?,
                Value::Bytes(value) => message.bytes(*field, value)?,
            }
        }
        let mut out = BytesMut::new();
        message.finish(&mut out)?;
        Ok(out.to_vec())
    }

    /// Reads a whole message.
    ///
    /// # Errors
    /// When it is none in this dialect; the error shows no content of a sensitive field.
    pub fn read(&self, body: Bytes) -> Result<Said> {
        let mut fields = Fields::new();
        self.dialect.decode(&body, &mut fields)?;
        Said::new(Arc::clone(&self.dialect), body, fields)
    }

    /// The answer to a network management request, and what it asked for; `None` where it asks for
    /// what this network does not do, which is answered with a no.
    ///
    /// # Errors
    /// When the request takes no answer.
    pub(super) fn answer(&self, request: &Said) -> Result<(Vec<u8>, Option<Function>)> {
        let version = self.version();
        let code = request.text(Function::field(version));
        let function = code.and_then(|code| Function::of(&code, version));
        let mti = Mti::parse(request.mti()).and_then(Mti::response);
        let mti = mti.with_context(|| format!("{} takes no answer", request.mti()))?;
        let mut encoder = Encoder::new();
        let mut message = encoder.start(&self.dialect, mti);
        for field in TAKEN_OVER {
            message.echo(field, &request.view())?;
        }
        message.text(39, if function.is_some() { self.accepted() } else { self.refused() })?;
        let mut out = BytesMut::new();
        message.finish(&mut out)?;
        Ok((out.to_vec(), function))
    }

    /// Field 39 for a function that is not done.
    fn refused(&self) -> &'static str {
        match self.version() {
            Version::V1987 => "12",
            Version::V1993 => "902",
            Version::V2003 => "9102",
        }
    }
}

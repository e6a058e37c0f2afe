//! What stands between the length and the message: nothing, a TPDU, a header that is only given
//! back, or a station header. Must be carried and answered, never interpreted further than that.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::station;
use super::tpdu::Tpdu;

/// Which header the messages of a link have, as a configuration file says it: `"none"`, `"tpdu"`,
/// `"station"`, or `{ echo = 12 }` for so many bytes that the answer has as they came.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HeaderForm {
    /// None.
    #[default]
    None,
    /// Five bytes whose two addresses are exchanged in the answer.
    Tpdu,
    /// So many bytes, given back as they came.
    Echo(u8),
    /// 22 bytes of the kind that the BASE I interchange made common: its own length, the total
    /// length, and two station numbers that are exchanged in the answer.
    Station,
}

impl HeaderForm {
    /// Bytes that it takes, as a message of the usual kind has it.
    #[must_use]
    pub const fn len(self) -> usize {
        match self {
            HeaderForm::None => 0,
            HeaderForm::Tpdu => Tpdu::LEN,
            HeaderForm::Echo(bytes) => bytes as usize,
            HeaderForm::Station => station::LEN,
        }
    }

    /// Whether messages have none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// A header as it came or goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Header {
    form: HeaderForm,
    len: u8,
    bytes: [u8; Header::MAX],
}

impl Header {
    /// Bytes of the longest.
    pub const MAX: usize = 30;

    /// From the wire; `None` where there are not as many bytes as it takes.
    #[must_use]
    pub fn take(form: HeaderForm, content: &[u8]) -> Option<Header> {
        let len = match form {
            HeaderForm::Station => station::announced(content)?,
            _ => form.len(),
        };
        let found = content.get(..len)?;
        let mut bytes = [0; Header::MAX];
        bytes.get_mut(..len)?.copy_from_slice(found);
        Some(Header { form, len: u8::try_from(len).ok()?, bytes })
    }

    /// The header of the answer.
    #[must_use]
    pub fn reply(mut self) -> Header {
        match self.form {
            HeaderForm::None | HeaderForm::Echo(_) => {}
            HeaderForm::Tpdu => {
                if let Some(bytes) = self.bytes.first_chunk_mut::<{ Tpdu::LEN }>() {
                    *bytes = Tpdu::from_bytes(*bytes).reply().to_bytes();
                }
            }
            HeaderForm::Station => station::exchange_stations(&mut self.bytes),
        }
        self
    }

    /// As on the wire in front of a body of so many bytes.
    pub(super) fn in_front_of(mut self, body: usize) -> Header {
        if self.form == HeaderForm::Station {
            station::set_total(&mut self.bytes, usize::from(self.len).saturating_add(body));
        }
        self
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// The code with which a network sent one of our messages back, four digits; `None` in front
    /// of any other message.
    #[must_use]
    pub fn reject_code(&self) -> Option<u16> {
        match self.form {
            HeaderForm::Station => station::reject_code(self.as_bytes()),
            _ => None,
        }
    }
}

impl From<Tpdu> for Header {
    fn from(tpdu: Tpdu) -> Header {
        let mut bytes = [0; Header::MAX];
        if let Some(front) = bytes.first_chunk_mut::<{ Tpdu::LEN }>() {
            *front = tpdu.to_bytes();
        }
        Header { form: HeaderForm::Tpdu, len: Tpdu::LEN as u8, bytes }
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Header({:?}", self.form)?;
        self.as_bytes().iter().try_for_each(|byte| write!(f, " {byte:02X}"))?;
        f.write_str(")")
    }
}

//! Rows in PostgreSQL's binary COPY format. It owns the encoding and nothing of what is in the
//! rows.

use switch_domain::{AsciiText, Timestamp};

use crate::pg_timestamp::PgTimestamp;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// No flags, no header extension.
const NO_OPTIONS: [u8; 8] = [0; 8];
const END: i16 = -1;
const NULL: i32 = -1;
/// Room that is made for a row at once; longer ones grow.
const USUAL_ROW: usize = 512;
/// More room than this is given back: it was for a chunk of a rebuild, not of every day.
const ROOM_KEPT: usize = 16 << 20;

/// Rows of one table, being written.
#[derive(Debug)]
pub(super) struct CopyRows {
    bytes: Vec<u8>,
    columns: i16,
    rows: u64,
}

impl CopyRows {
    /// No rows yet, of so many columns.
    pub(super) fn new(columns: i16) -> Self {
        Self { bytes: [SIGNATURE, &NO_OPTIONS].concat(), columns, rows: 0 }
    }

    /// No rows again, in the room of those before: chunk after chunk takes about as much, and fresh
    /// memory costs more than what is written into it.
    pub(super) fn clear(&mut self) {
        if self.bytes.capacity() > ROOM_KEPT {
            *self = Self::new(self.columns);
        }
        self.bytes.truncate(SIGNATURE.len() + NO_OPTIONS.len());
        self.rows = 0;
    }

    /// Begins a row; its columns follow, in the order of the statement.
    pub(super) fn row(&mut self) -> RowWriter<'_> {
        self.rows = self.rows.saturating_add(1);
        self.bytes.reserve(USUAL_ROW);
        self.bytes.extend_from_slice(&self.columns.to_be_bytes());
        RowWriter { bytes: &mut self.bytes }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The whole, with its trailer. Nothing may be added afterwards but by way of `clear`.
    pub(super) fn finish(&mut self) -> &[u8] {
        self.bytes.extend_from_slice(&END.to_be_bytes());
        &self.bytes
    }
}

/// The columns of one row.
pub(super) struct RowWriter<'a> {
    bytes: &'a mut Vec<u8>,
}

impl RowWriter<'_> {
    fn put(&mut self, value: &[u8]) -> &mut Self {
        // Fields are a few bytes: texts of the domain are at most forty characters.
        let length = i32::try_from(value.len()).unwrap_or(i32::MAX);
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(value);
        self
    }

    pub(super) fn null(&mut self) -> &mut Self {
        self.bytes.extend_from_slice(&NULL.to_be_bytes());
        self
    }

    pub(super) fn int2(&mut self, value: i16) -> &mut Self {
        self.put(&value.to_be_bytes())
    }

    pub(super) fn int4(&mut self, value: i32) -> &mut Self {
        let [a, b, c, d] = value.to_be_bytes();
        // Most columns are numbers: with their length in one piece.
        self.bytes.extend_from_slice(&[0, 0, 0, 4, a, b, c, d]);
        self
    }

    pub(super) fn int8(&mut self, value: i64) -> &mut Self {
        let [a, b, c, d, e, f, g, h] = value.to_be_bytes();
        self.bytes.extend_from_slice(&[0, 0, 0, 8, a, b, c, d, e, f, g, h]);
        self
    }

    pub(super) fn maybe_int8(&mut self, value: Option<i64>) -> &mut Self {
        match value {
            Some(value) => self.int8(value),
            None => self.null(),
        }
    }

    /// An array of one dimension without nulls.
    pub(super) fn int8s(&mut self, values: &[i64]) -> &mut Self {
        /// The type of int8 in PostgreSQL's own catalogue.
        const INT8: i32 = 20;
        let length = i32::try_from(values.len()).unwrap_or(i32::MAX);
        let head = [1, 0, INT8, length, 1].map(i32::to_be_bytes).concat();
        let values = values
            .iter()
            .flat_map(|value| [8_i32.to_be_bytes().to_vec(), value.to_be_bytes().to_vec()]);
        self.put(&[head, values.flatten().collect()].concat())
    }

    pub(super) fn bool(&mut self, value: bool) -> &mut Self {
        self.put(&[u8::from(value)])
    }

    pub(super) fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.put(value)
    }

    pub(super) fn text(&mut self, value: &str) -> &mut Self {
        self.put(value.as_bytes())
    }

    pub(super) fn ascii<const N: usize>(&mut self, value: &AsciiText<N>) -> &mut Self {
        self.put(value.as_bytes())
    }

    pub(super) fn maybe_text(&mut self, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.text(value),
            None => self.null(),
        }
    }

    pub(super) fn timestamp(&mut self, value: Timestamp) -> &mut Self {
        self.int8(PgTimestamp(value).micros())
    }
}

//! The bytes of a journal row: which format they are in, and records to bytes and back. It owns the
//! format number and its refusals; it never reads what it does not know in full (W-6).
//!
//! New kinds of records become readable one release before they are written. Tags are never reused.

mod card_security;
mod controls;
mod conversion;
mod direct;
mod effect_shapes;
mod evidence;
mod fees;
mod generation;
mod issuer_shapes;
mod outside;
mod read;
mod read_effects;
mod shapes;
mod snapshot;
mod snapshot_shapes;
mod trace;
mod transfer_shapes;
mod write;

use bytes::Bytes;
use prost::Message;
use switch_domain::Record;

pub(crate) use card_security::{
    decode_counters, decode_references, decode_terms, encode_counters, encode_references,
    encode_terms,
};
pub(crate) use controls::{decode_control, decode_counted, encode_control, encode_counted};
pub(crate) use conversion::{decode_conversion, encode_conversion};
pub(crate) use evidence::{evidence_from_words, evidence_words};
pub use snapshot::{decode_snapshot, encode_snapshot};
pub(crate) use trace::{trace_from_numbers, trace_numbers};

/// The format that this build writes, and the highest that it reads.
pub const FORMAT: i16 = 1;

/// Why stored bytes cannot be read. Each of these refuses the start.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// Written by another version.
    #[error(
        "format {found} is unknown here, where 1 to {known} are read: \
         start the version that wrote it, or a later one"
    )]
    Unknown {
        /// The row's format number.
        found: i16,
        /// The highest that this build reads.
        known: i16,
    },
    /// Not the encoding at all.
    #[error("the records are not in the format that the row claims: {0}")]
    Malformed(#[from] prost::DecodeError),
    /// One record cannot be read in full.
    #[error("record {index} of the row: {fault}")]
    Record {
        /// Its place in the row, from 0.
        index: usize,
        /// What is wrong with it.
        fault: RecordFault,
    },
    /// A snapshot that cannot be read in full.
    #[error("the snapshot: {0}")]
    Snapshot(RecordFault),
}

/// What is wrong with one stored record.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordFault {
    /// A choice without a member that this build knows: written by a later version.
    #[error("its {0} is of a kind that this version does not know; start a later version")]
    UnknownKind(&'static str),
    /// An amount is not there.
    #[error("the amount `{0}` is missing, and a missing amount is never read as zero")]
    MissingAmount(&'static str),
    /// A part is not there.
    #[error("its {0} is missing")]
    Missing(&'static str),
    /// A value that cannot be.
    #[error("its {field} is out of range: {found}")]
    Illegal {
        /// What it should be.
        field: &'static str,
        /// What it is.
        found: String,
    },
}

/// The tag of a record in a batch (`shapes::Batch`).
const RECORD_OF_BATCH: u32 = 1;
/// Room for a record, so that a row's bytes seldom have to move.
const USUAL_RECORD: usize = 256;

/// Records as the bytes of one row, in [`FORMAT`].
#[must_use]
pub fn encode_records(records: &[Record]) -> Bytes {
    let mut bytes = Vec::with_capacity(records.len().saturating_mul(USUAL_RECORD));
    for record in records {
        if !direct::record(&mut bytes, RECORD_OF_BATCH, record) {
            write::append(&mut bytes, RECORD_OF_BATCH, record);
        }
    }
    bytes.into()
}

/// Records back from the bytes of one row.
///
/// # Errors
/// A format that is not known, or bytes that cannot be read in full.
pub fn decode_records(format: i16, bytes: &[u8]) -> Result<Vec<Record>, FormatError> {
    if !(1..=FORMAT).contains(&format) {
        return Err(FormatError::Unknown { found: format, known: FORMAT });
    }
    let batch = shapes::Batch::decode(bytes)?;
    let records = batch.records.into_iter().enumerate();
    records
        .map(|(index, record)| {
            read::record(record).map_err(|fault| FormatError::Record { index, fault })
        })
        .collect()
}

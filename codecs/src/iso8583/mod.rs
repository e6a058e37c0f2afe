//! ISO 8583 messages: a dialect (data) decodes received bytes to offsets and encodes fields into a
//! reused buffer. Must never copy a field's content anywhere it could be printed from.
//!
//! ```
//! use codecs::iso8583::{Dialect, Encoder, Fields, Mti};
//!
//! let dialect = Dialect::shipped("iso87-ascii").ok_or("not shipped")?;
//! let mut encoder = Encoder::new();
//! let mut out = bytes::BytesMut::new();
//! let mut echo_test = encoder.start(&dialect, Mti::NETWORK_REQUEST);
//! echo_test.text(7, "1123091500")?;
//! echo_test.number(11, 42)?;
//! echo_test.number(70, 301)?;
//! echo_test.finish(&mut out)?;
//! assert_eq!(&out[..], b"0800822000000000000004000000000000001123091500000042301");
//!
//! let mut fields = Fields::new();
//! dialect.decode(&out, &mut fields)?;
//! let message = dialect.view(&out, &fields);
//! assert_eq!(message.number(11)?, 42);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod amounts;
mod card_security;
mod card_security_file;
mod carriage;
mod carriage_file;
mod carriage_incremental;
mod carriage_partial;
mod carriage_statement;
mod charset;
mod decode;
mod decode_error;
mod describe;
mod dialect;
mod dialect_error;
mod dialect_file;
mod ebcdic;
mod element;
mod elements;
mod elements_file;
mod encode;
mod encode_error;
mod encoded_fields;
mod field_file;
mod field_set;
mod fields;
mod mac;
mod message;
mod mti;
mod network_trace;
mod network_trace_file;
mod plan;
mod presence;
mod put;
mod rules;
mod spec;
mod text;
mod wire;
mod words;

pub use amounts::{AccountBalances, PartOf, WireAmount};
pub use card_security::{
    CardCodeForm, ChipAnswerForm, PinBlockForm, PinFormatSaid, ScriptTemplate,
};
pub use carriage::{BalanceForm, IncrementalForm, LockForm, OriginalAmount, OriginalForm};
pub use carriage_partial::{FeeForm, PartialTerminal};
pub use carriage_statement::{MiniStatementForm, StatementEntry};
pub use decode::MAX_MESSAGE;
pub use decode_error::{ByteKind, DecodeError, DecodeFault, ErrorCode, Found, error_set};
pub use describe::{Line, describe};
pub use dialect::{Bitmaps, Dialect};
pub use dialect_error::DialectError;
pub use element::{Content, Element};
pub use elements::Unknown;
pub use encode::{Encoder, MessageWriter};
pub use encode_error::{EncodeError, EncodeFault};
pub use encoded_fields::EncodedFields;
pub use field_set::{FieldSet, MAX_FIELD};
pub use fields::Fields;
pub use mac::{Authenticated, MAX_CODE};
pub use message::{Message, ValueError};
pub use mti::Mti;
pub use network_trace::{NetworkTraceForm, Piece};
pub use spec::{
    BitmapEncoding, Counts, Encoding, EntryForm, FieldSpec, FieldType, LengthForm, NumeralEncoding,
    Pad, Side, Version,
};
pub use text::Text;

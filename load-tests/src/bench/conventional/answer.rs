//! Answers of the conventional server: the echoed fields of the request, DE38 and DE39.

use bytes::BytesMut;
use codecs::iso8583::{EncodeError, Encoder, Message, Mti};

/// What is said besides the echoed fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Saying {
    pub(crate) code: String,
    pub(crate) approval: Option<String>,
}

impl Saying {
    /// A code alone.
    pub(crate) fn plain(code: &str) -> Saying {
        Saying { code: code.to_owned(), approval: None }
    }
}

/// Writes the framed answer to a request; `None` where it is none that can be answered.
pub(crate) fn write(
    encoder: &mut Encoder,
    request: &Message<'_>,
    saying: &Saying,
) -> Result<Option<BytesMut>, EncodeError> {
    let Some(mti) = request.mti().and_then(Mti::response) else { return Ok(None) };
    let dialect = request.dialect();
    let mut answer = encoder.start(dialect, mti);
    for field in dialect.answer_fields(mti).unwrap_or_default() {
        if field > 39 {
            break;
        }
        answer.echo(field, request)?;
    }
    if let Some(approval) = &saying.approval {
        answer.text(38, approval)?;
    }
    answer.text(39, &saying.code)?;
    for field in dialect.answer_fields(mti).unwrap_or_default() {
        if field > 39 {
            answer.echo(field, request)?;
        }
    }
    let mut body = BytesMut::new();
    answer.finish(&mut body)?;
    let mut out = BytesMut::with_capacity(body.len() + 2);
    let size = u16::try_from(body.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&size.to_be_bytes());
    out.extend_from_slice(&body);
    Ok(Some(out))
}

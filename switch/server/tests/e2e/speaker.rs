//! A peer that speaks any shipped dialect over any framing, one message at a time. How messages are
//! written in each edition is the simulated network's affair, what is wanted of the answers the
//! tests'.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use codecs::framing::{Frame, FrameCodec, Framing, Header, HeaderForm};
use codecs::iso8583::{Dialect, Encoding, Mti, Version};
use jiff::civil::date;
use simulators::network::{Function, Sale, Speech};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::bytes::{Bytes, BytesMut};
use tokio_util::codec::Decoder;

pub(crate) use simulators::network::{Draft, Value};

/// A connection.
pub(crate) struct Speaker {
    speech: Speech,
    codec: FrameCodec,
    stream: TcpStream,
    input: BytesMut,
}

/// An answer, or a request before it is sent.
#[derive(Clone)]
pub(crate) struct Said {
    pub(crate) body: Bytes,
    pub(crate) mti: String,
    /// DE38, DE39 and DE44; "" where absent.
    pub(crate) approval: String,
    pub(crate) action: String,
    pub(crate) text: String,
    /// DE18, which is the message error indicator in 2003.
    pub(crate) error_set: String,
    /// DE54.
    pub(crate) amounts: String,
}

/// A purchase of one and the same day.
fn sale(pan: &str, stan: u32, cents: u64) -> Sale {
    Sale::in_euro(pan, stan, cents, date(2026, 11, 23).at(12, 0, 0, 0))
}

impl Speaker {
    pub(crate) async fn connect(address: SocketAddr, dialect: Dialect, framing: Framing) -> Self {
        Self::over(TcpStream::connect(address).await.expect("connected"), dialect, framing)
    }

    pub(crate) fn over(stream: TcpStream, dialect: Dialect, framing: Framing) -> Self {
        stream.set_nodelay(true).expect("set");
        let codec = framing.codec().expect("a framing");
        let speech = Speech::new(Arc::new(dialect));
        Self { speech, codec, stream, input: BytesMut::new() }
    }

    pub(crate) fn dialect(&self) -> &Dialect {
        self.speech.dialect()
    }

    /// How this edition writes messages.
    pub(crate) const fn speech(&self) -> &Speech {
        &self.speech
    }

    pub(crate) fn version(&self) -> Version {
        self.speech.version()
    }

    /// `"100"` and so on, with this edition's digit in front.
    pub(crate) fn mti(&self, kind: &str) -> Mti {
        self.speech.mti(kind).expect("a message type")
    }

    /// A purchase that is in order.
    pub(crate) fn purchase(&self, pan: &str, stan: u32, cents: u64) -> Draft {
        self.speech.purchase(&sale(pan, stan, cents))
    }

    /// The advice that such a purchase was decided in the issuer's stead.
    pub(crate) fn advice(&self, pan: &str, stan: u32, cents: u64, approved: bool) -> Draft {
        self.speech.advice(&sale(pan, stan, cents), approved)
    }

    /// The full reversal of such a purchase.
    pub(crate) fn reversal(&self, pan: &str, stan: u32, original: u32, cents: u64) -> Draft {
        self.speech.reversal("100", &sale(pan, original, cents), stan)
    }

    /// The full reversal of a financial message.
    pub(crate) fn refunded(&self, pan: &str, stan: u32, original: u32, cents: u64) -> Draft {
        self.speech.reversal("200", &sale(pan, original, cents), stan)
    }

    /// The reversal of a purchase that leaves a part of it.
    pub(crate) fn partial(&self, pan: &str, stan: u32, [original, cents, left]: [u32; 3]) -> Draft {
        self.speech.partial_reversal(&sale(pan, original, cents.into()), stan, left.into())
    }

    /// A financial message with this processing code.
    pub(crate) fn financial(&self, pan: &str, stan: u32, cents: u64, code: &str) -> Draft {
        self.speech.financial(&sale(pan, stan, cents), code)
    }

    /// The advice that settles an authorization.
    pub(crate) fn completion(&self, pan: &str, stan: u32, original: u32, cents: u64) -> Draft {
        self.speech.completion(&sale(pan, stan, cents), &sale(pan, original, cents))
    }

    /// An authorization that adds to an earlier one.
    pub(crate) fn increment(&self, pan: &str, stan: u32, original: u32, cents: u64) -> Draft {
        self.speech.increment(&sale(pan, stan, cents), &sale(pan, original, cents))
    }

    /// An authorization whose amount takes the place of an earlier one's.
    pub(crate) fn replacement(&self, pan: &str, stan: u32, original: u32, cents: u64) -> Draft {
        self.speech.replacement(&sale(pan, stan, cents), &sale(pan, original, cents))
    }

    /// Network management.
    pub(crate) fn management(&self, function: Function, stan: u32) -> Draft {
        self.speech.management(function, stan, date(2026, 11, 23).at(12, 0, 0, 0))
    }

    /// The bytes of a message.
    pub(crate) fn bytes(&self, mti: Mti, draft: &Draft) -> Vec<u8> {
        self.speech.bytes(mti, draft).expect("values that fit")
    }

    /// Offset of a field's content in these bytes.
    pub(crate) fn content_offset(&self, bytes: &[u8], field: u8) -> usize {
        let body = Bytes::copy_from_slice(bytes);
        let said = self.speech.read(body).expect("readable");
        let content = said.view().content(field).expect("there");
        content.as_ptr() as usize - said.body().as_ptr() as usize
    }

    /// A body in a frame, behind a header of the link's form.
    pub(crate) fn framed(&self, body: &[u8]) -> Vec<u8> {
        let mut out = BytesMut::new();
        let form = self.codec.framing().header;
        let header = match form {
            HeaderForm::None => None,
            _ => {
                let mut bytes = vec![0x22; form.len()];
                bytes[0] = u8::try_from(form.len()).expect("short");
                Header::take(form, &bytes)
            }
        };
        self.codec.append(header, body, &mut out).expect("framed");
        out.to_vec()
    }

    pub(crate) async fn send(&mut self, body: &[u8]) {
        let frame = self.framed(body);
        self.send_raw(&frame).await;
    }

    /// Bytes as they are.
    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("sent");
    }

    /// Waits for the end of the connection; true when nothing came before it.
    pub(crate) async fn ended(&mut self) -> bool {
        // A reset is an end as well.
        matches!(self.stream.read_buf(&mut self.input).await, Ok(0) | Err(_))
            && self.input.is_empty()
    }

    /// Waits for the end of the connection, whatever comes before it.
    pub(crate) async fn closed(&mut self) {
        while !matches!(self.stream.read_buf(&mut self.input).await, Ok(0) | Err(_)) {}
    }

    /// Whether the dialect packs two digits of this field into a byte.
    pub(crate) fn is_packed(&self, field: u8) -> bool {
        let spec = self.speech.dialect().spec(field);
        spec.is_some_and(|spec| spec.encoding == Encoding::Bcd)
    }

    pub(crate) async fn answer(&mut self) -> Said {
        let frame = loop {
            if let Some(frame) = self.codec.decode(&mut self.input).expect("a frame") {
                break frame;
            }
            let read = self.stream.read_buf(&mut self.input).await.expect("readable");
            assert!(read > 0, "the link closed the connection");
        };
        self.said(frame)
    }

    fn said(&self, frame: Frame) -> Said {
        let said = self.speech.read(frame.body).expect("a readable answer");
        let text = |field| said.text(field).unwrap_or_default();
        let (approval, action) = (text(38), text(39));
        let (amounts, text, error_set) = (text(54), text(44), text(18));
        let mti = said.mti().to_owned();
        Said { mti, approval, action, text, error_set, amounts, body: said.body().clone() }
    }

    /// A field of an answer.
    pub(crate) fn text(&self, said: &Said, field: u8) -> Option<String> {
        self.speech.read(said.body.clone()).expect("readable").text(field)
    }

    /// Field 55 of an answer; empty where it has none.
    pub(crate) fn chip_data(&self, said: &Said) -> Vec<u8> {
        let read = self.speech.read(said.body.clone()).expect("readable");
        let mut room = [0; 255];
        read.view().bytes(55, &mut room).map(<[u8]>::to_vec).unwrap_or_default()
    }

    /// Every field of an answer as it came, by its number.
    pub(crate) fn fields(&self, said: &Said) -> BTreeMap<u8, Vec<u8>> {
        let read = self.speech.read(said.body.clone()).expect("readable");
        let view = read.view();
        let content = |field| (field, view.content(field).unwrap_or_default().to_vec());
        view.present().into_iter().map(content).collect()
    }

    pub(crate) async fn ask(&mut self, kind: &str, draft: &Draft) -> Said {
        let bytes = self.bytes(self.mti(kind), draft);
        self.send(&bytes).await;
        self.answer().await
    }
}

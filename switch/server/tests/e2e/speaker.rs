//! A peer that speaks any shipped dialect over any framing. It owns how a purchase and its reversal
//! are written in each edition of the standard; what is wanted of the answers is the tests' affair.

use std::net::SocketAddr;

use codecs::framing::{Frame, FrameCodec, Framing, Header, HeaderForm};
use codecs::iso8583::{Dialect, Encoder, EntryForm, Fields, Mti, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::bytes::{Bytes, BytesMut};
use tokio_util::codec::Decoder;

/// A connection.
pub(crate) struct Speaker {
    dialect: Dialect,
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
}

/// A field to write.
#[derive(Clone)]
pub(crate) enum Value {
    Text(String),
    Bytes(Vec<u8>),
}

pub(crate) type Draft = Vec<(u8, Value)>;

fn text(value: impl Into<String>) -> Value {
    Value::Text(value.into())
}

impl Speaker {
    pub(crate) async fn connect(address: SocketAddr, dialect: Dialect, framing: Framing) -> Self {
        let stream = TcpStream::connect(address).await.expect("connected");
        let codec = framing.codec().expect("a framing");
        Self { dialect, codec, stream, input: BytesMut::new() }
    }

    pub(crate) fn version(&self) -> Version {
        self.dialect.version()
    }

    /// `"100"` and so on, with this edition's digit in front.
    pub(crate) fn mti(&self, kind: &str) -> Mti {
        Mti::parse(&format!("{}{kind}", self.version().mti_digit())).expect("a message type")
    }

    /// A purchase that is in order.
    pub(crate) fn purchase(&self, pan: &str, stan: u32, cents: u64) -> Draft {
        let version = self.version();
        let mut draft: Draft = vec![
            (2, text(pan)),
            (3, text("000000")),
            (7, text(format!("1123{:06}", stan % 240_000))),
            (11, text(format!("{stan:06}"))),
            (14, text("4912")),
            (32, text("123456")),
            (37, text(format!("{stan:012}"))),
            (41, text("TERM0001")),
            (42, text("MERCHANT0000001")),
        ];
        draft.push((4, self.amount(cents)));
        draft.extend(self.local_time());
        match version {
            Version::V1987 => {
                // Three digits, or four.
                let room = self.dialect.spec(22).map_or(3, |spec| usize::from(spec.max));
                draft.extend([(18, text("5411")), (22, text(format!("{:0<room$}", "051")))]);
            }
            Version::V1993 | Version::V2003 => {
                draft.extend([(24, text("100")), (26, text("5411"))]);
                draft.push((22, self.chip()));
            }
        }
        if version != Version::V2003 {
            draft.push((49, text("978")));
        }
        draft
    }

    /// The full reversal of such a purchase.
    pub(crate) fn reversal(&self, pan: &str, stan: u32, original: u32, cents: u64) -> Draft {
        let mut draft = self.purchase(pan, stan, cents);
        draft.retain(|(field, _)| ![14, 18, 22, 24, 37].contains(field));
        draft.push((37, text(format!("{original:012}"))));
        let elements = match self.version() {
            Version::V1987 => {
                let time = format!("1123{:06}", original % 240_000);
                (90, text(format!("0100{original:06}{time}{:011}{:011}", 123_456, 0)))
            }
            Version::V1993 => (56, text(format!("1100{original:06}26112312000006123456"))),
            Version::V2003 => (56, text(format!("2100{original:012}2026112312000006123456"))),
        };
        draft.push(elements);
        if self.version() != Version::V1987 {
            draft.extend([(24, text("400")), (25, text("4000"))]);
        }
        draft
    }

    fn amount(&self, cents: u64) -> Value {
        match self.version() {
            Version::V2003 => text(format!("9782{cents:012}")),
            _ => text(format!("{cents:012}")),
        }
    }

    fn local_time(&self) -> Draft {
        match self.version() {
            Version::V1987 => vec![(12, text("120000")), (13, text("1123"))],
            Version::V1993 => vec![(12, text("261123120000"))],
            Version::V2003 => vec![(12, text("20261123120000"))],
        }
    }

    fn chip(&self) -> Value {
        match self.dialect.entry_form() {
            EntryForm::Digits => text("051"),
            EntryForm::Positions => text("510101513344"),
            EntryForm::Bits => {
                let mut code = vec![0; 16];
                (code[0], code[8]) = (1 << 5, 1 << 1);
                Value::Bytes(code)
            }
        }
    }

    /// The bytes of a message.
    pub(crate) fn bytes(&self, mti: Mti, draft: &Draft) -> Vec<u8> {
        let mut encoder = Encoder::new();
        let mut message = encoder.start(&self.dialect, mti);
        for (field, value) in draft {
            let written = match value {
                Value::Text(value) => message.text(*field, value),
                Value::Bytes(value) => message.bytes(*field, value),
            };
            written.expect("a value that fits");
        }
        let mut out = BytesMut::new();
        message.finish(&mut out).expect("a message");
        out.to_vec()
    }

    /// Offset of a field's content in these bytes.
    pub(crate) fn content_offset(&self, bytes: &[u8], field: u8) -> usize {
        let mut fields = Fields::new();
        self.dialect.decode(bytes, &mut fields).expect("readable");
        let content = self.dialect.view(bytes, &fields).content(field).expect("there");
        content.as_ptr() as usize - bytes.as_ptr() as usize
    }

    pub(crate) async fn send(&mut self, body: &[u8]) {
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
        self.stream.write_all(&out).await.expect("sent");
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
        let mut fields = Fields::new();
        self.dialect.decode(&frame.body, &mut fields).expect("a readable answer");
        let message = self.dialect.view(&frame.body, &fields);
        let text = |field| message.text(field).map(|text| text.to_string()).unwrap_or_default();
        let (approval, action) = (text(38), text(39));
        let mti = message.mti().expect("a message type").to_string();
        let (text, error_set) = (text(44), text(18));
        Said { mti, approval, action, text, error_set, body: frame.body.clone() }
    }

    pub(crate) async fn ask(&mut self, kind: &str, draft: &Draft) -> Said {
        let bytes = self.bytes(self.mti(kind), draft);
        self.send(&bytes).await;
        self.answer().await
    }
}

//! The issuer's end of a link, one connection, by hand: reads a message, sends one, answers one.
//! Must approve whatever it is told to, and keep nothing.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use codecs::framing::{Frame, FrameCodec, Framing, Header, HeaderForm, LengthHeader, Trailer};
use codecs::iso8583::{Dialect, Encoder, Mti};
use jiff::civil::date;
use simulators::network::{Function, NetworkPeer, Said, Settings, Speech};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::codec::Decoder;

/// A test card.
pub(crate) const PAN: &str = "9999991200000018";

pub(crate) fn speech(dialect: &str) -> Speech {
    Speech::new(Arc::new(Dialect::shipped(dialect).expect("shipped")))
}

pub(crate) fn settings(dialect: &str, framing: Framing) -> Settings {
    Settings::new(Arc::new(Dialect::shipped(dialect).expect("shipped")), framing)
}

pub(crate) fn plain() -> Framing {
    Framing::new(LengthHeader::Binary2)
}

/// One without a header, one with, one with everything.
pub(crate) fn framings() -> [Framing; 3] {
    [
        plain(),
        Framing { header: HeaderForm::Tpdu, ..Framing::new(LengthHeader::Ascii(4)) },
        Framing {
            header: HeaderForm::Station,
            trailer: Trailer::Etx,
            inclusive: true,
            ..Framing::new(LengthHeader::Binary4)
        },
    ]
}

pub(crate) async fn listen(settings: Settings) -> NetworkPeer {
    NetworkPeer::listen(([127, 0, 0, 1], 0).into(), settings).await.expect("a free port")
}

/// One connection.
pub(crate) struct Stub {
    pub(crate) stream: TcpStream,
    speech: Speech,
    codec: FrameCodec,
    input: BytesMut,
    stan: u32,
}

impl Stub {
    pub(crate) async fn dial(address: SocketAddr, settings: &Settings) -> Stub {
        Stub::over(TcpStream::connect(address).await.expect("connected"), settings)
    }

    pub(crate) fn over(stream: TcpStream, settings: &Settings) -> Stub {
        let codec = settings.framing.codec().expect("a framing");
        let speech = settings.speech.clone();
        Stub { stream, speech, codec, input: BytesMut::new(), stan: 0 }
    }

    /// The next frame, and the message in it if it is one; `None` at the end of the connection,
    /// orderly or not, and behind a length that cannot be.
    pub(crate) async fn next(&mut self) -> Option<(Frame, Option<Said>)> {
        loop {
            match self.codec.decode(&mut self.input) {
                Ok(Some(frame)) => {
                    let said = self.speech.read(frame.body.clone()).ok();
                    return Some((frame, said));
                }
                Ok(None) => {}
                Err(_) => return None,
            }
            if matches!(self.stream.read_buf(&mut self.input).await, Ok(0) | Err(_)) {
                return None;
            }
        }
    }

    pub(crate) async fn message(&mut self) -> (Frame, Said) {
        let (frame, said) = self.next().await.expect("a frame, not the end");
        (frame, said.expect("a message"))
    }

    pub(crate) async fn send(&mut self, header: Option<Header>, body: &[u8]) {
        let form = self.codec.framing().header;
        let mut bytes = vec![0x33; form.len()];
        if let Some(first) = bytes.first_mut() {
            *first = u8::try_from(form.len()).expect("short");
        }
        let header = header.or_else(|| Header::take(form, &bytes));
        let mut out = BytesMut::new();
        self.codec.append(header, body, &mut out).expect("framed");
        self.stream.write_all(&out).await.expect("sent");
    }

    /// Sends network management with this code.
    pub(crate) async fn manage(&mut self, code: &str) -> Said {
        self.stan += 1;
        let at = date(2026, 11, 23).at(12, 0, 0, 0);
        let mut draft = self.speech.management(Function::Echo, self.stan, at);
        let field = Function::field(self.speech.version());
        draft.retain(|(number, _)| *number != field);
        draft.push((field, simulators::network::Value::Text(code.to_owned())));
        let mti = self.speech.mti("800").expect("a type");
        let bytes = self.speech.bytes(mti, &draft).expect("a message");
        self.send(None, &bytes).await;
        self.speech.read(Bytes::from(bytes)).expect("readable")
    }

    pub(crate) async fn ask(&mut self, function: Function) -> Said {
        let request = self.manage(function.code(self.speech.version())).await;
        let (_, answer) = self.message().await;
        assert_eq!(answer.text(11), request.text(11), "the answer to this");
        answer
    }

    /// The answer to a request with this in field 39.
    pub(crate) fn answer_to(&self, request: &Said, action: &str) -> Vec<u8> {
        let mti = Mti::parse(request.mti()).and_then(Mti::response).expect("a request");
        let mut encoder = Encoder::new();
        let mut answer = encoder.start(self.speech.dialect(), mti);
        for field in [2, 3, 4, 7, 11, 12, 24, 32, 37, 41, 42, 49, 70] {
            answer.echo(field, &request.view()).expect("the same dialect");
        }
        answer.text(39, action).expect("it fits");
        let mut out = BytesMut::new();
        answer.finish(&mut out).expect("a message");
        out.to_vec()
    }

    /// Answers whatever comes next with this.
    pub(crate) async fn answer(&mut self, action: &str) -> Said {
        let (frame, said) = self.message().await;
        let bytes = self.answer_to(&said, action);
        self.send(frame.header.map(Header::reply), &bytes).await;
        said
    }
}

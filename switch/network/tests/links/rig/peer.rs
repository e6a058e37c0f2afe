//! A connection as a peer holds it: sends frames or raw bytes, reads answers.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use codecs::framing::{Frame, FrameCodec, Framing, Header, HeaderForm};
use codecs::iso8583::{Dialect, Fields};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::codec::Decoder;

use super::Draft;

/// The peer's side of a connection, in clear or through TLS.
pub(crate) struct Peer<S = TcpStream> {
    pub(crate) stream: S,
    dialect: Arc<Dialect>,
    codec: FrameCodec,
    input: BytesMut,
}

/// A message that the link sent.
pub(crate) struct Answer {
    pub(crate) frame: Frame,
    fields: Fields,
    dialect: Arc<Dialect>,
}

/// A header of this form, with a byte of its own at each place.
pub(crate) fn header(form: HeaderForm) -> Header {
    let mut bytes: Vec<u8> = (0x10..).take(form.len()).collect();
    if form == HeaderForm::Station {
        bytes[0] = 22;
    }
    Header::take(form, &bytes).expect("a header")
}

impl Peer {
    pub(crate) async fn connect(
        address: SocketAddr,
        dialect: Arc<Dialect>,
        framing: Framing,
    ) -> Self {
        let stream = TcpStream::connect(address).await.expect("connected");
        stream.set_nodelay(true).expect("set");
        Self::over(stream, dialect, framing)
    }

    /// A connection whose receiving buffer is as small as the system lets it be.
    pub(crate) async fn connect_with_small_buffer(
        address: SocketAddr,
        dialect: Arc<Dialect>,
        framing: Framing,
    ) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4096).expect("set");
        let stream = socket.connect(address).await.expect("connected");
        Self::over(stream, dialect, framing)
    }

    /// The next connection that comes.
    pub(crate) async fn accept(
        listener: &TcpListener,
        dialect: Arc<Dialect>,
        framing: Framing,
    ) -> Self {
        let (stream, _) = listener.accept().await.expect("accepted");
        Self::over(stream, dialect, framing)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub(crate) fn over(stream: S, dialect: Arc<Dialect>, framing: Framing) -> Self {
        let codec = framing.codec().expect("a framing");
        Self { stream, dialect, codec, input: BytesMut::new() }
    }

    /// The bytes of a frame with this body, behind a header of the link's form.
    pub(crate) fn frame(&self, body: &[u8]) -> Vec<u8> {
        let mut out = BytesMut::new();
        let header = match self.codec.framing().header {
            HeaderForm::None => None,
            form => Some(header(form)),
        };
        self.codec.append(header, body, &mut out).expect("framed");
        out.to_vec()
    }

    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("sent");
    }

    pub(crate) async fn send_body(&mut self, body: &[u8]) {
        let frame = self.frame(body);
        self.send_bytes(&frame).await;
    }

    pub(crate) async fn send(&mut self, draft: &Draft) {
        self.send_body(&draft.bytes()).await;
    }

    /// All of them in one write, and so in one segment.
    pub(crate) async fn send_together(&mut self, drafts: &[Draft]) {
        let frames: Vec<u8> = drafts.iter().flat_map(|draft| self.frame(&draft.bytes())).collect();
        self.send_bytes(&frames).await;
    }

    /// The next answer; `None` when the link has closed the connection.
    pub(crate) async fn next(&mut self) -> Option<Answer> {
        loop {
            if let Some(frame) = self.codec.decode(&mut self.input).expect("a frame") {
                let mut fields = Fields::new();
                self.dialect.decode(&frame.body, &mut fields).expect("a readable answer");
                return Some(Answer { frame, fields, dialect: Arc::clone(&self.dialect) });
            }
            // A reset is an end as well.
            if matches!(self.stream.read_buf(&mut self.input).await, Ok(0) | Err(_)) {
                assert!(self.input.is_empty(), "closed within a frame");
                return None;
            }
        }
    }

    pub(crate) async fn answer(&mut self) -> Answer {
        self.next().await.expect("an answer, not the end")
    }

    pub(crate) async fn ask(&mut self, draft: &Draft) -> Answer {
        self.send(draft).await;
        self.answer().await
    }

    /// Waits until the link has closed the connection, without any further answer.
    pub(crate) async fn expect_end(&mut self) {
        let answer = self.next().await;
        assert!(answer.is_none(), "{:?} instead of the end", answer.map(|answer| answer.summary()));
    }
}

impl Answer {
    pub(crate) fn body(&self) -> &Bytes {
        &self.frame.body
    }

    /// A field's characters; "" where it is absent.
    pub(crate) fn text(&self, field: u8) -> String {
        let message = self.dialect.view(&self.frame.body, &self.fields);
        message.text(field).map(|text| text.as_str().to_owned()).unwrap_or_default()
    }

    /// A field's bytes as they came.
    pub(crate) fn wire(&self, field: u8) -> Option<&[u8]> {
        self.dialect.view(&self.frame.body, &self.fields).raw(field)
    }

    /// A binary field's bytes, in hexadecimal.
    pub(crate) fn hex(&self, field: u8) -> Option<String> {
        let mut room = [0; 255];
        let message = self.dialect.view(&self.frame.body, &self.fields);
        message.bytes(field, &mut room).ok().map(hex::encode)
    }

    pub(crate) fn mti(&self) -> String {
        self.fields.mti().expect("a message type").to_string()
    }

    /// Message type, DE39 and DE44.
    pub(crate) fn summary(&self) -> (String, String, String) {
        (self.mti(), self.text(39), self.text(44))
    }
}

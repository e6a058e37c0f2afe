//! Requests of ours on one connection: sent, answered, given up. It owns that each of them ends in
//! one outcome, told to who asked and counted; that a late answer changes nothing; and when silence
//! means that nobody is there any more. The bytes are written and read by others.

mod outstanding;
mod request;
mod settings;

use std::time::Duration;

use bytes::BytesMut;
use codecs::framing::{FrameCodec, Header};
use codecs::iso8583::{Encoder, Fields, Message, Version};
use jiff::Timestamp;
use switch_domain::Reason;
use tokio::sync::oneshot;
use tokio::time::Instant;

use self::outstanding::{Found, Outstanding, key};
use self::request::Moment;
pub use self::request::{Purpose, Request};
pub use self::settings::RequestConfig;
use crate::link::Link;
use crate::standing::CutOver;

const ACTION_CODE: u8 = 39;

/// What the peer said to a request of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestAnswer {
    /// DE39; empty where the answer had none.
    pub action_code: String,
    /// Whether that means yes.
    pub accepted: bool,
    /// From request to answer.
    pub after: Duration,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The link has no connection.
    #[error("the link is not connected")]
    NotConnected,
    /// As many wait as may.
    #[error("{0} requests wait for their answers; one more is not sent")]
    TooMany(usize),
    /// The dialect or the framing cannot write it.
    #[error("the request cannot be written: {0}")]
    Unwritable(String),
    /// The peer did not answer in time. An answer that still comes is counted, and changes nothing.
    #[error("no answer within {} ms", .0.as_millis())]
    NoAnswer(Duration),
    /// The connection ended first.
    #[error("the connection ended before an answer came")]
    Closed,
}

/// How a request ends.
pub(crate) type Outcome = Result<RequestAnswer, RequestError>;

/// A request on its way to a connection.
pub(crate) struct Order {
    pub(crate) request: Request,
    /// Who asked.
    pub(crate) reply: oneshot::Sender<Outcome>,
}

/// Who wants to know.
enum Asker {
    /// Somebody through the link's handle.
    Handle(oneshot::Sender<Outcome>),
    /// The connection itself, because nothing came.
    KeepAlive,
    /// The connection itself, because it is new.
    Connection,
    /// The connection itself, because it is to end; nobody waits for the answer.
    Parting,
}

struct Sent {
    request: Request,
    asker: Asker,
}

/// Why a connection is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing came but silence.
    HalfOpen,
    /// The peer did not let us sign on.
    NotSignedOn,
}

/// The requests of one connection.
pub(crate) struct Requests {
    outstanding: Outstanding<Sent>,
    matched_by: Vec<u8>,
    /// Of the last message that came, turned round; else the configured one.
    header: Option<Header>,
    encoder: Encoder,
    message: BytesMut,
    fields: Fields,
    /// Echoes of ours in a row that nothing came after.
    silent_echoes: u32,
    verdict: Option<Verdict>,
}

impl Requests {
    pub(crate) fn new<S>(link: &Link<S>) -> Self {
        let config = &link.config.requests;
        Self {
            outstanding: Outstanding::new(config.max_outstanding),
            matched_by: config.matched_by(&link.config.dialect),
            header: config.first_header(link.config.framing.header),
            encoder: Encoder::new(),
            message: BytesMut::new(),
            fields: Fields::new(),
            silent_echoes: 0,
            verdict: None,
        }
    }

    /// Bytes came, whatever they say: somebody is there.
    pub(crate) const fn heard(&mut self) {
        self.silent_echoes = 0;
    }

    /// A request came with this header: ours go the same way back.
    pub(crate) fn learn(&mut self, header: Option<Header>) {
        if let Some(header) = header {
            self.header = Some(header.reply());
        }
    }

    /// Whether the connection must end.
    pub(crate) const fn verdict(&self) -> Option<Verdict> {
        self.verdict
    }

    pub(crate) fn oldest(&self) -> Option<Instant> {
        self.outstanding.oldest()
    }

    /// Sends what somebody asked for; 1 where that made a frame.
    pub(crate) fn order<S>(
        &mut self,
        link: &Link<S>,
        codec: &FrameCodec,
        order: Order,
        out: &mut BytesMut,
    ) -> u64 {
        self.send(link, codec, order.request, Asker::Handle(order.reply), out)
    }

    /// Signs on, on a connection that is new.
    pub(crate) fn sign_on<S>(
        &mut self,
        link: &Link<S>,
        codec: &FrameCodec,
        out: &mut BytesMut,
    ) -> u64 {
        self.send(link, codec, Request::network(Purpose::SignOn), Asker::Connection, out)
    }

    /// Signs off, on a connection that is about to end.
    pub(crate) fn sign_off<S>(
        &mut self,
        link: &Link<S>,
        codec: &FrameCodec,
        out: &mut BytesMut,
    ) -> u64 {
        self.send(link, codec, Request::network(Purpose::SignOff), Asker::Parting, out)
    }

    /// Asks whether anybody is there; one such question at a time.
    pub(crate) fn echo<S>(
        &mut self,
        link: &Link<S>,
        codec: &FrameCodec,
        out: &mut BytesMut,
    ) -> u64 {
        if self.outstanding.iter().any(|sent| matches!(sent.asker, Asker::KeepAlive)) {
            return 0;
        }
        self.send(link, codec, Request::network(Purpose::Echo), Asker::KeepAlive, out)
    }

    fn send<S>(
        &mut self,
        link: &Link<S>,
        codec: &FrameCodec,
        request: Request,
        asker: Asker,
        out: &mut BytesMut,
    ) -> u64 {
        let most = link.config.requests.max_outstanding;
        let sent = Sent { request, asker };
        if self.outstanding.is_full() {
            return self.not_sent(link, sent, RequestError::TooMany(most));
        }
        let key = match self.write(link, &sent.request) {
            Ok(key) => key,
            Err(text) => return self.not_sent(link, sent, RequestError::Unwritable(text)),
        };
        let before = out.len();
        if let Err(error) = codec.append(self.header, &self.message, out) {
            let error = RequestError::Unwritable(error.to_string());
            return self.not_sent(link, sent, error);
        }
        if let Err(sent) = self.outstanding.add(key, Instant::now(), sent) {
            out.truncate(before);
            return self.not_sent(link, sent, RequestError::TooMany(most));
        }
        link.metrics.outstanding.increment(1.0);
        link.metrics.frames_out.increment(1);
        1
    }

    fn not_sent<S>(&mut self, link: &Link<S>, sent: Sent, error: RequestError) -> u64 {
        self.end(link, sent, Err(error));
        0
    }

    /// Writes a request into `message`; the key of its answer.
    fn write<S>(&mut self, link: &Link<S>, request: &Request) -> Result<outstanding::Key, String> {
        let dialect = &link.config.dialect;
        let moment = Moment { trace: link.standing.next_trace(), time: Timestamp::now() };
        let more = &link.config.requests.fields;
        let mac = link.mac.as_ref().filter(|mac| mac.answers());
        self.message.clear();
        let room = (&mut self.encoder, &mut self.message);
        let written = request.write(dialect, more, moment, mac.is_some(), room);
        let present = written.map_err(|error| error.to_string())?;
        if let Some(mac) = mac {
            let sealed = mac.seal(dialect, present, &mut self.message);
            sealed.map_err(|error| format!("its authentication code: {error}"))?;
        }
        let decoded = dialect.decode(&self.message, &mut self.fields);
        decoded.map_err(|error| error.to_string())?;
        let message = dialect.view(&self.message, &self.fields);
        key(&message, &self.matched_by).map_err(|field| format!("field {field} is not in it"))
    }

    /// Takes a message that answers something; false where that is nothing of ours.
    pub(crate) fn answer<S>(&mut self, link: &Link<S>, message: &Message<'_>) -> bool {
        let version = link.config.dialect.version();
        let ours = message.mti().is_some_and(|mti| mti.version() == version.mti_digit());
        let found = match key(message, &self.matched_by) {
            Ok(key) if ours => self.outstanding.answered(&key),
            _ => Found::Nothing,
        };
        match found {
            Found::Waiting(sent, since) => {
                let text = message.text(ACTION_CODE);
                let code = text.map(|text| text.as_str().to_owned()).unwrap_or_default();
                let accepted = is_acceptance(&code, version);
                let answer = RequestAnswer { action_code: code, accepted, after: since.elapsed() };
                link.metrics.answer("matched");
                link.metrics.outstanding.decrement(1.0);
                self.end(link, sent, Ok(answer));
                true
            }
            Found::Late => {
                link.metrics.answer("late");
                true
            }
            Found::Nothing => {
                link.metrics.answer("unmatched");
                false
            }
        }
    }

    /// Gives up those that were sent at `limit` or before.
    pub(crate) fn give_up<S>(&mut self, link: &Link<S>, limit: Instant) {
        while let Some(sent) = self.outstanding.give_up(limit) {
            link.metrics.outstanding.decrement(1.0);
            self.end(link, sent, Err(RequestError::NoAnswer(link.config.requests.deadline)));
        }
    }

    /// The connection has ended.
    pub(crate) fn close<S>(&mut self, link: &Link<S>) {
        link.metrics.outstanding.decrement(self.outstanding.len() as f64);
        let waiting: Vec<_> = self.outstanding.drain().collect();
        for sent in waiting {
            self.end(link, sent, Err(RequestError::Closed));
        }
    }

    /// One request has come to its end: what that changes, and who is told.
    fn end<S>(&mut self, link: &Link<S>, sent: Sent, outcome: Outcome) {
        let Sent { request, asker } = sent;
        link.metrics.request(request.name(), label(&outcome));
        let accepted = matches!(&outcome, Ok(answer) if answer.accepted);
        match request.purpose() {
            Some(Purpose::SignOn) if accepted => link.standing.set_signed_on(true),
            Some(Purpose::SignOff) if accepted => link.standing.set_signed_on(false),
            Some(Purpose::CutOver) if accepted => {
                link.standing.cut_over(CutOver::by_us(request.day()));
            }
            _ => {}
        }
        match asker {
            Asker::Handle(reply) => {
                // Nobody may be waiting any more.
                let _ = reply.send(outcome);
            }
            Asker::KeepAlive if matches!(outcome, Err(RequestError::NoAnswer(_))) => {
                self.silent_echoes = self.silent_echoes.saturating_add(1);
                if self.silent_echoes >= link.config.requests.echo_unanswered {
                    self.verdict = Some(Verdict::HalfOpen);
                }
            }
            Asker::KeepAlive | Asker::Parting => {}
            Asker::Connection if accepted => {}
            Asker::Connection => {
                let said = match outcome {
                    Ok(answer) => format!("the peer answered {:?}", answer.action_code),
                    Err(error) => error.to_string(),
                };
                tracing::warn!(link = %link.config.name, said, "not signed on");
                self.verdict = Some(Verdict::NotSignedOn);
            }
        }
    }
}

/// As metrics label it.
const fn label(outcome: &Outcome) -> &'static str {
    match outcome {
        Ok(answer) if answer.accepted => "accepted",
        Ok(_) => "declined",
        Err(RequestError::NoAnswer(_)) => "no_answer",
        Err(RequestError::Closed) => "closed",
        Err(_) => "not_sent",
    }
}

/// Network management is accepted with a code of its own in the later editions; some say plain
/// "approved".
fn is_acceptance(code: &str, version: Version) -> bool {
    [Reason::NetworkAccepted, Reason::Approved].into_iter().any(|reason| {
        code == match version {
            Version::V1987 => reason.action_code_1987(),
            Version::V1993 => reason.action_code_1993(),
            Version::V2003 => reason.action_code_2003(),
        }
    })
}

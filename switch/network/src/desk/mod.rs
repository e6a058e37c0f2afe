//! What happens to each frame of a connection, and to each reply of a shard: decode, translate,
//! submit, answer. It owns that every message ends in one answer or one counted silence; it never
//! touches the socket.

mod authentic;
mod file_action;
mod key_change;
mod pin_service;
mod reconciliation;
mod statement;
mod verification;

use bytes::BytesMut;
use codecs::framing::{FrameCodec, Header, WipedFrame};
use codecs::iso8583::{DecodeError, Fields, Message, Mti, Text};
use std::sync::Arc;
use switch_domain::{CardId, Channel, Fingerprint, LinkId, Pan, Reason, Tolerance};
use switch_security::Script;
use switch_shard::fault_points::{KillPoint, reach};
use switch_shard::{Admission, Command, Reply, ReplyOutcome, ReplyTo, Submission};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use crate::answer::{AnswerWriter, Fault, Saying, Unwritable};
use crate::link::Link;
use crate::pending::{Asking, Pending, Waiting};
use crate::requests::{Order, Requests};
use crate::standing::CutOver;
use crate::switch::Switch;
use crate::translate::{self, FieldFault, NetworkRequest, Surroundings, Translate, Translated};
use crate::verify::Answers;

const STAN: u8 = 11;
const SETTLEMENT_DATE: u8 = 15;

/// Faults of one connection that are logged as warnings; a peer that makes more of them must not
/// fill the log, and they are counted all the same.
const LOGGED_FAULTS: u32 = 20;

pub(crate) use self::verification::Verification;

/// The work of one connection without its socket.
pub(crate) struct Desk<S> {
    link: Arc<Link<S>>,
    codec: FrameCodec,
    writer: AnswerWriter,
    pub(crate) pending: Pending,
    /// What we ask of the peer.
    pub(crate) requests: Requests,
    replies: UnboundedSender<Reply>,
    /// Where what the security module found comes back, where it is waited for.
    verified: UnboundedSender<Verification>,
    /// How many messages wait for that.
    verifying: usize,
    faults: u32,
    /// Versions of keys that the answers on their way to the peer say were taken in.
    changed_keys: Vec<u32>,
    /// Frames so far.
    pub(crate) frames_in: u64,
    /// Frames so far, those that still wait to leave among them.
    pub(crate) frames_out: u64,
}

/// A request at hand: where its answer goes.
#[derive(Clone, Copy)]
struct Request<'a> {
    message: Message<'a>,
    /// The type of its answer.
    answer: Mti,
    header: Option<Header>,
    received: Instant,
}

/// Why a request cannot be read, for the peer and for the log. Holds no content of a field.
struct FormatError {
    field: u8,
    fault: Fault,
    detail: String,
}

impl From<&DecodeError> for FormatError {
    fn from(error: &DecodeError) -> Self {
        let fault = Fault { text: error.answer_text(), set: error.error_set() };
        Self { field: error.field(), fault, detail: error.to_string() }
    }
}

impl From<FieldFault> for FormatError {
    fn from(fault: FieldFault) -> Self {
        let named = Fault { text: fault.answer_text(), set: fault.error_set() };
        Self { field: fault.field(), fault: named, detail: fault.to_string() }
    }
}

impl<S: Switch> Surroundings for Link<S> {
    fn link(&self) -> LinkId {
        self.config.id
    }

    fn fingerprint(&self, pan: &Pan) -> Fingerprint {
        self.security.fingerprint(pan)
    }

    fn find(&self, card: &Fingerprint) -> Option<CardId> {
        self.switch.find(card).map(|entry| entry.card)
    }

    fn tolerance(&self, category: u16, channel: Channel) -> Tolerance {
        self.config.tolerances.of(self.config.id, category, channel)
    }

    fn network_converts(&self) -> bool {
        self.config.network_converts
    }
}

impl<S: Switch> Desk<S> {
    pub(crate) fn new(
        link: Arc<Link<S>>,
        codec: FrameCodec,
        replies: UnboundedSender<Reply>,
        verified: UnboundedSender<Verification>,
    ) -> Self {
        let pending = Pending::new(link.metrics.in_flight.clone());
        let (writer, requests) = (AnswerWriter::new(link.mac.clone()), Requests::new(&link));
        Self {
            link,
            codec,
            writer,
            pending,
            requests,
            replies,
            verified,
            verifying: 0,
            faults: 0,
            changed_keys: Vec::new(),
            frames_in: 0,
            frames_out: 0,
        }
    }

    /// Wipes what answers left in the buffers that they are written in.
    pub(crate) fn wipe(&mut self) {
        self.writer.wipe();
    }

    /// Takes one frame; what can be answered at once is appended to `out`.
    pub(crate) fn take(&mut self, frame: &WipedFrame, fields: &mut Fields, out: &mut BytesMut) {
        let link = Arc::clone(&self.link);
        link.metrics.frames_in.increment(1);
        self.frames_in = self.frames_in.saturating_add(1);
        if let Some(code) = frame.header().and_then(Header::reject_code) {
            return self.sent_back(code);
        }
        let decoded = link.config.dialect.decode(frame.body(), fields);
        let message = link.config.dialect.view(frame.body(), fields);
        let Some(mti) = message.mti() else {
            return self.drop_message("unreadable_type", decoded.err().as_ref());
        };
        link.metrics.message(mti);
        self.requests.learn(frame.header().copied().filter(|_| mti.is_request()));
        let Some(answer) = mti.response() else {
            if !mti.is_request() && decoded.is_ok() {
                if !self.is_authentic(&message) {
                    return self.link.metrics.dropped("mac");
                }
                if self.requests.answer(&link, &message) {
                    return;
                }
            }
            // A response to nothing we asked, or a notification: answering could start a loop.
            return self.drop_message("not_a_request", None);
        };
        if !message.has(STAN) {
            return self.drop_message("no_trace_number", decoded.err().as_ref());
        }
        let received = Instant::now();
        let request = Request { message, answer, header: frame.header().copied(), received };
        if let Err(error) = decoded {
            return self.answer_format_error(&request, &FormatError::from(&error), out);
        }
        if self.turns_away(&request, out) {
            return;
        }
        if !is_network_management(mti) && self.is_of_others(&request, out) {
            return;
        }
        if let Some(field) = link.config.dialect.missing_field(mti, message.present()) {
            let fault = FieldFault::Absent(field);
            return self.answer_format_error(&request, &fault.into(), out);
        }
        match mti.without_repeat() {
            mti if mti.version() != link.config.dialect.version().mti_digit() => {
                self.answer_unsupported(&request, Reason::InvalidTransaction, "version", out);
            }
            mti if is(mti, Mti::AUTHORIZATION_REQUEST) || is(mti, Mti::FINANCIAL_REQUEST) => {
                if let Some(reason) = self.not_now() {
                    return self.answer_now(&request, &Saying::plain(reason), out);
                }
                self.submit(&request, translate::request, out);
            }
            // What has happened cannot be put off: signed on or not, at any time.
            mti if is(mti, Mti::AUTHORIZATION_ADVICE) || is(mti, Mti::FINANCIAL_ADVICE) => {
                self.submit(&request, translate::advice, out);
            }
            mti if is(mti, Mti::REVERSAL_REQUEST) || is(mti, Mti::REVERSAL_ADVICE) => {
                self.submit(&request, translate::reversal, out);
            }
            mti if is_network_management(mti) => self.manage_network(&request, out),
            mti if is_reconciliation(mti) => self.reconcile(&request, frame.body(), out),
            mti => self.take_without_money(&request, mti, out),
        }
    }

    /// Sends a request of ours.
    pub(crate) fn order(&mut self, order: Order, out: &mut BytesMut) {
        let sent = self.requests.order(&self.link, &self.codec, order, out);
        self.frames_out = self.frames_out.saturating_add(sent);
    }

    /// Signs on, on a connection that is new.
    pub(crate) fn sign_on(&mut self, out: &mut BytesMut) {
        let sent = self.requests.sign_on(&self.link, &self.codec, out);
        self.frames_out = self.frames_out.saturating_add(sent);
    }

    /// Signs off, on a connection that is about to end.
    pub(crate) fn sign_off(&mut self, out: &mut BytesMut) {
        let sent = self.requests.sign_off(&self.link, &self.codec, out);
        self.frames_out = self.frames_out.saturating_add(sent);
    }

    /// Asks whether anybody is there.
    pub(crate) fn echo(&mut self, out: &mut BytesMut) {
        let sent = self.requests.echo(&self.link, &self.codec, out);
        self.frames_out = self.frames_out.saturating_add(sent);
    }

    /// Takes what a shard says to a message in flight. A reply to none is one that was answered by
    /// its admission, or given up.
    pub(crate) fn reply(&mut self, reply: &Reply, out: &mut BytesMut) {
        let Some(waiting) = self.pending.take(reply.token) else { return };
        match waiting.asking.as_deref() {
            Some(Asking::Reconciling(reconciling)) => {
                return self.reconciled(reconciling, waiting.mti, waiting.header, out);
            }
            Some(Asking::KeyChange(place)) => {
                return self.key_changed(&waiting, place, out);
            }
            Some(Asking::Statement(telling)) if telling.granted.is_some() => {
                return self.tell_what_moved(&waiting, telling, out);
            }
            Some(Asking::Pin(asked)) if asked.granted.is_some() => {
                return self.pin_changed(&waiting, asked, reply, out);
            }
            Some(Asking::Statement(_) | Asking::Pin(_)) | None => {}
        }
        if reply.is_stale() {
            return self.link.metrics.unanswered("stale", 1);
        }
        let saying = match reply.outcome {
            ReplyOutcome::Decided(decision) => {
                match waiting.asking.as_deref() {
                    Some(Asking::Pin(_)) if decision.reason.is_approval() => {
                        return self.serve_pin(waiting, decision, out);
                    }
                    Some(_) if decision.reason.is_approval() => {
                        return self.ask_what_moved(waiting, decision, out);
                    }
                    _ => {}
                }
                Saying {
                    approval_code: decision.approval_code,
                    amounts: decision.amounts,
                    part: decision.part,
                    ..Saying::plain(decision.reason)
                }
            }
            ReplyOutcome::Declined(reason) => Saying::plain(reason),
            ReplyOutcome::Silent => return self.link.metrics.unanswered("silent", 1),
        };
        self.tell(&waiting, &saying, out);
    }

    /// Ends the answer of a message that waited.
    fn tell(&mut self, waiting: &Waiting, saying: &Saying, out: &mut BytesMut) {
        self.tell_with(waiting, saying, None, out);
    }

    /// The same with a command for the chip.
    fn tell_with(
        &mut self,
        waiting: &Waiting,
        saying: &Saying,
        script: Option<&Script>,
        out: &mut BytesMut,
    ) {
        let Waiting { echoed, mti, header, received, chip, .. } = waiting;
        let dialect = &self.link.config.dialect;
        let chip = verification::told(dialect, chip.as_ref(), script, saying.reason);
        let written = self.writer.complete(dialect, (echoed, *mti), saying, chip);
        let sent = send(&self.link, &self.codec, written, *header, out);
        self.frames_out = self.frames_out.saturating_add(sent);
        self.link.metrics.answer_seconds.record(received.elapsed().as_secs_f64());
    }

    /// Why the link takes no new authorization at present.
    fn not_now(&self) -> Option<Reason> {
        let Link { config, standing, .. } = &*self.link;
        if standing.is_paused() {
            Some(Reason::IssuerInoperative)
        } else if config.sign_on_required && !standing.is_signed_on() {
            Some(Reason::SignedOff)
        } else {
            None
        }
    }

    fn submit(&mut self, request: &Request<'_>, translate: Translate, out: &mut BytesMut) {
        let link = Arc::clone(&self.link);
        let (command, card) = match translate(&request.message, &*link) {
            Ok(Translated::Command(command, card)) => (command, card),
            Ok(Translated::Unsupported(reason, kind)) => {
                return self.answer_unsupported(request, reason, kind, out);
            }
            Err(fault) => return self.answer_format_error(request, &fault.into(), out),
        };
        self.verify(request, command, card, out);
    }

    fn hand_over(
        &mut self,
        request: &Request<'_>,
        command: Box<Command>,
        card: Fingerprint,
        answers: Answers,
        out: &mut BytesMut,
    ) {
        reach(KillPoint::K2);
        let Answers { chip, service } = answers;
        let token = self.pending.token();
        let reply = ReplyTo::new(self.replies.clone(), token);
        let received = request.received;
        let deadline = received.checked_add(self.link.config.answer_deadline).unwrap_or(received);
        let served = pin_service::asked(&command, card, service);
        let asking = served.or_else(|| self.statement_of(&command, &card));
        let submission = Submission { command, card, deadline, reply };
        match self.link.switch.submit(submission) {
            Admission::Accepted => {
                // The field that the movements come in is none that is echoed.
                let form = self.link.config.dialect.mini_statement_form();
                let tells = matches!(asking.as_deref(), Some(Asking::Statement(_)));
                let own = form.filter(|_| tells).map(|form| form.field);
                match self.writer.begin(&request.message, request.answer, own) {
                    Ok(echoed) => {
                        let Request { answer: mti, header, received, .. } = *request;
                        let waiting = Waiting { echoed, mti, header, received, asking, chip };
                        self.pending.insert(token, waiting);
                    }
                    Err(error) => unsendable(&self.link, &error),
                }
            }
            Admission::Declined(reason) => self.answer_now(request, &Saying::plain(reason), out),
            Admission::Silent => self.link.metrics.unanswered("shed", 1),
        }
    }

    fn manage_network(&mut self, request: &Request<'_>, out: &mut BytesMut) {
        let signed_on = match translate::network_management(&request.message) {
            Ok(NetworkRequest::SignOn) => Some(true),
            Ok(NetworkRequest::SignOff) => Some(false),
            Ok(NetworkRequest::Echo) => None,
            Ok(NetworkRequest::CutOver) => {
                let day = request.message.text(SETTLEMENT_DATE).ok();
                let day = day.as_ref().map(Text::as_str);
                self.link.standing.cut_over(CutOver::by_peer(day));
                None
            }
            Ok(NetworkRequest::KeyChange) => return self.change_key(request, out),
            Ok(NetworkRequest::Unknown) => {
                let reason = Reason::InvalidTransaction;
                return self.answer_unsupported(request, reason, "network_code", out);
            }
            Err(fault) => return self.answer_format_error(request, &fault.into(), out),
        };
        if let Some(signed_on) = signed_on {
            self.link.standing.set_signed_on(signed_on);
            tracing::info!(link = %self.link.config.name, signed_on, "sign-on state");
        }
        self.answer_now(request, &Saying::plain(Reason::NetworkAccepted), out);
    }

    fn answer_format_error(
        &mut self,
        request: &Request<'_>,
        error: &FormatError,
        out: &mut BytesMut,
    ) {
        self.link.metrics.format_error(error.field);
        self.log_fault("answered with a format error", &error.detail);
        let fault = Some(error.fault.clone());
        let saying = Saying { fault, ..Saying::plain(Reason::FormatError) };
        self.answer_now(request, &saying, out);
    }

    fn answer_unsupported(
        &mut self,
        request: &Request<'_>,
        reason: Reason,
        kind: &'static str,
        out: &mut BytesMut,
    ) {
        self.link.metrics.unsupported(kind);
        self.answer_now(request, &Saying::plain(reason), out);
    }

    fn answer_now(&mut self, request: &Request<'_>, saying: &Saying, out: &mut BytesMut) {
        let written = self.writer.answer(&request.message, request.answer, saying);
        let sent = send(&self.link, &self.codec, written, request.header, out);
        self.frames_out = self.frames_out.saturating_add(sent);
    }

    fn drop_message(&mut self, cause: &'static str, error: Option<&DecodeError>) {
        self.link.metrics.dropped(cause);
        let detail = error.map(ToString::to_string).unwrap_or_default();
        self.log_fault(cause, &detail);
    }

    /// The network could not use a message of ours, and says so by its header. There is nobody to
    /// answer, and what it was about comes as a repeat or a reversal.
    fn sent_back(&mut self, code: u16) {
        self.link.metrics.dropped("sent_back");
        self.log_fault("sent_back", &format!("the network's reason is {code:04}"));
    }

    /// Counts one more fault; whether it is logged as a warning.
    fn may_log(&mut self) -> bool {
        self.faults = self.faults.saturating_add(1);
        self.faults <= LOGGED_FAULTS
    }

    fn log_fault(&mut self, what: &'static str, detail: &str) {
        let may_log = self.may_log();
        let link = &self.link.config.name;
        if may_log {
            tracing::warn!(%link, detail, "message not taken: {what}");
        } else {
            tracing::debug!(%link, detail, "message not taken: {what}");
        }
    }
}

/// The same class, function and origin, whatever the version.
fn is(mti: Mti, wanted: Mti) -> bool {
    let ([_, mti @ ..], [_, wanted @ ..]) = (mti.digits(), wanted.digits());
    mti == wanted
}

/// A request or an advice, by whoever is one's peer: 0800, 0820, 1804, 2804.
const fn is_network_management(mti: Mti) -> bool {
    mti.class() == 8 && matches!(mti.function(), 0 | 2) && matches!(mti.origin(), 0 | 2 | 4)
}

/// By an acquirer, or by another for one: 0500, 0520, 1504. What an issuer begins (0502) is ours to
/// send.
const fn is_reconciliation(mti: Mti) -> bool {
    mti.class() == 5 && matches!(mti.function(), 0 | 2) && matches!(mti.origin(), 0 | 4)
}

/// Frames an answer that was written; how many frames that made.
fn send<S>(
    link: &Link<S>,
    codec: &FrameCodec,
    written: Result<&[u8], Unwritable>,
    header: Option<Header>,
    out: &mut BytesMut,
) -> u64 {
    let message = match written {
        Ok(message) => message,
        Err(error) => {
            unsendable(link, &error);
            return 0;
        }
    };
    if let Err(error) = codec.append(header.map(Header::reply), message, out) {
        unsendable(link, &error);
        return 0;
    }
    link.metrics.frames_out.increment(1);
    1
}

/// Cannot happen with a checked configuration, unless an answer is longer than the link's frames.
fn unsendable<S>(link: &Link<S>, error: &dyn std::error::Error) {
    link.metrics.unanswered("cannot_be_written", 1);
    tracing::error!(link = %link.config.name, %error, "an answer cannot be written");
}

//! How a link asks its peer: limits, what goes into every request, by what its answer is known. It
//! owns which of these settings can work; it never sends.

use std::time::Duration;

use codecs::framing::{Framing, Header, HeaderForm};
use codecs::iso8583::{Dialect, Encoder, Fields, Version};

use super::outstanding::key;
use super::request::{Moment, Purpose, Request};

/// Identifier, destination and source of a TPDU that says nothing else.
const TPDU: [u8; 5] = [0x60, 0, 0, 0, 0];
/// The first byte of a station header is its own length.
const STATION: u8 = 22;

/// The settings of a link's own requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestConfig {
    /// How long an answer is waited for.
    pub deadline: Duration,
    /// Requests of one connection without an answer yet; one more is not sent.
    pub max_outstanding: usize,
    /// Fields that an answer has from its request, byte for byte; it is known by them and by the
    /// class of its message type. None: 7 and 11 in 1987, 11 and 12 later.
    pub match_fields: Vec<u8>,
    /// Fields that go into every network management request besides those that it needs.
    pub fields: Vec<(u8, String)>,
    /// The transport header of a request, where the framing has one; else that of the last message
    /// that came, turned round.
    pub header: Option<Vec<u8>>,
    /// After so long without a byte from the peer it is asked for an echo; `None`: never.
    pub echo_interval: Option<Duration>,
    /// After so many of these in a row without an answer the connection counts as half open.
    pub echo_unanswered: u32,
    /// For a link that dials: it signs on before anything else.
    pub sign_on: bool,
}

impl Default for RequestConfig {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(10),
            max_outstanding: 64,
            match_fields: Vec::new(),
            fields: Vec::new(),
            header: None,
            echo_interval: None,
            echo_unanswered: 3,
            sign_on: false,
        }
    }
}

impl RequestConfig {
    /// By which fields an answer is known in this dialect.
    pub(crate) fn matched_by(&self, dialect: &Dialect) -> Vec<u8> {
        if !self.match_fields.is_empty() {
            return self.match_fields.clone();
        }
        let usual: [u8; 2] = if dialect.version() == Version::V1987 { [7, 11] } else { [11, 12] };
        usual.into_iter().filter(|field| dialect.spec(*field).is_some()).collect()
    }

    /// The header of a request to a peer that has sent none yet.
    pub(crate) fn first_header(&self, form: HeaderForm) -> Option<Header> {
        if form.is_empty() {
            return None;
        }
        if let Some(given) = &self.header {
            return Header::take(form, given);
        }
        let mut bytes = [0; Header::MAX];
        match form {
            HeaderForm::Tpdu => bytes.iter_mut().zip(TPDU).for_each(|(to, from)| *to = from),
            HeaderForm::Station => bytes.iter_mut().take(1).for_each(|to| *to = STATION),
            HeaderForm::None | HeaderForm::Echo(_) => {}
        }
        Header::take(form, bytes.get(..form.len())?)
    }

    /// The first setting that cannot work, and why. Every request is written once to find out.
    pub(crate) fn unfit(
        &self,
        dialect: &Dialect,
        framing: &Framing,
        dials: bool,
    ) -> Option<(&'static str, String)> {
        if self.deadline.is_zero() {
            return Some(("request_deadline", "must be above zero".into()));
        }
        if self.max_outstanding == 0 {
            return Some(("max_requests", "must be above zero".into()));
        }
        if self.echo_interval.is_some_and(|interval| interval.is_zero()) {
            return Some(("echo_interval", "must be above zero, or none".into()));
        }
        if self.echo_unanswered == 0 {
            return Some(("echo_unanswered", "must be above zero".into()));
        }
        if self.sign_on && !dials {
            let fault = "is for a link that dials; peers that connect sign on themselves";
            return Some(("sign_on_after_connect", fault.into()));
        }
        if let Some(header) = &self.header {
            let form = framing.header;
            if form.len() != header.len() || Header::take(form, header).is_none() {
                let fault = format!("the header of this framing has {} bytes", form.len());
                return Some(("request_header", fault));
            }
        }
        Purpose::ALL.into_iter().find_map(|purpose| self.cannot_be_written(purpose, dialect))
    }

    fn cannot_be_written(
        &self,
        purpose: Purpose,
        dialect: &Dialect,
    ) -> Option<(&'static str, String)> {
        let mut bytes = bytes::BytesMut::new();
        let request = Request::network(purpose);
        let moment = Moment { trace: 1, time: jiff::Timestamp::UNIX_EPOCH };
        let mut encoder = Encoder::new();
        let room = (&mut encoder, &mut bytes);
        let written = request.write(dialect, &self.fields, moment, false, room);
        if let Err(error) = written {
            return Some(("request_fields", error.to_string()));
        }
        let mut fields = Fields::new();
        if let Err(error) = dialect.decode(&bytes, &mut fields) {
            return Some(("request_fields", error.to_string()));
        }
        let matched_by = self.matched_by(dialect);
        let message = dialect.view(&bytes, &fields);
        match key(&message, &matched_by) {
            Ok(_) => None,
            Err(field) => {
                let fault = format!("field {field} is in no request of ours: no answer has it");
                Some(("match_fields", fault))
            }
        }
    }
}

//! One ISO 8583 link in the configuration. It owns the keys, their defaults and units; what they do
//! is the network's affair.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use codecs::framing::{Framing, LengthHeader};
use codecs::iso8583::Dialect;
use serde::Deserialize;
use switch_domain::AsciiText;
use switch_network::Institutions;

use super::{Cutover, LinkKeyChange, LinkMac, LinkPin, LinkTls, UnusableChipData};

/// A link: it listens, or it dials.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Link {
    /// A number of its own, kept for ever: it stands in for the acquirer where a message names
    /// none.
    pub id: u16,
    /// Where it listens, unless it dials.
    pub listen: Option<SocketAddr>,
    /// Where it dials, in order of preference: `host:port`.
    pub dial: Vec<String>,
    /// How long resolving a name and connecting may take, each, in milliseconds.
    pub connect_deadline_ms: u64,
    /// The longest wait before the next attempt to connect, in milliseconds; it doubles with every
    /// round of failures.
    pub redial_first_ms: u64,
    /// Where that doubling ends, in milliseconds.
    pub redial_longest_ms: u64,
    /// Certificates; without them the link is in clear.
    pub tls: Option<LinkTls>,
    /// A shipped dialect by name, or the path of a dialect file.
    pub dialect: String,
    /// How messages are cut from the stream.
    pub framing: Framing,
    /// Refuse authorizations before the peer has signed on (0800, 001).
    pub sign_on_required: bool,
    /// Connections at a time; one more is closed at once.
    pub max_connections: usize,
    /// Messages of one connection being decided; past it the connection is not read.
    pub max_in_flight: usize,
    /// After this an approval is no longer wanted, in milliseconds. Shorter than the peer's own.
    pub answer_deadline_ms: u64,
    /// A frame begun must be whole within this, in milliseconds.
    pub frame_deadline_ms: u64,
    /// A connection without any traffic for this long is closed, in milliseconds.
    pub idle_deadline_ms: u64,
    /// A peer from which nothing came for so long is asked for an echo, in milliseconds; 0: never.
    pub echo_interval_ms: u64,
    /// After so many echoes in a row without an answer the connection is closed as half open.
    pub echo_unanswered: u32,
    /// How long an answer to a request of ours is waited for, in milliseconds.
    pub request_deadline_ms: u64,
    /// Requests of one connection without an answer yet; one more is not sent.
    pub max_requests: usize,
    /// Fields by which an answer is known; none: 7 and 11 in 1987, 11 and 12 later.
    pub match_fields: Vec<u8>,
    /// What goes into every network management request besides what it needs, by field.
    pub request_fields: BTreeMap<String, String>,
    /// The transport header of requests, in hexadecimal; none: as the peer's own, turned round.
    pub request_header: String,
    /// A link that dials signs on before anything else.
    pub sign_on_after_connect: bool,
    /// Bytes sent must be acknowledged by the peer's machine within this, in milliseconds.
    pub unacknowledged_ms: u64,
    /// Answers that a peer may leave unread, in bytes; past it the connection is closed.
    pub output_limit_bytes: usize,
    /// Authentication codes; without it messages carry none.
    pub mac: Option<LinkMac>,
    /// Exchange of keys; without it none come and go.
    pub key_change: Option<LinkKeyChange>,
    /// The PIN blocks that come by it; without it none is verified.
    pub pin: Option<LinkPin>,
    /// What a chip may say otherwise than the message: amount, currency, date, country, sequence,
    /// track.
    pub chip_tolerates: Vec<String>,
    /// What is done with chip data that cannot be used.
    pub unusable_chip: UnusableChipData,
    /// Acquiring institutions (field 32) whose messages are taken; none listed: any.
    pub acquirers: Vec<String>,
    /// Forwarding institutions (field 33) whose messages are taken; none listed: any.
    pub forwarders: Vec<String>,
    /// Card numbers that the peer may lock, by their first six to eight digits; none listed: none.
    pub lock_bins: Vec<String>,
    /// Lock codes that the peer may set and take back; none listed: none.
    pub lock_codes: Vec<u8>,
    /// Refused file actions that are recorded within a minute; past it they are only counted.
    pub lock_refusals_per_minute: u32,
    /// Whether the network behind it converts amounts: then its billing amount (field 6) counts.
    pub network_converts: bool,
    /// When its business day ends.
    pub cutover: Cutover,
    /// Addresses that may connect; none listed: any.
    pub peers: Vec<IpAddr>,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            id: 0,
            listen: None,
            dial: Vec::new(),
            connect_deadline_ms: 5_000,
            redial_first_ms: 200,
            redial_longest_ms: 30_000,
            tls: None,
            dialect: "iso87-ascii".into(),
            framing: Framing::new(LengthHeader::Binary2),
            sign_on_required: false,
            max_connections: 64,
            max_in_flight: 1_024,
            answer_deadline_ms: 4_000,
            frame_deadline_ms: 10_000,
            idle_deadline_ms: 900_000,
            echo_interval_ms: 0,
            echo_unanswered: 3,
            request_deadline_ms: 10_000,
            max_requests: 64,
            match_fields: Vec::new(),
            request_fields: BTreeMap::new(),
            request_header: String::new(),
            sign_on_after_connect: false,
            unacknowledged_ms: 30_000,
            output_limit_bytes: 1 << 20,
            mac: None,
            key_change: None,
            pin: None,
            chip_tolerates: Vec::new(),
            unusable_chip: UnusableChipData::Decline,
            acquirers: Vec::new(),
            forwarders: Vec::new(),
            lock_bins: Vec::new(),
            lock_codes: Vec::new(),
            lock_refusals_per_minute: 60,
            network_converts: false,
            cutover: Cutover::default(),
            peers: Vec::new(),
        }
    }
}

impl Link {
    /// Which institutions may be named.
    ///
    /// # Errors
    /// The key, and what is wrong with it.
    pub(crate) fn institutions(&self) -> Result<Institutions, (&'static str, String)> {
        let read = |key, codes: &[String]| {
            let all = codes.iter().map(|code| institution(code).ok_or_else(|| code.clone()));
            let all: Result<Vec<_>, String> = all.collect();
            all.map_err(|code| (key, format!("{code:?} is none: write up to 11 digits")))
        };
        Ok(Institutions {
            acquirers: read("acquirers", &self.acquirers)?,
            forwarders: read("forwarders", &self.forwarders)?,
        })
    }
}

fn institution(code: &str) -> Option<AsciiText<11>> {
    let digits = !code.is_empty() && code.bytes().all(|digit| digit.is_ascii_digit());
    AsciiText::new(code.as_bytes()).ok().filter(|_| digits)
}

/// The dialect of a name: shipped, or a file.
///
/// # Errors
/// A message for people: what was looked for, and what is wrong with it.
pub fn dialect(name: &str) -> Result<Dialect, String> {
    if let Some(shipped) = Dialect::shipped(name) {
        return Ok(shipped);
    }
    let path = Path::new(name);
    if path.extension().is_none_or(|extension| extension != "toml") {
        let names: Vec<_> = Dialect::shipped_names().collect();
        return Err(format!(
            "no dialect {name:?} is shipped ({} are); for one of your own give the path of its \
             .toml file",
            names.join(", ")
        ));
    }
    read_dialect(path)
}

/// The dialect of a file.
///
/// # Errors
/// A message for people, with the line and the field.
pub fn read_dialect(path: &Path) -> Result<Dialect, String> {
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    Dialect::from_toml(&text).map_err(|error| format!("{name}: {error}"))
}

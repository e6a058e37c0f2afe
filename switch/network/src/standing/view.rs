//! How a link stands, for people and programs: a copy of one moment. It owns names and shapes; it
//! holds no field of any message but the day of a cut-over.

use std::fmt;
use std::net::SocketAddr;

use serde::Serialize;

/// What a link is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkState {
    /// It waits for a peer to connect.
    Listening,
    /// It tries to connect to its peer.
    Dialling,
    /// It has a connection, and nobody has signed on.
    Connected,
    /// It has a connection and is signed on.
    SignedOn,
    /// It takes no new authorizations.
    Paused,
    /// It sends what it owes, and takes nothing.
    Draining,
    /// It has no connection and wants none.
    Drained,
}

impl LinkState {
    /// Every state once.
    pub const ALL: [Self; 7] = [
        Self::Listening,
        Self::Dialling,
        Self::Connected,
        Self::SignedOn,
        Self::Paused,
        Self::Draining,
        Self::Drained,
    ];

    /// As commands and metrics write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Listening => "listening",
            Self::Dialling => "dialling",
            Self::Connected => "connected",
            Self::SignedOn => "signed-on",
            Self::Paused => "paused",
            Self::Draining => "draining",
            Self::Drained => "drained",
        }
    }
}

impl fmt::Display for LinkState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The end of a business day, as one side has told the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CutOver {
    /// The day that begins, as DE15 has it; none where the message named none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settlement_date: Option<String>,
    /// `peer`, or `us`.
    pub by: &'static str,
    /// When it was accepted.
    pub at: String,
}

impl CutOver {
    /// The peer's.
    pub(crate) fn by_peer(day: Option<&str>) -> Self {
        Self { settlement_date: day.map(str::to_owned), by: "peer", at: now() }
    }

    /// Ours.
    pub(crate) fn by_us(day: Option<&str>) -> Self {
        Self { settlement_date: day.map(str::to_owned), by: "us", at: now() }
    }
}

fn now() -> String {
    jiff::Timestamp::now().to_string()
}

/// A link. Times are RFC 3339, in UTC; counts are since the link was opened.
#[derive(Clone, Debug, Serialize)]
pub struct LinkView {
    /// Its name.
    pub name: String,
    /// Its number.
    pub id: u16,
    /// What it is doing.
    pub state: LinkState,
    /// Since when.
    pub since: String,
    /// Whether it is signed on, also while it is paused.
    pub signed_on: bool,
    /// Where it listens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listens_on: Option<SocketAddr>,
    /// Where it dials, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dials: Vec<String>,
    /// When its certificates were read; none where it has no TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificates_since: Option<String>,
    /// The last cut-over, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_over: Option<CutOver>,
    /// Messages that wait for their decision.
    pub in_flight: u64,
    /// Messages received.
    pub frames_in: u64,
    /// Messages sent.
    pub frames_out: u64,
    /// Connections that came about.
    pub opened: u64,
    /// Connections that were closed at once.
    pub refused: u64,
    /// Attempts to connect.
    pub dial_attempts: u64,
    /// Those that failed, or led to a connection of no use.
    pub dial_failures: u64,
    /// Its connections.
    pub connections: Vec<ConnectionView>,
}

/// One connection of a link.
#[derive(Clone, Debug, Serialize)]
pub struct ConnectionView {
    /// Whose.
    pub peer: SocketAddr,
    /// Since when.
    pub since: String,
    /// The version of TLS; none in clear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<&'static str>,
    /// Messages that wait for their decision.
    pub in_flight: u64,
    /// Messages received.
    pub frames_in: u64,
    /// Messages sent.
    pub frames_out: u64,
}

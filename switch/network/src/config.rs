//! The settings of one link. It owns which of them fit together; where they come from is the
//! server's affair.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use codecs::framing::{Framing, FramingError, LengthHeader};
use codecs::iso8583::{Dialect, Version};
use switch_domain::{LinkId, Tolerances};
use switch_security::MacError;

use crate::dial::Dialling;
use crate::institutions::Institutions;
use crate::key_change::KeyChangeRule;
use crate::locks::LockAuthority;
use crate::mac::MacRule;
use crate::reconciliation::Reconciler;
use crate::requests::RequestConfig;
use crate::statement::Teller;
use crate::tls::TlsConfig;
use crate::verify::CardChecks;

/// Fields without which no message of ours can be read or answered.
const NEEDED_FIELDS: [u8; 7] = [2, 3, 4, 11, 35, 38, 39];

/// Those that only this edition needs: the currency beside the amount, and what a network
/// management message is for.
const fn needed_by(version: Version) -> &'static [u8] {
    match version {
        Version::V1987 => &[49, 70],
        Version::V1993 => &[24, 49],
        Version::V2003 => &[24],
    }
}

/// The first field that every link of this edition needs and the dialect does not define.
#[must_use]
pub fn missing_field(dialect: &Dialect) -> Option<u8> {
    let mut needed = NEEDED_FIELDS.iter().chain(needed_by(dialect.version())).copied();
    needed.find(|field| dialect.spec(*field).is_none())
}

/// Who connects to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// Peers connect to us, here; port 0 takes any free one.
    Listen(SocketAddr),
    /// We connect to the peer.
    Dial(Dialling),
}

/// A link. [`LinkConfig::new`] gives the usual limits.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// Its name in logs and metrics.
    pub name: String,
    /// Stands in for the acquirer where a message names none; the same over restarts.
    pub id: LinkId,
    /// Who connects to whom.
    pub side: Side,
    /// Certificates, where the connections are encrypted.
    pub tls: Option<TlsConfig>,
    /// What is asked of the peer.
    pub requests: RequestConfig,
    /// How frames are cut, and the longest one accepted.
    pub framing: Framing,
    /// How messages are written.
    pub dialect: Arc<Dialect>,
    /// True where authorizations are refused until the peer has signed on (0800, DE70 001).
    pub sign_on_required: bool,
    /// How messages are authenticated; `None` where they carry no codes.
    pub mac: Option<MacRule>,
    /// Institutions that financial messages may name.
    pub institutions: Institutions,
    /// Cards that its peer may lock, and with which codes.
    pub locks: LockAuthority,
    /// Whether the network behind it converts amounts: then its billing amount (DE6) counts.
    pub network_converts: bool,
    /// How far merchants may go above what was authorized.
    pub tolerances: Arc<Tolerances>,
    /// Who knows what was settled; `None` where nobody reconciles.
    pub reconciler: Option<Reconciler>,
    /// How keys come over it; `None` where none do.
    pub key_change: Option<KeyChangeRule>,
    /// Who knows what moved on accounts; `None` where nobody does.
    pub teller: Option<Teller>,
    /// By what cards and holders are verified; `None` where nothing is.
    pub card_checks: Option<Arc<CardChecks>>,
    /// Addresses that may connect; empty means any.
    pub peers: Vec<IpAddr>,
    /// Connections at a time, handshakes included; one more is closed at once. A link that dials
    /// has one.
    pub max_connections: usize,
    /// Messages of one connection without an answer yet; at the limit it is not read any further.
    pub max_in_flight: usize,
    /// How long after a request came its approval is still wanted. After twice that time the link
    /// stops waiting for the outcome: the peer's repeat or reversal will ask for it.
    pub answer_deadline: Duration,
    /// How long one frame may take from its first byte to its last, and answers to leave.
    pub frame_deadline: Duration,
    /// How long a connection may be silent.
    pub idle_deadline: Duration,
    /// How long a connection that is closing waits for the answers it still owes.
    pub drain_deadline: Duration,
    /// How long the kernel waits for bytes sent to be acknowledged before it gives the connection
    /// up (TCP_USER_TIMEOUT; Linux).
    pub unacknowledged: Duration,
    /// Bytes of answers that may wait for a peer that does not read them.
    pub max_output: usize,
}

/// A setting that cannot work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLink {
    /// The framing and its limit do not fit.
    #[error("link {link}: {source}")]
    Framing {
        /// Which link.
        link: String,
        /// What does not fit.
        source: FramingError,
    },
    /// The dialect lacks a field that every link needs.
    #[error("link {link}: dialect {dialect} does not define field {field}, which answers need")]
    FieldMissing {
        /// Which link.
        link: String,
        /// Its dialect.
        dialect: String,
        /// The field.
        field: u8,
    },
    /// The byte that ends a frame can stand within a message.
    #[error(
        "link {link}: framing without a length ends a message at its first byte 03, which messages \
         of dialect {dialect} may contain; only a dialect of nothing but characters goes with it"
    )]
    NotText {
        /// Which link.
        link: String,
        /// Its dialect.
        dialect: String,
    },
    /// The dialect has no room for authentication codes of this length.
    #[error(
        "link {link}: dialect {dialect} has no field for authentication codes of {bytes} bytes \
         (mac_fields says which carry one); they have 4 bytes at least, and no more than the field"
    )]
    NoRoomForMac {
        /// Which link.
        link: String,
        /// Its dialect.
        dialect: String,
        /// Bytes of a code on the wire.
        bytes: usize,
    },
    /// The algorithm gives shorter codes.
    #[error("link {link}: the algorithm and its key give codes of less than {bytes} bytes")]
    MacLength {
        /// Which link.
        link: String,
        /// Bytes of a code on the wire.
        bytes: usize,
    },
    /// The key is not there, or is for something else.
    #[error("link {link}: {source}")]
    Mac {
        /// Which link.
        link: String,
        /// What the security module said.
        source: MacError,
    },
    /// A limit or a deadline of zero stops everything.
    #[error("link {link}: {setting} must be above zero")]
    Zero {
        /// Which link.
        link: String,
        /// Which setting.
        setting: &'static str,
    },
    /// Settings of dialling or of TLS that do not fit.
    #[error("link {link}: {setting}: {fault}")]
    Unfit {
        /// Which link.
        link: String,
        /// Which setting.
        setting: &'static str,
        /// What is wrong with it, and what to write instead.
        fault: String,
    },
    /// There is not even room for one frame.
    #[error("link {link}: max_output is {given}, less than the {needed} bytes of one frame")]
    OutputTooSmall {
        /// Which link.
        link: String,
        /// What was given.
        given: usize,
        /// The longest frame.
        needed: usize,
    },
}

impl LinkConfig {
    /// A link with the usual limits, open to any address, on which sign-on is not required.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        id: LinkId,
        listen: SocketAddr,
        framing: Framing,
        dialect: Arc<Dialect>,
    ) -> Self {
        Self {
            name: name.into(),
            id,
            side: Side::Listen(listen),
            tls: None,
            requests: RequestConfig::default(),
            framing,
            dialect,
            sign_on_required: false,
            mac: None,
            institutions: Institutions::default(),
            locks: LockAuthority::default(),
            network_converts: false,
            tolerances: Arc::default(),
            reconciler: None,
            key_change: None,
            teller: None,
            card_checks: None,
            peers: Vec::new(),
            max_connections: 64,
            max_in_flight: 1024,
            answer_deadline: Duration::from_secs(5),
            frame_deadline: Duration::from_secs(5),
            idle_deadline: Duration::from_secs(300),
            drain_deadline: Duration::from_secs(5),
            unacknowledged: Duration::from_secs(30),
            max_output: 1024 * 1024,
        }
    }

    /// Checks that the settings can work, before a port is opened.
    ///
    /// # Errors
    /// The first that cannot.
    pub fn check(&self) -> Result<(), InvalidLink> {
        let link = || self.name.clone();
        self.framing.check().map_err(|source| InvalidLink::Framing { link: link(), source })?;
        if self.framing.length == LengthHeader::None && !self.dialect.is_text() {
            let dialect = self.dialect.name().to_owned();
            return Err(InvalidLink::NotText { link: link(), dialect });
        }
        if let Some(field) = missing_field(&self.dialect) {
            let dialect = self.dialect.name().to_owned();
            return Err(InvalidLink::FieldMissing { link: link(), dialect, field });
        }
        if let Some(rule) = self.mac.as_ref().filter(|rule| !rule.fits(&self.dialect)) {
            let dialect = self.dialect.name().to_owned();
            return Err(InvalidLink::NoRoomForMac { link: link(), dialect, bytes: rule.bytes });
        }
        for (setting, is_zero) in [
            ("max_connections", self.max_connections == 0),
            ("max_in_flight", self.max_in_flight == 0),
            ("answer_deadline", self.answer_deadline.is_zero()),
            ("frame_deadline", self.frame_deadline.is_zero()),
            ("idle_deadline", self.idle_deadline.is_zero()),
            ("drain_deadline", self.drain_deadline.is_zero()),
            ("unacknowledged", self.unacknowledged.is_zero()),
        ] {
            if is_zero {
                return Err(InvalidLink::Zero { link: link(), setting });
            }
        }
        let needed = self.framing.max_frame;
        if self.max_output < needed {
            let given = self.max_output;
            return Err(InvalidLink::OutputTooSmall { link: link(), given, needed });
        }
        match self.unfit() {
            Some((setting, fault)) => Err(InvalidLink::Unfit { link: link(), setting, fault }),
            None => Ok(()),
        }
    }

    /// What does not fit among the settings of requests and of one side.
    fn unfit(&self) -> Option<(&'static str, String)> {
        let dials = matches!(self.side, Side::Dial(_));
        let requests = self.requests.unfit(&self.dialect, &self.framing, dials);
        if requests.is_some() {
            return requests;
        }
        let institutions = self.institutions.unfit(&self.dialect);
        if institutions.is_some() {
            return institutions;
        }
        let locks = self.locks.unfit(&self.dialect);
        if locks.is_some() {
            return locks;
        }
        if self.requests.echo_interval.is_some_and(|interval| interval >= self.idle_deadline) {
            let fault = "must be shorter than the idle deadline, which closes the connection";
            return Some(("echo_interval", fault.into()));
        }
        match &self.side {
            Side::Listen(_) => self.tls.as_ref().and_then(TlsConfig::unfit_to_listen),
            Side::Dial(_) if !self.peers.is_empty() => {
                Some(("peers", "is for a link that listens; this one dials".into()))
            }
            Side::Dial(dialling) => {
                dialling.unfit().or_else(|| self.tls.as_ref().and_then(TlsConfig::unfit_to_dial))
            }
        }
    }

    pub(crate) fn admits(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.peers.is_empty() || self.peers.iter().any(|allowed| allowed.to_canonical() == peer)
    }
}

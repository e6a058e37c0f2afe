//! What a network counted. Must account for every frame that came and every request that was sent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Counts since the start, and what is open now. As JSON it is what the command line prints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Connections that are open now.
    pub open: u64,
    /// Of these, those on which the issuer is signed on.
    pub signed_on: u64,
    /// Connections that were made, handshake included.
    pub connected: u64,
    /// Connections that failed before they could be used: no TLS, no certificate, nobody there.
    pub failed: u64,
    /// Connections that the issuer ended.
    pub ended: u64,
    /// Connections that this side reset.
    pub killed: u64,
    /// Connections that this side left half open.
    pub half_open: u64,
    /// Frames that came.
    pub frames: u64,
    /// Keep-alives that came: frames of length zero.
    pub keep_alives: u64,
    /// Of the frames, those that are no message in this dialect.
    pub unreadable: u64,
    /// Sign-ons of the issuer.
    pub sign_ons: u64,
    /// Sign-offs of the issuer.
    pub sign_offs: u64,
    /// Echoes of the issuer.
    pub echoes: u64,
    /// Cut-overs of the issuer.
    pub cut_overs: u64,
    /// Requests of the issuer that this network does not do.
    pub unknown: u64,
    /// Answers given to the issuer.
    pub answers: u64,
    /// Requests sent: purchases, reversals and network management.
    pub sent: u64,
    /// Answers to them, by field 39.
    pub answered: BTreeMap<String, u64>,
    /// Of the requests, those whose answer did not come in time or cannot come any more.
    pub unanswered: u64,
    /// Answers that came when nobody waited for them any more.
    pub late: u64,
    /// Second answers.
    pub duplicate: u64,
    /// Answers to no request of this network; most are to malformed frames.
    pub unmatched: u64,
    /// Malformed frames sent.
    pub malformed: u64,
}

impl Tally {
    /// How often field 39 was this.
    #[must_use]
    pub fn answered_with(&self, action: &str) -> u64 {
        self.answered.get(action).copied().unwrap_or(0)
    }
}

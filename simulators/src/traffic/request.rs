//! A request in flight and what its sender must remember to judge the answer. Must show a card's
//! number only masked.

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::plan::{RepeatForm, ReverseForm};
use crate::acquirer::{Channel, Variant};
use crate::iso::Message;

/// What a request is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// A purchase, sent for the first time.
    Purchase,
    /// Something else with a good card, sent for the first time.
    Other(Variant),
    /// A reversal of an approved purchase, sent for the first time.
    Reversal,
    /// What adds to an approved purchase.
    Increment,
    /// What settles an approved purchase.
    Completion,
    /// A repeat of the request that was first answered so.
    Repeat(RepeatForm, Arc<FirstAnswer>),
}

/// The first answer to a request, for the comparison with the answers to its repeats.
#[derive(Debug)]
pub(super) struct FirstAnswer {
    /// The request as first sent.
    pub request: Message,
    /// The answer.
    pub answer: Message,
    /// The answer as it came.
    pub raw: Bytes,
}

/// A request in flight.
#[derive(Clone, Debug)]
pub(super) struct InFlight {
    pub kind: Kind,
    pub channel: Channel,
    /// Index of the card.
    pub card: usize,
    pub request: Message,
    pub connection: usize,
    pub intended: Instant,
}

impl InFlight {
    /// The row of the final table that it belongs to.
    pub(super) fn row(&self) -> &'static str {
        match &self.kind {
            Kind::Purchase => self.channel.name(),
            Kind::Other(variant) => variant.name(),
            Kind::Reversal if self.request.mti() == "0420" => "reversal advice",
            Kind::Reversal if self.request.bytes(95).is_some() => "partial reversal",
            Kind::Reversal => "reversal",
            Kind::Increment => "incremental authorization",
            Kind::Completion => "completion",
            Kind::Repeat(_, first) if first.request.mti().starts_with("04") => "repeated reversal",
            Kind::Repeat(..) => "repeated purchase",
        }
    }
}

/// A request waiting for its turn, made when an earlier one was answered.
#[derive(Clone, Debug)]
pub(super) struct FollowUp {
    pub kind: FollowUpKind,
    /// The answered request.
    pub of: InFlight,
}

/// What to send.
#[derive(Clone, Debug)]
pub(super) enum FollowUpKind {
    Reverse(ReverseForm),
    Add,
    Complete,
    Repeat(RepeatForm, Arc<FirstAnswer>),
}

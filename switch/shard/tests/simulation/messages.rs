//! Requests of the acquirer and what it has been told of them. It owns their form on the way to a
//! shard; what may be answered is for the judge.

use switch_domain::{
    Acquirer, Amount, AsciiText, Channel, Currency, EntryMode, LinkId, Merchant, MessageClass,
    MessageFacts, MessageKey, MinorUnits, OriginalReference,
};
use switch_shard::{Admission, Authorize, Command, ReplyOutcome, Reverse};

use crate::world::Holder;

/// What a request is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Purchase {
        minor: i64,
    },
    /// Of the purchase with this STAN.
    Reversal {
        original: u32,
    },
}

/// One request, however often it is sent.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) kind: Kind,
    pub(crate) holder: Holder,
    pub(crate) stan: u32,
    /// Tokens of its copies, in the order of sending.
    pub(crate) copies: Vec<u64>,
    /// What the acquirer heard last, silence left out.
    pub(crate) heard: Option<Heard>,
    /// The decision that it heard first: every later one must be the same.
    pub(crate) decided: Option<ReplyOutcome>,
    /// No copy may be sent any more: a reversal went out for it.
    pub(crate) reversed: bool,
}

/// What the acquirer takes from a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Approved,
    Declined,
    ReversalAccepted,
}

/// One sending of a request.
#[derive(Debug)]
pub(crate) struct Copy {
    pub(crate) request: usize,
    pub(crate) process: u8,
    /// For another amount than the request's.
    pub(crate) altered: bool,
    /// The first copy: only of that may the answer be a decline without a record.
    pub(crate) first: bool,
    pub(crate) admission: Option<Admission>,
    pub(crate) replies: u32,
    /// It was answered with anything but silence.
    pub(crate) answered: bool,
}

pub(crate) fn euro() -> Currency {
    Currency::from_alphabetic("EUR").expect("EUR is a currency")
}

pub(crate) fn text<const N: usize>(value: &str) -> AsciiText<N> {
    AsciiText::new(value.as_bytes()).expect("short and printable")
}

fn key(class: MessageClass, stan: u32, holder: Holder) -> MessageKey {
    MessageKey {
        acquirer: Acquirer::Institution(text("999001")),
        class,
        stan: stan.into(),
        local_time: 615_120_000,
        terminal: text("TERM0001"),
        rrn: AsciiText::EMPTY,
        card: holder.print,
    }
}

/// The key of a purchase.
pub(crate) fn purchase_key(holder: Holder, stan: u32) -> MessageKey {
    key(MessageClass::AuthorizationRequest, stan, holder)
}

impl Request {
    /// The key under which its decision is found.
    pub(crate) fn key(&self) -> MessageKey {
        match self.kind {
            Kind::Purchase { .. } => purchase_key(self.holder, self.stan),
            Kind::Reversal { .. } => key(MessageClass::ReversalRequest, self.stan, self.holder),
        }
    }

    /// The message, marked as one that may have been sent before or not, for `more` than it is for.
    pub(crate) fn command(&self, repeat: bool, more: i64) -> Command {
        match self.kind {
            Kind::Purchase { minor } => Command::Authorize(Authorize {
                link: LinkId(1),
                facts: MessageFacts {
                    key: self.key(),
                    transmitted: u64::from(self.stan),
                    channel: Channel::Pos,
                    entry: EntryMode::Chip,
                    kind: switch_domain::TransactionType::Purchase,
                    merchant: Merchant { category: 5411, id: text("MERCHANT0000001") },
                    country: None,
                    network_trace: Default::default(),
                },
                bin: self.holder.bin,
                card: Some(self.holder.card),
                expiry: None,
                fault: None,
                amount: Amount { minor: MinorUnits(minor + more), currency: euro() },
                repeat,
                adds_to: None,
                completes: None,
            }),
            Kind::Reversal { original } => Command::Reverse(Reverse {
                link: LinkId(1),
                key: self.key(),
                reference: OriginalReference {
                    key: purchase_key(self.holder, original).as_original(),
                    class: None,
                    transmitted: u64::from(original),
                    rrn: AsciiText::EMPTY,
                    network_trace: Default::default(),
                },
                standing: None,
                repeat,
            }),
        }
    }
}

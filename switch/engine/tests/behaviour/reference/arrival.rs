//! What arrives, by the model's own numbers, and what it is answered. It owns these words, and how
//! two of them go together.

use switch_domain::{MessageClass, OriginalClass, Reason, TransactionType};

/// What tells a message from others: two that are equal are one message sent twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) class: MessageClass,
    pub(crate) card: usize,
    pub(crate) stan: u32,
    pub(crate) terminal: u8,
    /// The retrieval reference number; 0 where there is none.
    pub(crate) rrn: u8,
}

/// A request, or an advice of one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    pub(crate) key: Key,
    pub(crate) kind: TransactionType,
    pub(crate) minor: i64,
    /// Of an advice: what was decided in our stead.
    pub(crate) approved: bool,
    /// Of a financial message: the trace number of what it names, whether it is the last, and how
    /// far its merchant may go above that: hundredths, or minor units.
    pub(crate) names: Option<u32>,
    pub(crate) last: bool,
    pub(crate) on_top: (i64, i64),
    /// Of an increment: the trace number of what it is of, where it names one, and whether its
    /// amount is the new one.
    pub(crate) adds: Option<(Option<u32>, bool)>,
    /// The network's identifier, and that of what it speaks of; 0 where there is none.
    pub(crate) network: u32,
    pub(crate) of_network: u32,
}

/// A reversal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Undo {
    pub(crate) key: Key,
    pub(crate) stan: u32,
    pub(crate) class: Option<OriginalClass>,
    /// What is to stand: 0 where nothing is.
    pub(crate) standing: i64,
    /// The network's identifier of what it speaks of; 0 where there is none.
    pub(crate) of_network: u32,
}

/// What arrives.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arrival {
    Request(Ask),
    Advice(Ask),
    Reversal(Undo),
    /// The answer to this message was never sent.
    Void(usize),
    /// Its hold lived its life.
    Expire(usize),
    Lock(usize),
    Unlock(usize),
    Credit(usize, i64),
    /// The partner transferred so much.
    Reload(i64),
}

impl Arrival {
    /// The card that it is about, where `of` tells that of a message.
    pub(super) fn card(self, of: impl Fn(usize) -> usize) -> Option<usize> {
        match self {
            Self::Request(ask) | Self::Advice(ask) => Some(ask.key.card),
            Self::Reversal(undo) => Some(undo.key.card),
            Self::Void(message) | Self::Expire(message) => Some(of(message)),
            Self::Lock(card) | Self::Unlock(card) | Self::Credit(card, _) => Some(card),
            Self::Reload(_) => None,
        }
    }
}

/// What it is answered, and which message that is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) reason: Reason,
    pub(crate) repeated: bool,
    pub(crate) about: Option<usize>,
    /// Of an advice: it settles more than its merchant is allowed.
    pub(crate) over: bool,
}

pub(super) fn of_class(class: MessageClass) -> OriginalClass {
    use MessageClass::{AuthorizationAdvice, AuthorizationRequest};
    match class {
        AuthorizationRequest | AuthorizationAdvice => OriginalClass::Authorization,
        _ => OriginalClass::Financial,
    }
}

pub(super) fn is_advice(class: MessageClass) -> bool {
    matches!(class, MessageClass::AuthorizationAdvice | MessageClass::FinancialAdvice)
}

pub(super) fn twin(key: Key) -> Key {
    use MessageClass::{
        AuthorizationAdvice, AuthorizationRequest, FinancialAdvice, FinancialRequest,
    };
    let class = match key.class {
        AuthorizationRequest => AuthorizationAdvice,
        AuthorizationAdvice => AuthorizationRequest,
        FinancialRequest => FinancialAdvice,
        FinancialAdvice => FinancialRequest,
        other => other,
    };
    Key { class, ..key }
}

/// How well two reference numbers agree.
pub(super) fn agree(one: u8, other: u8) -> u8 {
    u8::from(one == other && one != 0)
}

//! Messages to commands, one file for each class of message. It owns what the fields mean to the
//! engine; it never answers by itself and keeps nothing of a message.

mod amount;
#[cfg(test)]
mod around;
mod authorization;
mod card_source;
mod channel;
mod completion;
mod converted;
mod country;
mod digits;
mod fault;
mod file_action;
mod function_code;
mod increment;
mod key;
mod network_management;
mod network_trace;
mod original;
mod reconciliation;
mod reversal;
mod terms;
mod transaction;

use codecs::iso8583::Message;
use switch_domain::{CardId, Channel, Fingerprint, LinkId, Pan, Reason, Tolerance};
use switch_shard::Command;

pub(crate) use authorization::{advice, request};
pub(crate) use channel::is_fallback;
pub(crate) use fault::FieldFault;
pub(crate) use file_action::{Asked, FileAction, file_action};
pub(crate) use network_management::{NetworkRequest, network_management};
pub(crate) use reconciliation::{reconciliation, said as reconciliation_said};
pub(crate) use reversal::reversal;

/// What translation needs besides the message.
pub(crate) trait Surroundings {
    /// The link that the message came by.
    fn link(&self) -> LinkId;

    /// The keyed hash of a card number.
    fn fingerprint(&self, pan: &Pan) -> Fingerprint;

    /// The card of a keyed hash, if it was issued.
    fn find(&self, card: &Fingerprint) -> Option<CardId>;

    /// How far a merchant of this category may go above what was authorized.
    fn tolerance(&self, category: u16, channel: Channel) -> Tolerance;

    /// Whether the network behind the link converts amounts, so that its billing amount counts.
    fn network_converts(&self) -> bool;
}

/// What became of a message that can be read.
pub(crate) enum Translated {
    /// For the shard of this card.
    Command(Box<Command>, Fingerprint),
    /// To be answered so at once; nothing is remembered of it. The word names the kind in metrics.
    Unsupported(Reason, &'static str),
}

/// The whole of a class: a message in, a command or the field at fault out.
pub(crate) type Translation = Result<Translated, FieldFault>;

/// How a class is translated.
pub(crate) type Translate = fn(&Message<'_>, &dyn Surroundings) -> Translation;

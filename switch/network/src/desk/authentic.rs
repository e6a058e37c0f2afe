//! What becomes of a message without a good authentication code: a coded answer to a request, a
//! count and a security event, and nothing else happens. It owns those three; whether a code is
//! good is the affair of `mac`.

use bytes::BytesMut;
use codecs::iso8583::Message;
use switch_domain::Reason;

use super::{Desk, Request};
use crate::answer::Saying;
use crate::mac::MacFault;
use crate::switch::Switch;

impl<S: Switch> Desk<S> {
    /// Answers a request that may not be the peer's; false where it may go on.
    pub(super) fn turns_away(&mut self, request: &Request<'_>, out: &mut BytesMut) -> bool {
        let checked = self.link.mac.as_ref().map(|mac| mac.check(&request.message));
        let Some(Err(fault)) = checked else { return false };
        let reason = match fault {
            MacFault::Missing | MacFault::Wrong => Reason::MacIncorrect,
            MacFault::Unknown => Reason::SecurityUnavailable,
        };
        self.note_mac_failure(&request.message, fault);
        self.answer_now(request, &Saying::plain(reason), out);
        true
    }

    /// Whether an answer to a request of ours may be the peer's; one that may not is counted, and
    /// changes nothing.
    pub(super) fn is_authentic(&mut self, answer: &Message<'_>) -> bool {
        let checked = self.link.mac.as_ref().map(|mac| mac.check(answer));
        let Some(Err(fault)) = checked else { return true };
        self.note_mac_failure(answer, fault);
        false
    }

    /// Logged once for each failure up to the limit of a connection: whoever makes failures must
    /// not be able to fill the log.
    fn note_mac_failure(&mut self, message: &Message<'_>, fault: MacFault) {
        self.link.metrics.mac_failure(fault.name());
        if !self.may_log() {
            return;
        }
        tracing::warn!(
            target: "security", event = "mac_failure", cause = fault.name(),
            link = %self.link.config.name, mti = message.mti().map(tracing::field::display),
            "a message is not authentic, and nothing was done about it"
        );
    }
}

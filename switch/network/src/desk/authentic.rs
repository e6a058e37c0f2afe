//! What becomes of a message that is not the peer's to send, for its authentication code or for the
//! institution that it names: a coded answer to a request, a count and a security event, and
//! nothing else happens. It owns those three; whether a code is good is the affair of `mac`, who
//! may be named that of `institutions`.

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

    /// Answers a financial message that names an institution which does not speak on this link;
    /// false where it may go on.
    pub(super) fn is_of_others(&mut self, request: &Request<'_>, out: &mut BytesMut) -> bool {
        let Some(field) = self.link.config.institutions.stranger(&request.message) else {
            return false;
        };
        self.link.metrics.stranger(field);
        if self.may_log() {
            tracing::warn!(
                target: "security", event = "institution_not_allowed", field,
                link = %self.link.config.name,
                mti = request.message.mti().map(tracing::field::display),
                "a message names an institution that is none of the link's, or none; refused"
            );
        }
        self.answer_now(request, &Saying::plain(Reason::InstitutionNotAllowed), out);
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

//! What becomes of a key that a peer sends (x800): handed to who keeps keys, answered when it is on
//! disk, and used when the answer has left. It owns that order.

use bytes::BytesMut;
use std::sync::Arc;
use switch_domain::Reason;
use switch_shard::ReplyTo;

use super::{Desk, Request, unsendable};
use crate::answer::Saying;
use crate::key_change::{AskedKeyChange, KeyNews, Place};
use crate::pending::{Asking, Waiting};
use crate::switch::Switch;
use crate::translate::FieldFault;

impl<S: Switch> Desk<S> {
    /// Takes one, where the link has a rule for it.
    pub(super) fn change_key(&mut self, request: &Request<'_>, out: &mut BytesMut) {
        let link = Arc::clone(&self.link);
        let Some(rule) = &link.config.key_change else {
            let reason = Reason::InvalidTransaction;
            return self.answer_unsupported(request, reason, "network_code", out);
        };
        let Ok(text) = request.message.text(rule.field) else {
            let fault = FieldFault::Absent(rule.field);
            return self.answer_format_error(request, &fault.into(), out);
        };
        let begun = self.writer.begin(&request.message, request.answer, Some(rule.field));
        let echoed = match begun {
            Ok(echoed) => echoed,
            Err(error) => return unsendable(&link, &error),
        };
        let (token, place) = (self.pending.token(), Place::default());
        let reply = ReplyTo::new(self.replies.clone(), token);
        let (name, text) = (link.config.name.clone(), text.as_str().trim().to_owned());
        let asked = AskedKeyChange { link: name, text, place: place.clone(), reply };
        if !rule.keeper.hand_over(KeyNews::Came(asked)) {
            return self.answer_now(request, &Saying::plain(Reason::SecurityUnavailable), out);
        }
        let asking = Some(Box::new(Asking::KeyChange(place)));
        let Request { answer: mti, header, received, .. } = *request;
        self.pending.insert(token, Waiting { echoed, mti, header, received, asking, chip: None });
    }

    /// Answers one that was taken in or refused; one that was given up gets silence, and is
    /// repeated.
    pub(super) fn key_changed(&mut self, waiting: &Waiting, place: &Place, out: &mut BytesMut) {
        let Some(version) = place.answer() else {
            return self.link.metrics.unanswered("silent", 1);
        };
        let taken = version.is_some();
        let reason = if taken { Reason::NetworkAccepted } else { Reason::SecurityUnavailable };
        self.tell(waiting, &Saying::plain(reason), out);
        self.changed_keys.extend(version);
    }

    /// Everything has left, the answers to new keys among it: from now on they are used.
    pub(crate) fn all_written(&mut self) {
        if self.changed_keys.is_empty() {
            return;
        }
        let link = Arc::clone(&self.link);
        let Some(rule) = &link.config.key_change else { return };
        for version in self.changed_keys.drain(..) {
            // Where there is no room it becomes active when the peer first uses it.
            let name = link.config.name.clone();
            let _ = rule.keeper.hand_over(KeyNews::Answered { link: name, version });
        }
    }
}

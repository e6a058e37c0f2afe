//! What becomes of a file action, which asks for the lock of a card, and of an administrative
//! message. It owns that an attempt that the link has no authority for is told to people, and that
//! a flood of them fills neither the journal nor the log; what may be locked with what stands in
//! `locks`, what is read from the message in `translate`.

use bytes::BytesMut;
use codecs::iso8583::Mti;
use std::sync::Arc;
use switch_domain::{LockRefusal, Reason};
use switch_shard::{Act, Command, Manage};

use super::{Desk, Request};
use crate::answer::Saying;
use crate::switch::Switch;
use crate::translate::{self, Asked, FileAction};
use crate::verify::Answers;

const FILE_ACTION: u8 = 3;
const ADMINISTRATIVE: u8 = 6;

impl<S: Switch> Desk<S> {
    /// What moves no money: file actions and administrative messages, their requests and advices,
    /// begun by an acquirer, an issuer or elsewhere (0302, 0322, 1304, 0620, 1604 and the like).
    /// Anything else is not done here.
    pub(super) fn take_without_money(
        &mut self,
        request: &Request<'_>,
        mti: Mti,
        out: &mut BytesMut,
    ) {
        let known = matches!(mti.function(), 0 | 2) && matches!(mti.origin(), 0 | 2 | 4);
        match mti.class() {
            FILE_ACTION if known => self.act_on_file(request, out),
            ADMINISTRATIVE if known => self.administer(request, mti, out),
            _ => {
                let reason = Reason::InvalidTransaction;
                self.answer_unsupported(request, reason, "message_type", out);
            }
        }
    }

    /// Hands a file action to the shard of its card as a management command: done once, whenever it
    /// comes again, and on record with the link as its actor. What is bound to be refused goes
    /// there too, to be on record, as long as there are not too many of its kind.
    fn act_on_file(&mut self, request: &Request<'_>, out: &mut BytesMut) {
        let link = Arc::clone(&self.link);
        let asked = match translate::file_action(&request.message, &*link) {
            Ok(FileAction::Ask(asked)) => asked,
            Ok(FileAction::Unsupported(reason, kind)) => {
                return self.answer_unsupported(request, reason, kind, out);
            }
            Err(fault) => return self.answer_format_error(request, &fault.into(), out),
        };
        let may = link.config.locks.over(asked.bin);
        let Asked { card, ask, key, print, .. } = asked;
        let refusal = if !ask.is_within(may) {
            self.note_no_authority(&asked);
            Some(LockRefusal::NotAllowed)
        } else if card.is_none() {
            Some(LockRefusal::NoSuchCard)
        } else {
            None
        };
        if let Some(refusal) = refusal
            && !link.refusals.take(request.received)
        {
            link.metrics.lock_refused("not_recorded");
            return self.answer_now(request, &Saying::plain(refusal.reason()), out);
        }
        let act = Act::LockOutside { card, ask, may };
        let command = Command::Manage(Manage { key, actor: link.actor, act });
        self.hand_over(request, Box::new(command), print, Answers::default(), out);
    }

    /// Says that a peer asked for what it may not.
    fn note_no_authority(&mut self, asked: &Asked) {
        let covered = self.link.config.locks.covers(asked.bin);
        let cause = if covered { "code" } else { "bin" };
        self.link.metrics.lock_refused(cause);
        if self.may_log() {
            tracing::warn!(
                target: "security", event = "lock_not_allowed", cause, asked = %asked.ask,
                link = %self.link.config.name,
                "a file action asks for a lock that this link has no authority for; refused"
            );
        }
    }

    /// An administrative advice tells something and is taken note of; a request wants something
    /// that is not here, as a copy of a voucher.
    fn administer(&mut self, request: &Request<'_>, mti: Mti, out: &mut BytesMut) {
        if mti.function() == 2 {
            let reason = Reason::AdministrativeAccepted;
            return self.answer_now(request, &Saying::plain(reason), out);
        }
        let reason = Reason::FunctionNotSupported;
        self.answer_unsupported(request, reason, "administrative_request", out);
    }
}

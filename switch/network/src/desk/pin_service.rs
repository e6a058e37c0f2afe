//! What becomes of a request about a PIN that was granted: a new PIN's reference goes to the shard
//! of its card as a management command, done once for the authorization that granted it, and the
//! approval is answered when that is committed. It owns that nobody hears of a new PIN before it is
//! in force, and that a chip is given no command of which the card's record does not say the same.

use bytes::BytesMut;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use switch_domain::{AuthorizationId, Fingerprint, IdempotencyKey, Reason, TransactionType};
use switch_security::Script;
use switch_shard::{
    Act, Admission, Command, Decision, Manage, Reply, ReplyOutcome, ReplyTo, Submission,
};

use super::Desk;
use crate::answer::Saying;
use crate::pending::{Asking, PinAsked, Waiting};
use crate::switch::Switch;
use crate::verify::PinService;

impl<S: Switch> Desk<S> {
    /// Does what was granted: a PIN is changed first, an unblocked one is the chip's affair alone.
    pub(super) fn serve_pin(
        &mut self,
        mut waiting: Waiting,
        decision: Decision,
        out: &mut BytesMut,
    ) {
        let Some(Asking::Pin(asked)) = waiting.asking.as_deref_mut() else { return };
        if !asked.changes {
            let script = asked.service.script;
            self.link.metrics.pin_service("unblocked");
            return self.tell_served(&waiting, decision, script.as_ref(), out);
        }
        // A repeat of what was granted may be all that is known of it, and the new PIN not be set:
        // without what it takes nobody may say that it is.
        let (Some(reference), Some(authorization)) =
            (asked.service.reference.clone(), decision.authorization)
        else {
            return self.not_changed();
        };
        let print = asked.print;
        asked.granted = Some(decision);
        let link = Arc::clone(&self.link);
        let act = Act::SetPinReference { card: asked.card, reference };
        let command = Manage { key: key(authorization), actor: link.actor, act };
        let received = waiting.received;
        let token = self.pending.token();
        let submission = Submission {
            command: Box::new(Command::Manage(command)),
            card: print,
            deadline: received.checked_add(link.config.answer_deadline).unwrap_or(received),
            reply: ReplyTo::new(self.replies.clone(), token),
        };
        match link.switch.submit(submission) {
            Admission::Accepted => self.pending.insert(token, waiting),
            // It was granted and not done: only who asks again can be told anything that is true.
            Admission::Declined(_) | Admission::Silent => self.not_changed(),
        }
    }

    /// Silence: the peer asks again, and hears what has become of it by then.
    fn not_changed(&self) {
        self.link.metrics.pin_service("not_changed");
        self.link.metrics.unanswered("pin_not_changed", 1);
    }

    /// Answers a change of a PIN that is committed, or could not be made.
    pub(super) fn pin_changed(
        &mut self,
        waiting: &Waiting,
        asked: &PinAsked,
        reply: &Reply,
        out: &mut BytesMut,
    ) {
        if reply.is_stale() {
            return self.link.metrics.unanswered("stale", 1);
        }
        let done = match &reply.outcome {
            ReplyOutcome::Decided(done) => done,
            ReplyOutcome::Declined(_) | ReplyOutcome::Silent => return self.not_changed(),
        };
        let Some(granted) = asked.granted.filter(|_| done.reason == Reason::FileActionDone) else {
            // The card is gone meanwhile.
            self.link.metrics.pin_service("not_changed");
            return self.tell(waiting, &Saying::plain(done.reason), out);
        };
        self.link.metrics.pin_service("changed");
        // Of a repeat that comes after yet another change the chip must not get the old command,
        // nor of a message under the same key that brings another PIN.
        let in_force = self.link.switch.reference(&asked.print);
        let in_force = in_force.and_then(|reference| reference.references.pin.clone());
        let same = in_force.is_some() && in_force == asked.service.reference;
        let script = asked.service.script.as_ref().filter(|_| same);
        self.tell_served(waiting, granted, script, out);
    }

    fn tell_served(
        &mut self,
        waiting: &Waiting,
        decision: Decision,
        script: Option<&Script>,
        out: &mut BytesMut,
    ) {
        let approval_code = decision.approval_code;
        let saying = Saying { approval_code, ..Saying::plain(decision.reason) };
        self.tell_with(waiting, &saying, script, out);
    }
}

/// What a request about a PIN waits for besides its decision; `None` for any other, and for one
/// whose card is unknown.
pub(super) fn asked(
    command: &Command,
    print: Fingerprint,
    service: Option<Box<PinService>>,
) -> Option<Box<Asking>> {
    let Command::Authorize(request) = command else { return None };
    let kind = request.facts.kind;
    if !kind.is_of_pin() {
        return None;
    }
    let (card, changes) = (request.card?, kind == TransactionType::PinChange);
    let service = service.unwrap_or_default();
    Some(Box::new(Asking::Pin(PinAsked { card, print, changes, service, granted: None })))
}

/// The key of the command that an authorization becomes: the same for every repeat of its message.
fn key(authorization: AuthorizationId) -> IdempotencyKey {
    let mut hash = Sha256::new();
    hash.update(b"new PIN of an authorization");
    hash.update(authorization.0.to_be_bytes());
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..]: [u8; 32] = hash.finalize().into();
    IdempotencyKey([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p])
}

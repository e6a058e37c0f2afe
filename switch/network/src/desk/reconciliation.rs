//! What becomes of a reconciliation (x500, x520): handed to who knows the totals, and answered when
//! they are known. It owns that what cannot be told is said to be so.

use bytes::{Bytes, BytesMut};
use codecs::framing::Header;
use codecs::iso8583::{Fields, Mti};
use std::sync::Arc;
use switch_domain::{Reason, ReconciliationAnswer};
use switch_shard::ReplyTo;

use super::{Desk, Request, send, unsendable};
use crate::answer::Saying;
use crate::pending::{Asking, Waiting};
use crate::reconciliation::{AskedReconciliation, Place, Reconciling};
use crate::switch::Switch;
use crate::translate;

/// Without a net amount a dialect has no reconciliation.
const NET: u8 = 97;

impl<S: Switch> Desk<S> {
    /// Takes one, begun by an acquirer or by another on its behalf.
    pub(super) fn reconcile(&mut self, request: &Request<'_>, body: &[u8], out: &mut BytesMut) {
        let link = Arc::clone(&self.link);
        let ask = match translate::reconciliation(&request.message, &*link) {
            Ok(ask) => ask,
            Err(fault) => return self.answer_format_error(request, &fault.into(), out),
        };
        let known = link.config.reconciler.as_ref();
        let Some(reconciler) = known.filter(|_| link.config.dialect.spec(NET).is_some()) else {
            let reason = Reason::FunctionNotSupported;
            return self.answer_unsupported(request, reason, "reconciliation", out);
        };
        let echoed = match self.writer.begin(&request.message, request.answer, None) {
            Ok(echoed) => echoed,
            Err(error) => return unsendable(&link, &error),
        };
        let (token, place) = (self.pending.token(), Place::default());
        let received = request.received;
        let deadline = received.checked_add(link.config.answer_deadline).unwrap_or(received);
        let reply = ReplyTo::new(self.replies.clone(), token);
        let asked = AskedReconciliation { ask, deadline, place: place.clone(), reply };
        if !reconciler.hand_over(asked) {
            return self.answer_now(request, &Saying::plain(Reason::TotalsNotAvailable), out);
        }
        let reconciling = Reconciling { request: Bytes::copy_from_slice(body), place };
        let asking = Some(Box::new(Asking::Reconciling(reconciling)));
        let Request { answer: mti, header, .. } = *request;
        self.pending.insert(token, Waiting { echoed, mti, header, received, asking, chip: None });
    }

    /// Answers one whose totals are known; one that was given up gets silence, and is repeated.
    pub(super) fn reconciled(
        &mut self,
        reconciling: &Reconciling,
        mti: Mti,
        header: Option<Header>,
        out: &mut BytesMut,
    ) {
        let link = Arc::clone(&self.link);
        let Some(answer) = reconciling.answer() else {
            return link.metrics.unanswered("silent", 1);
        };
        let mut fields = Fields::new();
        // It was decoded when it came.
        let _ = link.config.dialect.decode(&reconciling.request, &mut fields);
        let request = link.config.dialect.view(&reconciling.request, &fields);
        let own = translate::reconciliation_said(&request, &answer);
        let written = self.writer.answer_with(&request, mti, reason(&answer), &own);
        let sent = send(&link, &self.codec, written, header, out);
        self.frames_out = self.frames_out.saturating_add(sent);
    }
}

const fn reason(answer: &ReconciliationAnswer) -> Reason {
    match answer {
        ReconciliationAnswer::Totals { agrees: Some(true), .. } => Reason::ReconciledInBalance,
        ReconciliationAnswer::Totals { agrees: Some(false), .. } => Reason::ReconciledOutOfBalance,
        ReconciliationAnswer::Totals { agrees: None, .. } => Reason::TotalsProvided,
        ReconciliationAnswer::Duplicate => Reason::DuplicateTransmission,
        ReconciliationAnswer::NotAvailable => Reason::TotalsNotAvailable,
    }
}

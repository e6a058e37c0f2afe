//! What becomes of a mini-statement inquiry (processing code 38): decided like any inquiry, and
//! once granted handed to who knows what moved on the account. It owns that what cannot be told in
//! time is answered so, and that nothing is looked up for an inquiry that was not granted.

use bytes::BytesMut;
use codecs::iso8583::{MiniStatementForm, StatementEntry};
use std::sync::Arc;
use switch_domain::{Fingerprint, Movement, Reason, TransactionType};
use switch_shard::{Command, Decision, ReplyTo};

use super::Desk;
use crate::answer::Saying;
use crate::pending::{Asking, Waiting};
use crate::statement::{AskedStatement, Place, Telling};
use crate::switch::Switch;

impl<S: Switch> Desk<S> {
    /// What an inquiry waits for besides its decision; `None` for all other messages, and for one
    /// that will not be granted.
    pub(super) fn statement_of(
        &self,
        command: &Command,
        card: &Fingerprint,
    ) -> Option<Box<Asking>> {
        let Command::Authorize(request) = command else { return None };
        if request.facts.kind != TransactionType::MiniStatement || request.fault.is_some() {
            return None;
        }
        let balance = self.link.switch.find(card)?.balance;
        let telling = Telling { balance, granted: None, place: Place::default() };
        Some(Box::new(Asking::Statement(telling)))
    }

    /// Hands an inquiry over that was granted; one that nobody has room for is answered at once.
    pub(super) fn ask_what_moved(
        &mut self,
        mut waiting: Waiting,
        decision: Decision,
        out: &mut BytesMut,
    ) {
        let link = Arc::clone(&self.link);
        let token = self.pending.token();
        let form = link.config.dialect.mini_statement_form();
        let (Some(Asking::Statement(telling)), Some(form)) = (waiting.asking.as_deref_mut(), form)
        else {
            // Cannot happen: such an inquiry is of a dialect that has them.
            return self.tell(&waiting, &Saying::plain(Reason::IssuerInoperative), out);
        };
        telling.granted = Some(decision);
        let received = waiting.received;
        let asked = AskedStatement {
            balance: telling.balance,
            most: form.entries,
            deadline: received.checked_add(link.config.answer_deadline).unwrap_or(received),
            place: telling.place.clone(),
            reply: ReplyTo::new(self.replies.clone(), token),
        };
        if link.config.teller.as_ref().is_some_and(|teller| teller.hand_over(asked)) {
            return self.pending.insert(token, waiting);
        }
        link.metrics.statement("no_room");
        self.tell(&waiting, &Saying::plain(Reason::IssuerInoperative), out);
    }

    /// Answers an inquiry with what moved, or that this cannot be told.
    pub(super) fn tell_what_moved(
        &mut self,
        waiting: &Waiting,
        telling: &Telling,
        out: &mut BytesMut,
    ) {
        let form = self.link.config.dialect.mini_statement_form();
        let movements = telling.place.movements();
        let written = form.zip(movements).and_then(|(form, movements)| written(form, movements));
        let saying = match (telling.granted, form, written) {
            (Some(Decision { reason, approval_code, .. }), Some(form), Some(text)) => {
                let statement = (!text.is_empty()).then_some((form.field, text));
                Saying { approval_code, statement, ..Saying::plain(reason) }
            }
            _ => Saying::plain(Reason::IssuerInoperative),
        };
        let told = saying.reason.is_approval();
        self.link.metrics.statement(if told { "told" } else { "not_in_time" });
        self.tell(waiting, &saying, out);
    }
}

fn written(form: &MiniStatementForm, movements: &[Movement]) -> Option<String> {
    let entries: Vec<_> = movements
        .iter()
        .map(|one| StatementEntry {
            date: one.at.date(),
            debit: one.amount.minor.is_negative(),
            minor: one.amount.minor.0.unsigned_abs(),
            currency: one.amount.currency.numeric(),
        })
        .collect();
    form.write(&entries)
}

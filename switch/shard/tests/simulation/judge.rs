//! Watches every answer and every row, and says what is wrong. It owns the checks of answers (I1,
//! I2, I5, W-20) and the list of requests and commands; money is the oracle's affair.

use std::collections::BTreeMap;

use switch_domain::{AuthorizationId, IdempotencyKey, MessageKey, Reason};
use switch_shard::{
    Admission, Decision, HoldEnd, Manage, ManageError, Refusal, Reply, ReplyOutcome,
};
use switch_store::{SimulatedStore, StoreEvent};

use crate::history::{Entry, History};
use crate::messages::{Copy, Heard, Kind, Request};
use crate::oracle::Oracle;

/// A command, however often it is sent.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) manage: Manage,
    /// It has a definite result.
    pub(crate) settled: bool,
    /// It was sent and has no result yet.
    pub(crate) pending: bool,
    made: Option<Option<i64>>,
}

/// Counts of what a run did, so that a test can see that it did it.
pub(crate) type Counts = BTreeMap<&'static str, u64>;

/// All that was asked, answered and written.
#[derive(Debug)]
pub(crate) struct Judge {
    store: SimulatedStore,
    pub(crate) history: History,
    pub(crate) oracle: Oracle,
    pub(crate) requests: Vec<Request>,
    pub(crate) copies: Vec<Copy>,
    pub(crate) orders: Vec<Order>,
    /// Ends of holds that were asked for and have no result yet.
    pub(crate) ends_pending: u64,
    /// Processes whose connection the acquirer has closed, by number.
    pub(crate) unheard: Vec<bool>,
    pub(crate) counts: Counts,
    /// The first thing that was wrong, and the request that it is about.
    pub(crate) violation: Option<(String, Option<usize>)>,
}

impl Judge {
    pub(crate) fn new(store: SimulatedStore) -> Self {
        Self {
            store,
            history: History::new(),
            oracle: Oracle::default(),
            requests: Vec::new(),
            copies: Vec::new(),
            orders: Vec::new(),
            ends_pending: 0,
            unheard: Vec::new(),
            counts: Counts::new(),
            violation: None,
        }
    }

    pub(crate) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    pub(crate) fn blame(&mut self, what: String, request: Option<usize>) {
        if self.violation.is_none() {
            self.violation = Some((what, request));
        }
    }

    /// What there was to end of a hold was told: it is committed, and nothing of it is left (I7).
    pub(crate) fn hold_ended(&mut self, id: AuthorizationId, end: Option<HoldEnd>) {
        self.ends_pending -= 1;
        self.follow();
        self.count(match end {
            Some(HoldEnd::GivenBack(_)) => "holds ended",
            Some(HoldEnd::HeldNothing) => "holds that had ended",
            Some(HoldEnd::BegunAgain) => return self.count("holds that live on"),
            Some(HoldEnd::NotThere) => {
                return self.blame(format!("{id} is not there and should end (I7)"), None);
            }
            None => return self.count("ends without result"),
        });
        if self.oracle.authorizations.get(&id).is_some_and(|truth| truth.held() != 0) {
            self.blame(format!("the hold of {id} was told to have ended, and stands (I7)"), None);
        }
    }

    /// Notes what happened, behind everything that the database did before.
    pub(crate) fn note(&mut self, entry: Entry) {
        self.follow();
        self.history.add(entry);
    }

    /// Takes in what the database did.
    pub(crate) fn follow(&mut self) {
        for event in self.store.take_events() {
            match &event {
                StoreEvent::Committed(row) => {
                    let open = self.oracle.transfers.len();
                    if let Err(what) = self.oracle.commit(row) {
                        self.blame(what, None);
                    }
                    match self.oracle.transfers.len() {
                        now if now > open => self.count("transfers"),
                        // A takeover is a row of its own.
                        1.. if Oracle::begins_an_epoch(row) => self.count("carried on"),
                        _ => {}
                    }
                }
                StoreEvent::Failed { done: true, .. } => self.count("answers lost"),
                StoreEvent::Failed { done: false, .. } => self.count("calls failed"),
                StoreEvent::RolledBack { .. } => self.count("rows rolled back"),
                StoreEvent::Crashed { lost } if *lost > 0 => self.count("crashes that forgot"),
                _ => {}
            }
            self.history.add(Entry::Store(event));
        }
        for what in std::mem::take(&mut self.oracle.seen) {
            self.count(what);
        }
        self.voids();
    }

    /// Whoever was told of an approval keeps it: a void is for answers that were never sent.
    fn voids(&mut self) {
        for id in std::mem::take(&mut self.oracle.voided) {
            self.count("voids");
            let key = self.oracle.authorizations.get(&id).map(|truth| truth.key);
            let told = self.requests.iter().position(|request| {
                Some(request.key()) == key && request.heard == Some(Heard::Approved)
            });
            if let Some(request) = told {
                self.blame("an approval that was heard was voided".into(), Some(request));
            }
        }
    }

    /// A process said at once what becomes of a copy.
    pub(crate) fn admitted(&mut self, token: u64, admission: Admission) {
        self.note(Entry::Admitted { token, admission });
        let copy = &mut self.copies[usize::try_from(token).expect("a small number")];
        copy.admission = Some(admission);
        let (request, first) = (copy.request, copy.first);
        match admission {
            Admission::Accepted => {}
            Admission::Silent => self.count("shed"),
            Admission::Declined(_) => {
                copy.answered = true;
                self.declined(request, first);
            }
        }
    }

    /// A reply came.
    pub(crate) fn replied(&mut self, process: u8, reply: Reply) {
        let Reply { token, outcome, .. } = reply;
        let heard = !self.unheard[usize::from(process)];
        self.note(Entry::Replied { token, process, heard, outcome });
        let copy = &mut self.copies[usize::try_from(token).expect("a small number")];
        copy.replies += 1;
        let (request, first, altered) = (copy.request, copy.first, copy.altered);
        if copy.replies > 1 || copy.admission != Some(Admission::Accepted) {
            self.blame("a copy got more than one reply (I5)".into(), Some(request));
        }
        if heard && outcome != ReplyOutcome::Silent {
            self.copies[usize::try_from(token).expect("a small number")].answered = true;
        }
        match outcome {
            ReplyOutcome::Silent => self.count("silences"),
            ReplyOutcome::Declined(_) if heard => self.declined(request, first),
            ReplyOutcome::Declined(_) => {}
            ReplyOutcome::Decided(decision) => {
                if let Err(what) = self.rests_on_the_journal(request, altered, decision) {
                    self.blame(what, Some(request));
                }
                if heard && !altered {
                    self.decided(request, decision);
                }
            }
        }
    }

    /// A decline of which nothing is remembered. A second copy without a mark may get one by the
    /// rules of shedding, and tells the acquirer nothing of the first.
    fn declined(&mut self, request: usize, first: bool) {
        let one = &mut self.requests[request];
        if !one.kind.may_be_declined() {
            let what = format!("a {} was declined (W-22)", one.kind.name());
            return self.blame(what, Some(request));
        }
        if one.heard == Some(Heard::Approved) {
            return self.blame("declined after an approval (W-20)".into(), Some(request));
        }
        if first {
            one.heard = Some(Heard::Declined);
        }
        self.count("declined without record");
    }

    /// What is decided is committed, and is what the journal says at this moment (I1, I9).
    fn rests_on_the_journal(
        &mut self,
        request: usize,
        altered: bool,
        decision: Decision,
    ) -> Result<(), String> {
        let one = &self.requests[request];
        let key: MessageKey = one.key();
        if let Kind::Reversal { .. } = one.kind {
            let original = self.oracle.reversals.get(&key);
            let original = original.ok_or("a reversal was answered that is not committed (I1)")?;
            let fits =
                decision.reason == Reason::ReversalAccepted && *original == decision.authorization;
            return fits.then_some(()).ok_or(format!("a wrong answer to a reversal: {decision:?}"));
        }
        if let Kind::FileAction { .. } = one.kind {
            let committed = self.oracle.commands.contains_key(&one.command_key());
            return committed.then_some(()).ok_or("a file action is not committed (I1)".into());
        }
        let (id, truth) =
            self.oracle.of_key(&key).ok_or("an answer to what is not committed (I1)")?;
        if altered && decision.reason == Reason::DuplicateTransmission {
            let Some(minor) = one.kind.minor() else { return Ok(()) };
            return (truth.requested == minor).then_some(()).ok_or("refused its own amount".into());
        }
        let stored = (Some(id), truth.reason, truth.code);
        let told = (decision.authorization, decision.reason, decision.approval_code);
        if altered || stored != told {
            return Err(format!("the journal says {stored:?}, the answer {told:?} (I1)"));
        }
        Ok(())
    }

    /// The acquirer heard a decision: the same as any before (I2).
    fn decided(&mut self, request: usize, decision: Decision) {
        let heard = match decision.reason {
            Reason::ReversalAccepted => Heard::ReversalAccepted,
            Reason::AdviceAccepted | Reason::FileActionDone => Heard::Accepted,
            reason if reason.is_approval() => Heard::Approved,
            _ => Heard::Declined,
        };
        self.count(match heard {
            Heard::ReversalAccepted => "reversals",
            Heard::Approved => "approvals",
            Heard::Declined => "declines",
            Heard::Accepted => "acceptances",
        });
        self.count(self.requests[request].kind.name());
        if decision.repeated {
            self.count("repeats");
        }
        if decision.reason == Reason::OriginalReversed {
            self.count("reversed before");
        }
        let one = &mut self.requests[request];
        one.heard = Some(heard);
        let plain = ReplyOutcome::Decided(Decision { repeated: false, ..decision });
        let first = *one.decided.get_or_insert(plain);
        if first != plain {
            self.blame(format!("{first:?} first and {plain:?} later (I2)"), Some(request));
        }
    }

    /// A command has a result.
    pub(crate) fn ordered(&mut self, command: usize, result: Result<Option<i64>, ManageError>) {
        self.note(Entry::Done { command, result });
        let key: IdempotencyKey = self.orders[command].manage.key;
        let committed = self.oracle.commands.contains_key(&key);
        let order = &mut self.orders[command];
        order.pending = false;
        match result {
            Ok(made) => {
                order.settled = true;
                let same = *order.made.get_or_insert(made) == made;
                if !committed || !same {
                    let what = format!("command {command} gave {made:?}, and did not do it (I1)");
                    self.blame(what, None);
                }
                self.count("commands done");
            }
            Err(ManageError::Refused(Refusal::KeyReused)) | Err(ManageError::Malfunction) => {
                self.blame(format!("command {command}: {result:?}"), None);
            }
            Err(ManageError::Refused(_)) => {
                order.settled = true;
                // Done before by a process that could not say so, it would not be refused.
                if committed && !self.orders[command].everywhere() {
                    self.blame(format!("command {command} was done, and refused"), None);
                }
            }
            Err(_) => self.count("commands without result"),
        }
    }

    /// Whether a process took a copy and has not replied to it.
    pub(crate) fn owes_answers(&self, process: u8) -> bool {
        self.copies.iter().any(|copy| {
            let accepted = copy.admission == Some(Admission::Accepted);
            copy.process == process && accepted && copy.replies == 0
        })
    }

    /// What stands of a message, by the journal.
    pub(crate) fn stands(&self, key: &MessageKey) -> i64 {
        let ids: &[AuthorizationId] = self.oracle.by_key.get(key).map_or(&[], Vec::as_slice);
        ids.iter().map(|id| self.oracle.stands(*id)).sum()
    }
}

impl Order {
    pub(crate) const fn new(manage: Manage) -> Self {
        Self { manage, settled: false, pending: false, made: None }
    }

    /// It goes to every data shard, under one key.
    const fn everywhere(&self) -> bool {
        matches!(self.manage.act, switch_shard::Act::SetCustomerState { .. })
    }
}

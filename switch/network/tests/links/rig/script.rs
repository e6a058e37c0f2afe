//! The switch behind a link, as tests need it: it either decides at once by a simple rule, or hands
//! each submission to the test.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use switch_domain::{
    Amount, ApprovalCode, AuthorizationId, BalanceId, CardId, Currency, Fingerprint, MinorUnits,
    Reason, ShardId,
};
use switch_network::Switch;
use switch_shard::{
    Admission, CardEntry, CardReference, Command, Decision, PartOf, ReplyOutcome, Submission,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What the script does with a submission.
#[derive(Clone, Copy)]
enum Rule {
    /// Decides at once, as an engine with one endless account would.
    Decide,
    /// Accepts; the test replies.
    Hand,
    /// Does not take it.
    Refuse(Admission),
}

struct State {
    rule: Rule,
    cards: HashMap<Fingerprint, CardEntry>,
    references: HashMap<Fingerprint, CardReference>,
    /// Every command that was submitted, in order.
    commands: Vec<Command>,
}

/// A scripted switch. Cloning gives another handle to the same one.
#[derive(Clone)]
pub(crate) struct Script {
    state: Arc<Mutex<State>>,
    handed: UnboundedSender<Submission>,
    taken: Arc<tokio::sync::Mutex<UnboundedReceiver<Submission>>>,
}

/// An approval with a code that follows from the trace number.
pub(crate) fn approved(number: u32) -> ReplyOutcome {
    let code = ApprovalCode::from_text(&format!("{number:06}"));
    ReplyOutcome::Decided(Decision {
        approval_code: code,
        authorization: Some(AuthorizationId(1)),
        ..Decision::plain(Reason::Approved)
    })
}

/// An approval of a part in euros.
pub(crate) fn approved_in_part(number: u32, approved: i64, asked: i64) -> ReplyOutcome {
    let currency = Currency::from_numeric(978).expect("euro");
    let euros = |minor| Amount { minor: MinorUnits(minor), currency };
    let part = Some(PartOf { approved: euros(approved), asked: euros(asked) });
    let approval_code = ApprovalCode::from_text(&format!("{number:06}"));
    let plain = Decision::plain(Reason::ApprovedPartially);
    ReplyOutcome::Decided(Decision { approval_code, part, ..plain })
}

/// A committed decline.
pub(crate) fn declined(reason: Reason) -> ReplyOutcome {
    ReplyOutcome::Decided(Decision::plain(reason))
}

impl Script {
    pub(crate) fn new() -> Self {
        let (handed, taken) = unbounded_channel();
        let state = State {
            rule: Rule::Decide,
            cards: HashMap::new(),
            references: HashMap::new(),
            commands: Vec::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            handed,
            taken: Arc::new(tokio::sync::Mutex::new(taken)),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no test has failed in here")
    }

    /// From now on the test replies.
    pub(crate) fn hand_over(&self) {
        self.state().rule = Rule::Hand;
    }

    /// From now on nothing is taken.
    pub(crate) fn refuse(&self, admission: Admission) {
        self.state().rule = Rule::Refuse(admission);
    }

    pub(crate) fn issue(&self, card: Fingerprint, id: CardId) {
        let entry = CardEntry { card: id, balance: BalanceId(1), shard: ShardId(1) };
        self.state().cards.insert(card, entry);
    }

    /// From now on what this card presents is verified.
    pub(crate) fn verify(&self, card: Fingerprint, reference: CardReference) {
        self.state().references.insert(card, reference);
    }

    /// The next submission that was handed over.
    pub(crate) async fn next(&self) -> Submission {
        self.taken.lock().await.recv().await.expect("the script lives")
    }

    /// True when no submission waits to be taken.
    pub(crate) async fn is_idle(&self) -> bool {
        self.taken.lock().await.is_empty()
    }

    /// The commands so far, which are then forgotten.
    pub(crate) fn commands(&self) -> Vec<Command> {
        std::mem::take(&mut self.state().commands)
    }
}

impl Switch for Script {
    fn find(&self, card: &Fingerprint) -> Option<CardEntry> {
        self.state().cards.get(card).copied()
    }

    fn reference(&self, card: &Fingerprint) -> Option<CardReference> {
        self.state().references.get(card).cloned()
    }

    fn submit(&self, submission: Submission) -> Admission {
        let rule = {
            let mut state = self.state();
            state.commands.push((*submission.command).clone());
            state.rule
        };
        match rule {
            Rule::Refuse(admission) => return admission,
            Rule::Hand => {
                self.handed.send(submission).expect("the script lives");
            }
            Rule::Decide => {
                let outcome = decide(&submission.command);
                submission.reply.send(outcome);
            }
        }
        Admission::Accepted
    }
}

fn decide(command: &Command) -> ReplyOutcome {
    match command {
        Command::Authorize(request) => match request.fault {
            Some(reason) => declined(reason),
            None if request.amount.minor.is_zero() => declined(Reason::InvalidAmount),
            None => approved(u32::try_from(request.facts.key.stan).expect("six digits")),
        },
        Command::Advise(_) => declined(Reason::AdviceAccepted),
        Command::Manage(_) => declined(Reason::FileActionDone),
        _ => declined(Reason::ReversalAccepted),
    }
}

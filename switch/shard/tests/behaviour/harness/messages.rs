//! Messages of the link, and what may come back. It owns that a message is named by one number:
//! its STAN, and the token of its reply.

use switch_domain::{
    Acquirer, Amount, AsciiText, Channel, EntryMode, Fingerprint, LinkId, Merchant, MessageClass,
    MessageFacts, MessageKey, MinorUnits, NetworkTrace, OriginalReference, Reason, Tolerance,
};
use switch_shard::{
    Admission, Advise, Authorize, Command, Increment, Original, ReplyOutcome, ReplyTo, Reverse,
    Submission,
};
use tokio::time::Instant;

use super::{DEMO_BIN, Holder, PATIENCE, World, euro, text};

fn key(class: MessageClass, stan: u64, card: Fingerprint) -> MessageKey {
    MessageKey {
        acquirer: Acquirer::Institution(text("999001")),
        class,
        stan,
        local_time: 615_120_000,
        terminal: text("TERM0001"),
        rrn: AsciiText::EMPTY,
        card,
    }
}

/// A purchase with this STAN.
pub(crate) fn purchase(holder: Holder, stan: u64, minor: i64) -> Command {
    Command::Authorize(asked(MessageClass::AuthorizationRequest, holder, stan, minor))
}

/// The advice that such a purchase was approved in our stead.
pub(crate) fn advice(holder: Holder, stan: u64, minor: i64) -> Command {
    let request = asked(MessageClass::AuthorizationAdvice, holder, stan, minor);
    Command::Advise(Advise { request, approved: true, approval_code: None, original: None })
}

fn asked(class: MessageClass, holder: Holder, stan: u64, minor: i64) -> Authorize {
    Authorize {
        link: LinkId(1),
        facts: MessageFacts {
            key: key(class, stan, holder.print),
            transmitted: 0,
            channel: Channel::Pos,
            entry: EntryMode::Chip,
            kind: switch_domain::TransactionType::Purchase,
            merchant: Merchant { category: 5411, id: text("MERCHANT0000001") },
            country: None,
            network_trace: Default::default(),
        },
        bin: DEMO_BIN,
        card: Some(holder.card),
        expiry: None,
        fault: None,
        amount: Amount { minor: MinorUnits(minor), currency: euro() },
        terms: Default::default(),
        repeat: false,
        network: None,
        adds_to: None,
        completes: None,
        evidence: None,
        blocked: false,
    }
}

/// What names the purchase with STAN `original`.
fn of_purchase(holder: Holder, original: u64) -> OriginalReference {
    OriginalReference {
        key: key(MessageClass::AuthorizationRequest, original, holder.print).as_original(),
        class: None,
        transmitted: 0,
        rrn: AsciiText::EMPTY,
        network_trace: Default::default(),
    }
}

/// An increment of the purchase with STAN `original`.
pub(crate) fn increment(holder: Holder, stan: u64, original: u64, minor: i64) -> Command {
    let request = asked(MessageClass::AuthorizationRequest, holder, stan, minor);
    let reference = of_purchase(holder, original);
    let adds_to = Some(Box::new(Increment { reference, named: true, replaces: false }));
    Command::Authorize(Authorize { adds_to, ..request })
}

/// A financial request that completes the purchase with STAN `original`.
pub(crate) fn settlement(holder: Holder, stan: u64, original: u64, minor: i64) -> Command {
    let request = asked(MessageClass::FinancialRequest, holder, stan, minor);
    let reference = of_purchase(holder, original);
    let tolerance = Tolerance::percent(50);
    let completes = Original { reference, named: true, last: true, tolerance };
    Command::Authorize(Authorize { completes: Some(Box::new(completes)), ..request })
}

/// A reversal with STAN `own` of the purchase with STAN `original`.
pub(crate) fn reversal(holder: Holder, own: u64, original: u64) -> Command {
    Command::Reverse(Reverse {
        link: LinkId(1),
        key: key(MessageClass::ReversalRequest, own, holder.print),
        reference: OriginalReference {
            key: key(MessageClass::AuthorizationRequest, original, holder.print).as_original(),
            class: None,
            transmitted: 0,
            rrn: AsciiText::EMPTY,
            network_trace: Default::default(),
        },
        standing: None,
        repeat: false,
    })
}

/// The same message, with this network trace for its own transaction.
pub(crate) fn traced(command: Command, trace: &str) -> Command {
    match command {
        Command::Authorize(mut request) => {
            request.facts.network_trace = network_trace(trace);
            Command::Authorize(request)
        }
        other => other,
    }
}

/// The same reversal or increment, of which only this network trace says what it speaks of.
pub(crate) fn by_trace(command: Command, trace: &str) -> Command {
    match command {
        Command::Authorize(mut request) => {
            if let Some(increment) = &mut request.adds_to {
                increment.named = false;
                increment.reference.key = request.facts.key.as_original();
                increment.reference.network_trace = network_trace(trace);
            }
            Command::Authorize(request)
        }
        Command::Reverse(mut request) => {
            request.reference.key = request.key.as_original();
            request.reference.network_trace = network_trace(trace);
            Command::Reverse(request)
        }
        other => other,
    }
}

fn network_trace(text: &str) -> NetworkTrace {
    NetworkTrace::new(text.as_bytes()).expect("a trace")
}

/// The same message, marked as one that may have been sent before.
pub(crate) fn marked(command: Command) -> Command {
    match command {
        Command::Authorize(request) => Command::Authorize(Authorize { repeat: true, ..request }),
        Command::Reverse(request) => Command::Reverse(Reverse { repeat: true, ..request }),
        Command::Advise(advice) => {
            let request = Authorize { repeat: true, ..advice.request };
            Command::Advise(Advise { request, ..advice })
        }
        other => other,
    }
}

impl World {
    /// Submits a purchase whose reply has its STAN for a token.
    pub(crate) fn authorize(&self, holder: Holder, stan: u64, minor: i64) -> Admission {
        self.send(purchase(holder, stan, minor), holder, stan, Instant::now() + PATIENCE)
    }

    /// Submits a reversal of the purchase with STAN `original`, whose token is its own STAN.
    pub(crate) fn reverse(&self, holder: Holder, own: u64, original: u64) -> Admission {
        self.send(reversal(holder, own, original), holder, own, Instant::now() + PATIENCE)
    }

    /// Submits a message with a token and a deadline.
    pub(crate) fn send(
        &self,
        command: Command,
        holder: Holder,
        token: u64,
        deadline: Instant,
    ) -> Admission {
        let reply = ReplyTo::new(self.link.clone(), token);
        self.node.submit(Submission {
            command: Box::new(command),
            card: holder.print,
            deadline,
            reply,
        })
    }
}

/// Whether it is an approval with its code.
pub(crate) fn approved(outcome: ReplyOutcome) -> bool {
    match outcome {
        ReplyOutcome::Decided(decision) => {
            assert_eq!(decision.reason.is_approval(), decision.approval_code.is_some());
            decision.reason.is_approval()
        }
        ReplyOutcome::Declined(_) | ReplyOutcome::Silent => false,
    }
}

/// The reason of a decided decline.
pub(crate) fn declined(outcome: ReplyOutcome) -> Option<Reason> {
    match outcome {
        ReplyOutcome::Decided(decision) if !decision.reason.is_approval() => Some(decision.reason),
        _ => None,
    }
}

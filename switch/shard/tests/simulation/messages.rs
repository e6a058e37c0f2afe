//! Requests of the acquirer and what it has been told of them. It owns their form on the way to a
//! shard; what may be answered is for the judge.

use switch_domain::{
    Acquirer, Amount, AsciiText, Channel, Chip, ChipDifferences, ChipFacts, CryptogramType,
    Currency, EntryMode, Evidence, Finding, IdempotencyKey, LinkId, LockCode, Merchant,
    MessageClass, MessageFacts, MessageKey, MinorUnits, OriginalReference, OutsideAsk, Tolerance,
    TransactionType,
};
use switch_shard::{
    Act, Admission, Advise, Authorize, Command, Increment, Manage, Original, ReplyOutcome, Reverse,
};

use crate::world::{Holder, key as command_key};

/// What a request is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Purchase {
        minor: i64,
    },
    /// More of the authorization with this STAN, or another amount in place of its own.
    Increment {
        minor: i64,
        of: u32,
        replaces: bool,
    },
    /// A financial request: a purchase, or a refund.
    Financial {
        minor: i64,
        refund: bool,
    },
    /// An authorization that was decided in our stead.
    Advice {
        minor: i64,
        approved: bool,
    },
    /// A financial advice: a completion, or the refund, of the authorization with this STAN; or of
    /// none, then it stands for itself.
    Posting {
        minor: i64,
        refund: bool,
        of: Option<u32>,
        last: bool,
    },
    /// Of the message with this STAN.
    Reversal {
        original: u32,
    },
    /// A lock of a card, from outside.
    FileAction {
        ask: OutsideAsk,
    },
}

impl Kind {
    const fn class(self) -> MessageClass {
        match self {
            Self::Purchase { .. } | Self::Increment { .. } | Self::FileAction { .. } => {
                MessageClass::AuthorizationRequest
            }
            Self::Financial { .. } => MessageClass::FinancialRequest,
            Self::Advice { .. } => MessageClass::AuthorizationAdvice,
            Self::Posting { .. } => MessageClass::FinancialAdvice,
            Self::Reversal { .. } => MessageClass::ReversalRequest,
        }
    }

    /// What it is for, where it is about money and can be reversed.
    pub(crate) const fn minor(self) -> Option<i64> {
        match self {
            Self::Purchase { minor }
            | Self::Increment { minor, .. }
            | Self::Financial { minor, .. }
            | Self::Advice { minor, .. }
            | Self::Posting { minor, .. } => Some(minor),
            Self::Reversal { .. } | Self::FileAction { .. } => None,
        }
    }

    /// Whether it asks for something that a decline says no to.
    pub(crate) const fn may_be_declined(self) -> bool {
        matches!(self, Self::Purchase { .. } | Self::Increment { .. } | Self::Financial { .. })
    }

    /// Whether there can be a hold that others speak of.
    pub(crate) const fn holds(self) -> bool {
        matches!(self, Self::Purchase { .. } | Self::Increment { .. } | Self::Advice { .. })
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Purchase { .. } => "purchase",
            Self::Increment { .. } => "increment",
            Self::Financial { refund: false, .. } => "financial request",
            Self::Financial { refund: true, .. } => "refund",
            Self::Advice { .. } => "authorization advice",
            Self::Posting { refund: true, .. } => "refund advice",
            Self::Posting { of: Some(_), .. } => "completion",
            Self::Posting { of: None, .. } => "financial advice",
            Self::Reversal { .. } => "reversal",
            Self::FileAction { .. } => "file action",
        }
    }

    const fn transaction(self) -> TransactionType {
        match self {
            Self::Financial { refund: true, .. } | Self::Posting { refund: true, .. } => {
                TransactionType::Refund
            }
            _ => TransactionType::Purchase,
        }
    }
}

/// Codes that the link may set and take back.
const ITS_LOCKS: [LockCode; 2] = [LockCode::PendingQuery, LockCode::SuspectedFraud];
/// Where the keys of commands that are file actions begin.
const FILE_ACTIONS: u64 = 1 << 32;

/// One request, however often it is sent.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) kind: Kind,
    pub(crate) holder: Holder,
    pub(crate) stan: u32,
    /// Tokens of its copies, in the order of sending.
    pub(crate) copies: Vec<u64>,
    /// What the acquirer heard last, silence left out.
    pub(crate) heard: Option<Heard>,
    /// The decision that it heard first: every later one must be the same.
    pub(crate) decided: Option<ReplyOutcome>,
    /// No copy may be sent any more: a reversal went out for it.
    pub(crate) reversed: bool,
}

/// What the acquirer takes from a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Approved,
    Declined,
    ReversalAccepted,
    /// An advice, or a file action.
    Accepted,
}

/// One sending of a request.
#[derive(Debug)]
pub(crate) struct Copy {
    pub(crate) request: usize,
    pub(crate) process: u8,
    /// For another amount than the request's.
    pub(crate) altered: bool,
    /// The first copy: only of that may the answer be a decline without a record.
    pub(crate) first: bool,
    pub(crate) admission: Option<Admission>,
    pub(crate) replies: u32,
    /// It was answered with anything but silence.
    pub(crate) answered: bool,
}

pub(crate) fn euro() -> Currency {
    Currency::from_alphabetic("EUR").expect("EUR is a currency")
}

pub(crate) fn text<const N: usize>(value: &str) -> AsciiText<N> {
    AsciiText::new(value.as_bytes()).expect("short and printable")
}

fn key(class: MessageClass, stan: u32, holder: Holder) -> MessageKey {
    MessageKey {
        acquirer: Acquirer::Institution(text("999001")),
        class,
        stan: stan.into(),
        local_time: 615_120_000,
        terminal: text("TERM0001"),
        rrn: AsciiText::EMPTY,
        card: holder.print,
    }
}

/// The keys under which whatever has this STAN may be decided.
pub(crate) fn keys_of(holder: Holder, stan: u32) -> [MessageKey; 4] {
    [
        MessageClass::AuthorizationRequest,
        MessageClass::AuthorizationAdvice,
        MessageClass::FinancialRequest,
        MessageClass::FinancialAdvice,
    ]
    .map(|class| key(class, stan, holder))
}

/// What was found out about a message: the same in every copy of it. Counters of chips mostly rise,
/// and some come twice; of those with a PIN some are wrong.
fn evidence(stan: u32) -> Option<Box<Evidence>> {
    let replayed = stan % 20 == 7;
    let atc = u16::try_from((stan - u32::from(replayed)) % 60_000).expect("small");
    let chip = Chip {
        atc,
        sequence: 0,
        cryptogram: if stan % 16 == 5 { Finding::Mismatched } else { Finding::Matched },
        kind: CryptogramType::Request,
        differs: ChipDifferences::NONE,
        tolerated: ChipDifferences::NONE,
        facts: ChipFacts::NONE,
    };
    let pin = match stan % 12 {
        3 => Finding::Mismatched,
        2 | 6 | 10 => Finding::Matched,
        _ => Finding::Absent,
    };
    let verified = !stan.is_multiple_of(4);
    verified.then(|| Box::new(Evidence { pin, chip: Some(chip), ..Evidence::default() }))
}

impl Request {
    /// The key under which its decision is found.
    pub(crate) fn key(&self) -> MessageKey {
        key(self.kind.class(), self.stan, self.holder)
    }

    /// The same of a file action.
    pub(crate) fn command_key(&self) -> IdempotencyKey {
        command_key(FILE_ACTIONS + u64::from(self.stan))
    }

    /// What it says of the message with a STAN.
    fn reference(&self, stan: u32) -> OriginalReference {
        let mut key = self.key().as_original();
        key.stan = stan.into();
        OriginalReference {
            key,
            class: None,
            transmitted: u64::from(stan),
            rrn: AsciiText::EMPTY,
            network_trace: Default::default(),
        }
    }

    fn asked(&self, minor: i64, repeat: bool) -> Authorize {
        Authorize {
            link: LinkId(1),
            facts: MessageFacts {
                key: self.key(),
                transmitted: u64::from(self.stan),
                channel: Channel::Pos,
                entry: EntryMode::Chip,
                kind: self.kind.transaction(),
                merchant: Merchant { category: 5411, id: text("MERCHANT0000001") },
                country: None,
                network_trace: Default::default(),
            },
            bin: self.holder.bin,
            card: Some(self.holder.card),
            expiry: None,
            fault: None,
            amount: Amount { minor: MinorUnits(minor), currency: euro() },
            terms: Default::default(),
            repeat,
            network: None,
            adds_to: None,
            completes: None,
            evidence: evidence(self.stan),
            blocked: false,
        }
    }

    /// The message, marked as one that may have been sent before or not, for `more` than it is for.
    pub(crate) fn command(&self, repeat: bool, more: i64) -> Command {
        let request = |minor: i64| self.asked(minor + more, repeat);
        let advice = |minor, approved, original| {
            let request = request(minor);
            Command::Advise(Advise { request, approved, approval_code: None, original })
        };
        match self.kind {
            Kind::Purchase { minor } | Kind::Financial { minor, .. } => {
                Command::Authorize(request(minor))
            }
            Kind::Increment { minor, of, replaces } => {
                let increment = Increment { reference: self.reference(of), named: true, replaces };
                let adds_to = Some(Box::new(increment));
                Command::Authorize(Authorize { adds_to, ..request(minor) })
            }
            Kind::Advice { minor, approved } => advice(minor, approved, None),
            Kind::Posting { minor, of, last, .. } => {
                let reference = self.reference(of.unwrap_or(self.stan));
                let tolerance = Tolerance::default();
                let named = of.is_some();
                advice(minor, true, Some(Original { reference, named, last, tolerance }))
            }
            Kind::Reversal { original } => Command::Reverse(Reverse {
                link: LinkId(1),
                key: self.key(),
                reference: self.reference(original),
                standing: None,
                repeat,
            }),
            Kind::FileAction { ask } => {
                let may = ITS_LOCKS.into_iter().collect();
                let act = Act::LockOutside { card: Some(self.holder.card), ask, may };
                Command::Manage(Manage { key: self.command_key(), actor: text("link:1"), act })
            }
        }
    }
}

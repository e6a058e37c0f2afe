//! Sandbox calls, for a developer: what terminals, networks and the bureau do, so that a partner's
//! own system can be tried against it (docs/sandbox.md). It owns the words of a simulation, as a
//! trait says them; who plays one is a process of its own behind the trait, and what it plays comes
//! over the switch's real link and out of its real exchange directory. What that process says is
//! read as hostile.

mod simulations;

use std::pin::Pin;

use switch_domain::{CardId, Currency, Expiry, MinorUnits, Pan, PartnerId};
use uuid::Uuid;

pub use simulations::{Follow, NewAuthorization, Outcome, Simulations};

/// One simulation.
pub struct Simulation {
    /// What it is called from now on: asked for again by that, it is not played again.
    pub id: Uuid,
    /// Whose it is: nobody else's follows it.
    pub owner: PartnerId,
    /// What is played.
    pub act: Act,
}

/// What is played.
pub enum Act {
    /// A card is presented: an authorization request.
    Authorization(Box<Presented>),
    /// A network says that it approved an authorization in our stead.
    Advice(Following),
    /// An authorization is settled.
    Clearing(Following),
    /// Money of an authorization is given back.
    Refund(Following),
    /// A message is taken back; the amount is what is to stand of it.
    Reversal(Following),
    /// The bureau makes what is ordered, and reports it.
    Shipment,
}

impl Act {
    /// As metrics label it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Authorization(_) => "authorization",
            Self::Advice(_) => "advice",
            Self::Clearing(_) => "clearing",
            Self::Refund(_) => "refund",
            Self::Reversal(_) => "reversal",
            Self::Shipment => "shipment",
        }
    }
}

/// A card that is presented.
pub struct Presented {
    /// What the shards call it.
    pub card: CardId,
    /// Its number: it leaves by an exit of `switch-security` alone.
    pub pan: Pan,
    /// Last month of validity.
    pub expiry: Expiry,
    /// For how much.
    pub amount: MinorUnits,
    /// In which currency.
    pub currency: Currency,
    /// How it is read, and where.
    pub at: Terminal,
}

/// How a card is read, and where.
#[derive(Clone, Debug)]
pub struct Terminal {
    /// How.
    pub entry: EntryMode,
    /// Whether a machine pays it out.
    pub cash: bool,
    /// Whether it goes on with a part of the amount.
    pub takes_part: bool,
    /// DE41, DE42, and name and city of DE43; what is not said is the simulator's.
    pub terminal: Option<String>,
    /// See `terminal`.
    pub merchant: Option<String>,
    /// See `terminal`.
    pub name: Option<String>,
    /// See `terminal`.
    pub city: Option<String>,
    /// Two letters of ISO 3166-1.
    pub country: Option<String>,
    /// ISO 18245, four digits.
    pub category: Option<String>,
}

/// How a card is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryMode {
    /// A chip, without data of it.
    Chip,
    /// The same, contactless.
    Contactless,
    /// The stripe.
    Magstripe,
    /// Over the Internet.
    Ecommerce,
    /// Typed in.
    Manual,
}

/// What comes after a simulation.
#[derive(Clone, Copy, Debug)]
pub struct Following {
    /// The simulation.
    pub of: Uuid,
    /// An amount, where it is not all of it.
    pub amount: Option<(MinorUnits, Currency)>,
}

/// What came of a simulation.
#[derive(Clone, Debug)]
pub enum Said {
    /// The switch has answered the message.
    Played(Box<Played>),
    /// The bureau has worked: files that were new, and those of them that it could not use.
    Worked {
        /// New ones.
        files: u32,
        /// Refused ones.
        refused: u32,
    },
}

/// A message that was sent, and its answer.
#[derive(Clone, Debug)]
pub struct Played {
    /// The card that it was about.
    pub card: CardId,
    /// DE39.
    pub action: String,
    /// DE38.
    pub approval: Option<String>,
    /// DE4 of the answer.
    pub amount: MinorUnits,
    /// Of that.
    pub currency: Currency,
    /// DE11 of what was sent.
    pub stan: u32,
    /// DE37 of what was sent.
    pub rrn: String,
    /// As people may see it.
    pub sent: ShownMessage,
    /// The same of the answer.
    pub received: ShownMessage,
}

/// A message as people may see it.
#[derive(Clone, Debug)]
pub struct ShownMessage {
    /// Its type.
    pub mti: String,
    /// Its fields.
    pub fields: Vec<ShownField>,
}

/// A field, masked where it is of a card.
#[derive(Clone, Debug)]
pub struct ShownField {
    /// Its number.
    pub field: u8,
    /// The standard's name.
    pub name: String,
    /// What stands in it.
    pub content: String,
}

/// Why nothing was played, or nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SandboxFault {
    /// The simulator is not there.
    #[error("the sandbox simulator cannot be reached")]
    Unreachable,
    /// As many simulations as may be are on their way.
    #[error("too many simulations are on their way")]
    Busy,
    /// It did not answer in time.
    #[error("the sandbox simulator did not answer in time: ask again, with the same key")]
    Late,
    /// What it said is no answer.
    #[error("what the sandbox simulator said is no answer")]
    BadAnswer,
    /// The number is not of the test series.
    #[error("only cards of the test series 9999 are simulated")]
    NotATestCard,
    /// There is no such simulation of this partner.
    #[error("there is no such simulation; the simulator forgets the oldest, and all with its end")]
    Unknown,
    /// It does not go with what it follows.
    #[error("that does not go with this simulation, or its amount is not of the same currency")]
    Unfit,
    /// The same one is on its way.
    #[error("the same simulation is on its way")]
    InProgress,
    /// The simulator does not reach the switch's link.
    #[error("the sandbox simulator cannot reach the link of this switch")]
    NoLink,
    /// The switch did not answer it.
    #[error("the link of this switch did not answer: ask again, with the same key")]
    Silent,
    /// The simulator has no bureau.
    #[error("the sandbox simulator has no bureau, or cannot use its exchange directory")]
    NoBureau,
}

impl SandboxFault {
    /// As metrics label it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Busy => "busy",
            Self::Late => "late",
            Self::BadAnswer => "bad_answer",
            Self::NotATestCard => "not_a_test_card",
            Self::Unknown => "unknown",
            Self::Unfit => "unfit",
            Self::InProgress => "in_progress",
            Self::NoLink => "no_link",
            Self::Silent => "silent",
            Self::NoBureau => "no_bureau",
        }
    }
}

/// A simulation that is on its way.
pub type Simulated<'a> = Pin<Box<dyn Future<Output = Result<Said, SandboxFault>> + Send + 'a>>;

/// Who plays simulations.
pub trait Sandbox: Send + Sync {
    /// Plays one, in bounded time.
    fn simulate(&self, simulation: Simulation) -> Simulated<'_>;
}

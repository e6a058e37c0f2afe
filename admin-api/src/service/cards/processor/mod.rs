//! Who makes cards and keeps their numbers (SR-161): the switch itself, or a processor elsewhere.
//! It owns what a processor is asked, and that it may be asked the same again: every order has a
//! reference of ours, and the same reference is the same card. What a card may do is the shards'.

mod answer;
mod breaker;
mod choice;
mod in_process;
mod question;
mod remote;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use switch_domain::{
    AsciiText, Bin, BinRange, Expiry, KeyLabel, LockCode, Pan, Programme, ProgrammeId, Timestamp,
};
use switch_security::{EncryptedPinBlock, PinBlockFormat};
use uuid::Uuid;

use super::Form;
use crate::service::programmes::Terminal;
use crate::{Personal, Problem};

pub use answer::BadAnswer;
pub use choice::Choice;
pub(in crate::service) use choice::{choose, chosen};
pub use in_process::InProcess;
pub use remote::{NoProcessor, RemoteProcessor, RemoteSettings};

/// An answer of a processor, on its way.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, ProcessorFault>> + Send + 'a>>;

/// Why a processor did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProcessorFault {
    /// It will not, however often it is asked.
    #[error("the processor refused it")]
    Refused,
    /// It did not answer, or not in a way that can be understood: it may be asked again.
    #[error("the processor cannot be reached, or did not answer in time")]
    Unavailable,
}

impl From<ProcessorFault> for Problem {
    fn from(fault: ProcessorFault) -> Self {
        let code = match fault {
            ProcessorFault::Refused => "PROCESSOR_REFUSED",
            ProcessorFault::Unavailable => "PROCESSOR_UNAVAILABLE",
        };
        Self::new(code, fault.to_string())
    }
}

/// What a processor calls a card: 1 to 40 printable characters.
pub type ProcessorReference = AsciiText<40>;

/// A card to be made. It names a person: it has no printable form.
#[derive(Clone)]
pub struct CardOrder {
    /// Ours: the same with every asking for one card.
    pub reference: Uuid,
    /// A virtual card is in use at once; plastic waits for its activation.
    pub form: Form,
    /// The product.
    pub programme: ProgrammeId,
    /// Its numbers.
    pub bins: BinRange,
    /// Last month of validity.
    pub expiry: Expiry,
    /// Whose name is on it.
    pub holder_name: Option<Personal>,
    /// What the processor calls the place where it is made.
    pub terminal: Option<Terminal>,
}

/// A card that was made. Its number goes into the vault at once.
pub struct MadeCard {
    /// What the processor calls it.
    pub reference: ProcessorReference,
    /// Its number.
    pub pan: Pan,
    /// Last month of validity.
    pub expiry: Expiry,
}

impl MadeCard {
    /// That it is a card of this programme, and can be used.
    pub(in crate::service) fn acceptable(
        &self,
        programme: &Programme,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let of_range = programme.bins.contains(Bin(self.pan.bin()))
            && self.pan.length() == programme.bins.pan_length
            && self.pan.passes_luhn();
        if of_range && !self.expiry.is_past(now) {
            return Ok(());
        }
        tracing::error!(programme = programme.id.0, "a processor gave a card that is none of it");
        Err(Problem::new("PROCESSOR_REFUSED", "the processor gave a card that cannot be one"))
    }
}

/// A number that another order has: it is refused.
pub(in crate::service) fn given_twice(order: Uuid) -> Problem {
    tracing::error!(%order, "a processor gave a number that is another card's");
    Problem::new("PROCESSOR_REFUSED", "the processor gave a number twice")
}

/// Which card a processor is told of, and when.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    /// What the processor calls it.
    pub card: ProcessorReference,
    /// Ours: another with every asking.
    pub reference: Uuid,
    /// Of two things that are told of one card, the later has the higher one. What was told late,
    /// and comes after what followed it, is known by that.
    pub turn: i64,
}

/// A PIN for a card, encrypted to be taken elsewhere.
pub struct NewPin<'a> {
    /// The block.
    pub block: &'a EncryptedPinBlock,
    /// Its format.
    pub format: PinBlockFormat,
}

/// Who makes cards. An order may be asked again with the same reference, and is then done once; an
/// act may be done again, and changes nothing then.
pub trait Processor: Send + Sync {
    /// Whether the same order brings the same number again. Where it does not, a number that is
    /// taken is answered by asking once more.
    fn gives_again(&self) -> bool;

    /// Whether it has to be told what becomes of a card: the switch itself knows.
    fn is_told(&self) -> bool {
        true
    }

    /// The zone PIN key under which a PIN goes to it; none: it takes no PINs.
    fn pin_key(&self) -> Option<&KeyLabel>;

    /// A card.
    fn create<'a>(&'a self, order: &'a CardOrder) -> Pending<'a, MadeCard>;

    /// A card whose holder has it: told before it is in force here.
    fn activate(&self, told: Told) -> Pending<'_, ()>;

    /// A card is good until a later month, or other plastic of it is in use that is: told before it
    /// is in force here.
    fn renew(&self, told: Told, until: Expiry) -> Pending<'_, ()>;

    /// Another PIN: told before it is in force here.
    fn change_pin<'a>(&'a self, told: Told, pin: &'a NewPin<'a>) -> Pending<'a, ()>;

    /// A card is locked: told after it is in force here.
    fn stop(&self, told: Told, code: LockCode) -> Pending<'_, ()>;

    /// A lock is lifted: told before it is in force here.
    fn unstop(&self, told: Told) -> Pending<'_, ()>;

    /// A card is removed for good: told after it is in force here.
    fn retire(&self, told: Told) -> Pending<'_, ()>;
}

/// The name of the switch itself, where no programme says otherwise.
pub const IN_PROCESS: &str = "in-process";

/// Every processor, by its name.
#[derive(Clone)]
pub struct Processors {
    all: Arc<BTreeMap<String, Arc<dyn Processor>>>,
}

impl Processors {
    /// The switch itself, and those that the configuration names.
    #[must_use]
    pub fn new(
        in_process: InProcess,
        others: impl IntoIterator<Item = (String, Arc<dyn Processor>)>,
    ) -> Self {
        let own: (String, Arc<dyn Processor>) = (IN_PROCESS.to_owned(), Arc::new(in_process));
        Self { all: Arc::new(others.into_iter().chain([own]).collect()) }
    }

    /// The one of this name.
    ///
    /// # Errors
    /// The configuration does not name it any more.
    pub(in crate::service) fn named(&self, name: &str) -> Result<Arc<dyn Processor>, Problem> {
        let missing = || Problem::internal("finding a processor", &format!("{name} is not there"));
        self.all.get(name).cloned().ok_or_else(missing)
    }

    /// Whether any is elsewhere.
    pub(super) fn are_elsewhere(&self) -> bool {
        self.names().any(|name| name != IN_PROCESS)
    }

    /// All names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.all.keys().map(String::as_str)
    }

    /// Whether there is one of this name.
    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        self.all.contains_key(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_says_whether_it_may_be_tried_again_and_nothing_of_a_card() {
        let of = |fault| Problem::from(fault).code;
        assert_eq!(of(ProcessorFault::Refused), "PROCESSOR_REFUSED");
        assert_eq!(of(ProcessorFault::Unavailable), "PROCESSOR_UNAVAILABLE");
    }
}

//! Who makes cards and keeps their numbers (SR-161): the switch itself, or a processor elsewhere.
//! It owns what a processor is asked, and that it may be asked the same again: every order has a
//! reference of ours, and the same reference is the same card. What a card may do is the shards'.

mod in_process;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use switch_domain::{AsciiText, BinRange, Expiry, LockCode, Pan, ProgrammeId};
use switch_security::{EncryptedPinBlock, PinBlockFormat};
use uuid::Uuid;

use crate::Problem;

pub use in_process::InProcess;

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

/// A virtual card to be made. It names a person: it has no printable form.
#[derive(Clone)]
pub struct VirtualOrder {
    /// Ours: the same with every asking for one card.
    pub reference: Uuid,
    /// The product.
    pub programme: ProgrammeId,
    /// Its numbers.
    pub bins: BinRange,
    /// Last month of validity.
    pub expiry: Expiry,
    /// Whose name is on it.
    pub holder_name: Option<String>,
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

/// A PIN for a card, encrypted to be taken elsewhere.
pub struct NewPin<'a> {
    /// Ours: the same with every asking.
    pub reference: Uuid,
    /// The block.
    pub block: &'a EncryptedPinBlock,
    /// Its format.
    pub format: PinBlockFormat,
}

/// Who makes cards. Everything may be asked again with the same reference, and is then done once.
pub trait Processor: Send + Sync {
    /// Whether the same order brings the same number again. Where it does not, a number that is
    /// taken is answered by asking once more.
    fn gives_again(&self) -> bool;

    /// A virtual card, in use at once.
    fn create_virtual<'a>(&'a self, order: &'a VirtualOrder) -> Pending<'a, MadeCard>;

    /// A card whose holder has it.
    fn activate<'a>(&'a self, card: &'a ProcessorReference) -> Pending<'a, ()>;

    /// Another PIN.
    fn change_pin<'a>(
        &'a self,
        card: &'a ProcessorReference,
        pin: &'a NewPin<'a>,
    ) -> Pending<'a, ()>;

    /// A card is locked: told after it is in force here.
    fn stop<'a>(&'a self, card: &'a ProcessorReference, code: LockCode) -> Pending<'a, ()>;

    /// A lock is lifted: told before it is in force here.
    fn unstop<'a>(&'a self, card: &'a ProcessorReference) -> Pending<'a, ()>;

    /// A card is removed for good: told after it is in force here.
    fn retire<'a>(&'a self, card: &'a ProcessorReference) -> Pending<'a, ()>;
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
    pub(super) fn named(&self, name: &str) -> Result<Arc<dyn Processor>, Problem> {
        let missing = || Problem::internal("finding a processor", &format!("{name} is not there"));
        self.all.get(name).cloned().ok_or_else(missing)
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

//! The switch as its own processor: numbers are drawn by its security module out of the programme's
//! range. It owns nothing beside that: what a card may do, and what its PIN is compared with, the
//! shards know already, so that there is nobody else to be told.

use std::sync::Arc;

use switch_domain::{AsciiText, LockCode};
use switch_security::SecurityModule;

use super::{
    MadeCard, NewPin, Pending, Processor, ProcessorFault, ProcessorReference, VirtualOrder,
};

/// The switch itself. A number is drawn anew with each asking; that one order is one card is the
/// shard's affair, by the order's reference.
#[derive(Clone)]
pub struct InProcess {
    security: Arc<dyn SecurityModule>,
}

impl InProcess {
    /// With the module that draws numbers.
    #[must_use]
    pub fn new(security: Arc<dyn SecurityModule>) -> Self {
        Self { security }
    }
}

fn done<'a>() -> Pending<'a, ()> {
    Box::pin(async { Ok(()) })
}

impl Processor for InProcess {
    fn gives_again(&self) -> bool {
        false
    }

    fn create_virtual<'a>(&'a self, order: &'a VirtualOrder) -> Pending<'a, MadeCard> {
        Box::pin(async move {
            let pan = self.security.generate_pan(&order.bins).map_err(|error| {
                tracing::error!(%error, "no card number can be drawn");
                ProcessorFault::Unavailable
            })?;
            let name = order.reference.simple().to_string();
            let reference = AsciiText::new(name.as_bytes()).unwrap_or(AsciiText::EMPTY);
            Ok(MadeCard { reference, pan, expiry: order.expiry })
        })
    }

    fn activate<'a>(&'a self, _: &'a ProcessorReference) -> Pending<'a, ()> {
        done()
    }

    fn change_pin<'a>(&'a self, _: &'a ProcessorReference, _: &'a NewPin<'a>) -> Pending<'a, ()> {
        done()
    }

    fn stop<'a>(&'a self, _: &'a ProcessorReference, _: LockCode) -> Pending<'a, ()> {
        done()
    }

    fn unstop<'a>(&'a self, _: &'a ProcessorReference) -> Pending<'a, ()> {
        done()
    }

    fn retire<'a>(&'a self, _: &'a ProcessorReference) -> Pending<'a, ()> {
        done()
    }
}

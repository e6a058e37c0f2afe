//! The switch as its own processor: numbers are drawn by its security module out of the programme's
//! range. It owns nothing beside that: what a card may do, and what its PIN is compared with, the
//! shards know already, so that there is nobody else to be told.

use std::sync::Arc;

use switch_domain::{AsciiText, Expiry, KeyLabel, LockCode};
use switch_security::SecurityModule;

use super::{CardOrder, MadeCard, NewPin, Pending, Processor, ProcessorFault, Told};

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

    fn is_told(&self) -> bool {
        false
    }

    fn pin_key(&self) -> Option<&KeyLabel> {
        None
    }

    fn create<'a>(&'a self, order: &'a CardOrder) -> Pending<'a, MadeCard> {
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

    fn activate(&self, _: Told) -> Pending<'_, ()> {
        done()
    }

    fn renew(&self, _: Told, _: Expiry) -> Pending<'_, ()> {
        done()
    }

    fn change_pin<'a>(&'a self, _: Told, _: &'a NewPin<'a>) -> Pending<'a, ()> {
        done()
    }

    fn stop(&self, _: Told, _: LockCode) -> Pending<'_, ()> {
        done()
    }

    fn unstop(&self, _: Told) -> Pending<'_, ()> {
        done()
    }

    fn retire(&self, _: Told) -> Pending<'_, ()> {
        done()
    }
}

//! Whether a link's peer has signed on. It owns the rule: any connection signs the link on, and it
//! stays so until a sign-off or until its last connection has closed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Shared by the connections of one link.
#[derive(Debug, Default)]
pub(crate) struct SignOn {
    /// Read by every request; written only with the count locked.
    signed_on: AtomicBool,
    connections: Mutex<usize>,
}

/// One open connection of the link; ends with it.
pub(crate) struct Presence(Arc<SignOn>);

impl SignOn {
    pub(crate) fn is_signed_on(&self) -> bool {
        self.signed_on.load(Ordering::Acquire)
    }

    pub(crate) fn set(&self, signed_on: bool) {
        let _count = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        self.signed_on.store(signed_on, Ordering::Release);
    }

    /// Counts a connection for as long as the result lives.
    pub(crate) fn enter(self: &Arc<Self>) -> Presence {
        let mut count = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        *count = count.saturating_add(1);
        Presence(Arc::clone(self))
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let mut count = self.0.connections.lock().unwrap_or_else(PoisonError::into_inner);
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.0.signed_on.store(false, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_stays_signed_on_until_its_last_connection_closes() {
        let link = Arc::new(SignOn::default());
        let (first, second) = (link.enter(), link.enter());
        assert!(!link.is_signed_on());
        link.set(true);
        drop(first);
        assert!(link.is_signed_on());
        drop(second);
        assert!(!link.is_signed_on());
        let _third = link.enter();
        link.set(true);
        link.set(false);
        assert!(!link.is_signed_on());
    }
}

//! What makes a switch ready. It owns the reasons told at `/health/ready`.

use admin_api::{HealthSource, Readiness};
use switch_shard::{Fatal, Node};
use tokio::sync::watch;

use crate::upkeep::Warning;

/// Readiness of a started node.
pub(crate) struct NodeHealth {
    pub(crate) node: Node,
    pub(crate) fatal: watch::Receiver<Option<Fatal>>,
    /// What upkeep warns of: it serves, and somebody should look.
    pub(crate) warning: Warning,
}

impl HealthSource for NodeHealth {
    fn readiness(&self) -> Readiness {
        if let Some(fatal) = self.fatal.borrow().as_ref() {
            return Readiness::NotReady(fatal.to_string());
        }
        if !self.node.is_serving() {
            return Readiness::NotReady("the switch is stopping".into());
        }
        if let Some(fault) = self.node.clock_fault() {
            return Readiness::NotReady(fault.to_string());
        }
        match self.node.stuck_for() {
            Some(stuck) if stuck.as_secs() >= 1 => Readiness::NotReady(format!(
                "PostgreSQL has not confirmed a commit for {} s",
                stuck.as_secs()
            )),
            _ => match &*self.warning.borrow() {
                Some(warning) => Readiness::ReadyBut(warning.clone()),
                None => Readiness::Ready,
            },
        }
    }
}

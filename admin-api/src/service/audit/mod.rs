//! The audit: what was done over the management API, and who read card data. It owns the chain of
//! its records, that they are only added, and that nothing is done while they cannot be.

mod chain;
mod entry;
mod log;
mod retention;
mod sink;
mod verify;

pub use chain::{Head, head_of};
pub use entry::{Entry, Outcome};
pub use log::AuditLog;
pub use retention::let_go;
pub use sink::{AuditSink, audit_sink};
pub use verify::{Fault, Whole, verify};

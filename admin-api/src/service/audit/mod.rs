//! The audit: what was done over the management API, and who read card data. It owns the chain of
//! its records, that they are only added, and that nothing is done while they cannot be.

mod chain;
mod entry;
mod log;
mod sink;

pub use chain::{Fault, Head, verify};
pub use entry::{Entry, Outcome};
pub use log::AuditLog;
pub use sink::{AuditSink, audit_sink};

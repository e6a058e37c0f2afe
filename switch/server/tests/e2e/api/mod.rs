//! The management API by the real binary, over real TLS with real client certificates, beside
//! authorizations over TCP.

mod client;
mod page;
mod platform;
mod recorded;
mod schemathesis;
mod tenants;
mod walk;

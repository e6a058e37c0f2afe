//! The management API by the real binary, over real TLS with real client certificates, beside
//! authorizations over TCP.

mod client;
mod kyc;
mod mobile;
mod platform;
mod tenants;
mod walk;

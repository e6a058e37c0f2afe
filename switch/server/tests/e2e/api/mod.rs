//! The management API by the real binary, over real TLS with real client certificates, beside
//! authorizations over TCP.

mod client;
mod kyc;
mod matrices;
mod mobile;
mod operators;
mod person;
mod platform;
mod rotation;
mod steps;
mod tenants;
mod walk;

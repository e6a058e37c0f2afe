//! The management API by the real binary, over real TLS with real client certificates, beside
//! authorizations over TCP.

mod authorizations;
mod cards;
mod client;
mod corporations;
mod fees;
mod hardware_pins;
mod kyc;
mod matrices;
mod mobile;
mod operators;
mod page;
mod panel;
mod person;
mod plastic;
mod plastic_life;
mod plastic_renewal;
mod platform;
mod pools;
mod processors;
mod processors_renewal;
mod processors_told;
mod programmes;
mod recorded;
mod revocation;
mod rotation;
mod sandbox;
mod schemathesis;
mod seed;
mod steps;
mod tenants;
mod walk;
mod webhooks;

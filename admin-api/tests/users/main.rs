//! End users through the services' own face, over a real node and a real PostgreSQL. Times are
//! given to every call, so that nothing waits.

mod access;
mod balances;
mod cards;
mod customers;
mod https_provider;
mod inquiries;
mod kyc;
mod partner_keys;
mod plastic;
mod pools;
mod processor;
mod provider;
mod renewals;
mod replacements;
mod webhooks;
mod world;

//! The store on a real PostgreSQL: a fresh database for each test.

mod advices;
mod append;
mod books;
mod card_security;
mod chain;
mod conversions;
mod decided;
mod financial;
mod forgotten;
mod holds;
mod ledger;
mod life;
mod network_traces;
mod other_journal;
mod parity;
mod parts;
mod projection;
mod retention;
mod roles;
mod settings;
mod stage;
mod standby;
mod takeover;
mod transfers;
mod unknown_outcome;
mod vault;

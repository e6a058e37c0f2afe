//! The store on a real PostgreSQL: a fresh database for each test.

mod append;
mod books;
mod chain;
mod life;
mod parity;
mod projection;
mod settings;
mod stage;
mod takeover;
mod unknown_outcome;
mod vault;

//! A node over a real PostgreSQL and what becomes of data that grows: the archive of the journal,
//! audits over it, and starts behind it; and long random runs with restarts, held against the
//! reference model of the engine.

mod against_model;
mod archive;
mod backtest;
mod card_security;
mod estate;
mod holds;
#[path = "../../../engine/tests/behaviour/reference/mod.rs"]
mod reference;
mod reshard;
mod world;

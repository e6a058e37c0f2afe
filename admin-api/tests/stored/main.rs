//! What the management API keeps in the database: answers to be repeated, and the audit. Real
//! PostgreSQL.

mod audit;
mod repeats;
mod stage;

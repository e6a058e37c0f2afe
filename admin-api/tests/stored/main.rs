//! What the management API keeps in the database: answers to be repeated, tokens that came, and the
//! audit. Real PostgreSQL.

mod audit;
mod repeats;
mod stage;
mod tokens;

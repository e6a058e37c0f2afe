//! Placeholder.

pub mod private_postgres;

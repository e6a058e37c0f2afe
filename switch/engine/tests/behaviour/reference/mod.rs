//! Everything that a network sends in random orders, and a plain model of what must come of it. It
//! owns both and drives neither: the bare engine here and whole nodes over PostgreSQL in the tests
//! of `switch-shard` do, with the same files.

pub(crate) mod arrival;
pub(crate) mod commands;
pub(crate) mod controls;
pub(crate) mod model;
pub(crate) mod traffic;

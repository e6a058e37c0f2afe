//! The parts of a bench, each with its own figures: the baseline, the limits, the switch, what
//! verification costs it, and the two long ones.

pub(crate) mod baseline;
pub(crate) mod left;
pub(crate) mod limit;
pub(crate) mod restart;
pub(crate) mod sustained;
pub(crate) mod switch;
pub(crate) mod verified;

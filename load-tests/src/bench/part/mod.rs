//! The parts of a bench, each with its own figures: the baseline, the limits, the switch, what
//! verification costs it, what a flood of the API costs authorizations, what it costs that all
//! traffic is one partner's, and the two long ones.

pub(crate) mod baseline;
pub(crate) mod flood;
pub(crate) mod left;
pub(crate) mod limit;
pub(crate) mod partners;
pub(crate) mod restart;
pub(crate) mod sustained;
pub(crate) mod switch;
pub(crate) mod verified;

//! What is measured: servers that run as processes of their own, so that the system itself keeps
//! their account.

pub(crate) mod api;
pub(crate) mod cards;
pub(crate) mod child;
pub(crate) mod control;
pub(crate) mod switch;

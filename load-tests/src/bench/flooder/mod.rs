//! A flood of the management API: requests of all kinds at a fixed rate over kept connections,
//! whatever becomes of earlier ones, as one caller sends them who does not listen. It owns what is
//! an answer as wanted; must never send less because answers are slow.

mod ask;
mod drive;
mod http;
mod lane;
mod tally;

pub(crate) use ask::let_through_a_second;
pub(crate) use drive::Flooder;
pub(crate) use tally::Flooded;

//! Load on a switch: purchases as fast as planned (open loop) or as fast as answered (closed loop).
//!
//! Latency counts from the moment a request ought to have been sent, so that a switch that stands
//! still is charged for everything that waited meanwhile.

pub mod bench;
mod closed_loop;
mod open_loop;
mod purchases;
mod result;
mod run;

pub use closed_loop::{ClosedLoop, closed_loop};
pub use open_loop::open_loop;
pub use purchases::Purchases;
pub use result::{LoadResult, Summary};

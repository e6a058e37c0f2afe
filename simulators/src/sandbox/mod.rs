//! What the switch's sandbox calls are done by: a process beside it that takes a simulation as a
//! line of JSON, plays it as a terminal's acquirer over the switch's real ISO 8583 link, or as the
//! bureau over its exchange directory, and answers with a line what came of it. Its messages are
//! built by this package's own table; nothing of the switch's code is in it. Must take test numbers
//! alone, and never print or give back a whole one.

mod asked;
mod book;
mod desk;
mod lines;
mod play;
mod told;

pub use desk::{SandboxSettings, SandboxSimulator};

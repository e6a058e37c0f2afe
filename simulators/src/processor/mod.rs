//! A processor elsewhere that makes cards over HTTPS: it keeps what it made by the switch's
//! reference, remembers what it was told, and misbehaves when told to. It shares nothing with the
//! switch but the bytes that go between them. Must make numbers of the test series alone, and never
//! print, count or log a whole one.

mod book;
mod conduct;
mod listen;
mod question;
mod seal;
mod serve;
mod tally;

pub use conduct::{Conduct, Plan};
pub use listen::{ProcessorSettings, SimulatedProcessor};
pub use tally::{Heard, Tally};

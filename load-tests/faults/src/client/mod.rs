//! The client: an acquirer that writes down every request before it counts it as sent and every
//! reply before it counts it as received. Must know nothing of how the switch decides.

mod inquest;
mod load;
mod recorder;
mod requests;
mod socket;
mod wire;

pub(crate) use inquest::{LastRound, ask_all};
pub(crate) use load::{Client, Control};
pub(crate) use recorder::{Counts, Recorder};
pub(crate) use requests::Deck;

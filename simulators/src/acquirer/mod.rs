//! An acquirer's side of a link: builds requests as terminals and networks do, sends them, matches
//! answers. Must know nothing of how the switch decides.

mod client;
mod connection;
mod matcher;
mod numbers;
mod origin;
mod purchase;
mod requests;
mod variant;

pub use client::Acquirer;
pub use connection::{Arrival, Connection, Incoming};
pub use matcher::{Matchable, Matched, Matcher};
pub use numbers::{NumberSource, Numbers};
pub use origin::Channel;
pub use purchase::{Purchase, purchase};
pub use requests::{
    NetworkCode, Original, completion_of, increment_of, network_management, partial_reversal_of,
    repeat_of, reversal_advice_of, reversal_of,
};
pub use variant::{Variant, varied};

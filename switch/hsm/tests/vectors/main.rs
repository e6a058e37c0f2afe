//! The vectors of card cryptography, asked of a simulated unit by host commands over a real socket:
//! what the client writes and the unit reads apart from it must come to the published answers.

mod card_values;
mod chips;
mod codes;
mod pins;
mod rig;

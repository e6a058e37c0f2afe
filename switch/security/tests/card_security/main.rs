//! The software module as the switch meets it: commands, handles of keys, replies.

mod allocations;
mod card_values;
mod cryptograms;
mod keys;
mod pins;
mod rig;
#[path = "../vectors/mod.rs"]
mod vectors;

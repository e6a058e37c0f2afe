//! Behaviour of the shards through their public face, over the journal in memory. It owns no clock
//! but tokio's paused one, so that a deadline is a figure and not a wait.

mod advices;
mod answers;
mod attempts;
mod deadlines;
mod file_actions;
mod harness;
mod holds;
mod management;
mod ownership;
mod pools;
mod queue;
mod recall;
mod stop;
mod transfers;

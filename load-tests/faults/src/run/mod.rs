//! One run: a switch on a database of its own, load, a fault, healing, questions, the check. Each
//! file is a part of that stage; the order stands in `script`.

mod cluster;
mod disk;
mod fail_points;
mod faults;
mod full_disk;
mod outcome;
mod paused_owner;
mod process;
mod script;
mod shim;
mod signals;
mod soak;
mod stage;
mod template;
mod vault;
mod wall_clock;

pub(crate) use cluster::Cluster;
pub(crate) use outcome::{Outcome, RunPlan};
pub(crate) use script::run;
pub(crate) use template::Template;

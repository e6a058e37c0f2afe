//! Whole nodes under a seeded schedule: the real engine, shard loop and projectors over a simulated
//! database that lags, fails, forgets and lies about nothing, in one thread and in virtual time. It
//! owns that a run follows from its seed alone; `SIM_FIRST` and `SIM_SEEDS` choose others.

mod defects;
mod driver;
mod faults;
mod history;
mod judge;
mod messages;
mod oracle;
mod regressions;
mod run;
mod seeds;
mod traffic;
mod truth;
mod world;

//! The bench: the switch, what a user would otherwise write, and what the machine can do at most,
//! in one go on one PostgreSQL. Must give nobody an advantage, and print what does not look well
//! too.

mod arguments;
mod bounds;
mod cluster;
mod conventional;
mod flooder;
mod generator;
mod limits;
mod measure;
mod metrics;
mod part;
mod pgbench;
mod process;
mod report;
mod run;
mod statistics;
mod subject;
mod table;
mod wire;

pub use arguments::Arguments;
pub use run::run;

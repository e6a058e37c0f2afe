//! Everything behind the `cardswitch` command: configuration, wiring, the control socket, the demo,
//! shutdown. It owns the order in which parts start and stop; it holds no rule of payments. Nothing
//! depends on it.

mod api;
pub mod app;
mod attack_control;
mod attack_watch;
mod audit_watch;
mod card_checks;
pub mod cli;
mod clock;
mod command_audit;
pub mod commands;
pub mod config;
mod control_socket;
mod database;
pub mod demo;
mod forecast;
mod heads;
mod health;
mod hsm;
mod key_exchange;
mod keys;
mod link_control;
mod operators;
mod pan_keys;
mod production;
mod reconciler;
mod runtimes;
mod telemetry;
mod teller;
mod time_source;
mod upkeep;

pub use telemetry::{metrics_handle, start_logging};

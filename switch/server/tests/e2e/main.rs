//! The whole switch: real sockets, real PostgreSQL, and where a process matters the real binary.
//! One story a file; what they share stands in `stage`.

mod attacks;
mod card_security;
mod certificates;
mod chips;
mod clearing;
mod commands;
mod config;
mod controls;
mod currency;
mod demo;
mod dialects;
mod dialled;
mod explain;
mod growth;
mod hidden;
mod holds;
mod hostile;
mod hsm;
mod http;
mod independent_client;
mod iso;
mod key_exchange;
mod keys;
mod kill;
mod leaks;
mod ledger;
mod links;
mod lock_outside;
mod mac;
mod malformed;
mod mini_statement;
mod network_traces;
mod partial_approval;
mod pin_keys;
mod pin_services;
#[path = "../../../../simulators/tests/network/pki.rs"]
mod pki;
mod races;
mod reconcile;
mod reconciliation;
mod reshard;
mod speaker;
mod stage;
mod stop;
mod transfers;

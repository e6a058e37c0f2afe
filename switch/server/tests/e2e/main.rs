//! The whole switch: real sockets, real PostgreSQL, and where a process matters the real binary.
//! One story a file; what they share stands in `stage`.

mod commands;
mod config;
mod demo;
mod growth;
mod http;
mod independent_client;
mod kill;
mod malformed;
mod reconcile;
mod reshard;
mod stage;
mod stop;
mod transfers;

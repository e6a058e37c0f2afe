//! Links over real sockets, with a scripted switch behind them. Each module is one promise that a
//! link makes to its peers.

mod answers;
mod bad_input;
mod closing;
mod control;
mod dial;
mod dialect_settings;
mod file_actions;
mod framing;
mod institutions;
mod keep_alive;
mod life;
mod limits;
mod mac;
mod no_leak;
mod partial;
mod pin_services;
mod real_cards;
mod requests;
mod rig;
mod sign_on;
mod statements;
mod tls;
mod translation;
mod verification;

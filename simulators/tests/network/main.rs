//! The network against an issuer's stand-in, over real sockets: what it says in every dialect, how
//! it fails when told to, what it counts.

mod command;
mod faults;
mod malformed;
mod pki;
mod story;
mod stub;
mod tls;

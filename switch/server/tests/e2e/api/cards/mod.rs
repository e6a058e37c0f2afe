//! Cards over the API, by the real binary: issued, read, locked, unlocked, activated, removed, over
//! TLS, while a terminal spends from them over TCP.

mod controls;
mod issue;
mod jobs;
pub(super) mod locks;
mod reads;
mod renew;
mod repeats;
mod replace;
pub(super) mod rig;

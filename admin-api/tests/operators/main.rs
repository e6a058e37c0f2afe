//! Operators through the service's own face, over a real PostgreSQL. Times are given to every call,
//! so that nothing waits.

mod accounts;
mod code;
mod desk;
mod document;
mod passwords;
mod sessions;
mod signing_in;

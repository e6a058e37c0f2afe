//! Client certificates of partners over a real PostgreSQL: what is signed, whose it is, and that it
//! ends when it is taken back.

mod identity;
mod rig;
mod signing;

//! Client certificates of partners over a real PostgreSQL and real TLS: what is signed, whose it
//! is, that it ends when it is taken back, and how long a connection may take.

mod handshakes;
mod identity;
mod limits;
mod rig;
mod signing;
mod wire;

//! What all routes of the management API share, through routers of these tests: no database, no
//! socket.

mod failures;
mod pages;
mod rates;
mod server;
mod versions;

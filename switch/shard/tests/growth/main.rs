//! A node over a real PostgreSQL and what becomes of data that grows: the archive of the journal,
//! audits over it, and starts behind it.

mod archive;
mod estate;
mod holds;
mod reshard;
mod world;

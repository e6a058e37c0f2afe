//! The two proxies, one between client and switch, one between switch and PostgreSQL. They own how
//! a byte stream is disturbed; when, and whether that was right, is not their affair.

mod database;
mod database_wire;
mod links;
mod tricks;

pub(crate) use database::{DatabaseProxy, Disturbance};
pub(crate) use links::LinkProxy;
pub(crate) use tricks::Trick;

//! What the machine can do at most: one small row a commit, journal rows without a switch, and the
//! same frames over loopback without a database.

pub(crate) mod commit;
pub(crate) mod echo;
pub(crate) mod journal;

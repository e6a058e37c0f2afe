//! What all routes of the management API have in common: how a request is read, limited, repeated
//! and answered. It owns the form of HTTP and of JSON here; what a request does is a service's
//! affair, and who makes it is found out by `channel`.

mod audited;
mod body;
mod caller;
mod encrypted;
mod failure;
mod finish;
mod idempotent;
mod page;
mod path;
mod rates;
mod step_up;
mod unremembered;
mod uploads;
mod version;

pub(crate) use audited::now;
pub use audited::{Made, audited, read_audited};
pub use body::Body;
pub use caller::{Caller, Role};
pub use encrypted::{Encryption, NeedsEncryption, Sealed, encrypted};
pub use failure::{Failure, ProblemBody};
pub use finish::{RequestId, finish};
pub use idempotent::{Idempotency, Repeats, Secret, idempotent};
pub use page::{Cursor, MOST, Page, Query, USUAL, page_limit};
pub use path::{PublicId, public_id};
pub(crate) use rates::limit_proof;
pub use rates::{Rate, Rates, RatesSettings, limit_caller, limit_source};
pub use step_up::SteppedUp;
pub(crate) use unremembered::{named_alone, unremembered};
pub use uploads::Uploads;
pub(crate) use uploads::in_a_place;
pub use version::{IfMatch, etag};

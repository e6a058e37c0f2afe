//! Who makes a request, channel by channel (SR-050 to SR-053): a partner by its client certificate
//! at `/secure` and `/lifecycle`, a customer by the token of a session at `/customers`, an
//! operator by one at `/admin`. It owns that nobody passes without being known, that who does not
//! pass learns nothing, and that this is recorded; what a caller may do is the routes' affair.

mod bearer;
mod client_certificate;
mod nobody;
mod operator_session;
mod refusals;
mod session;

pub use client_certificate::{CertificateChannel, by_certificate};
pub use nobody::as_nobody;
pub use operator_session::{OperatorChannel, by_operator_session};
pub use refusals::Refusals;
pub use session::{SessionChannel, by_session};

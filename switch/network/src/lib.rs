//! ISO 8583 links: listening, dialling, TLS, sign-on and echo, and the translation of messages to
//! commands and of decisions to answers. It owns the wire as peers see it, and every limit that a
//! peer can meet.
//! It never decides: what a card may spend is the shard's affair, and no card number that came by a
//! link is kept, logged or sent anywhere but back in the answer's own echo.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod answer;
mod config;
mod connection;
mod desk;
mod dial;
mod fresh_stream;
mod handle;
mod institutions;
mod key_change;
mod link;
mod listener;
mod locks;
mod mac;
mod metrics;
mod open;
mod pending;
mod presented;
mod reconciliation;
mod requests;
mod scrub;
mod socket;
mod standing;
mod statement;
mod switch;
mod tls;
mod translate;
mod verify;
mod wire;

pub use config::{InvalidLink, LinkConfig, Side, missing_field};
pub use dial::{Dialling, host_of};
pub use handle::LinkHandle;
pub use institutions::Institutions;
pub use key_change::{AskedKeyChange, KeyChangeRule, KeyKeeper, KeyNews};
pub use locks::{BinSpan, LockAuthority};
pub use mac::MacRule;
pub use metrics::describe as describe_metrics;
pub use open::{OpenError, OpenLink};
pub use presented::PinRule;
pub use reconciliation::{AskedReconciliation, Reconciler};
pub use requests::{Purpose, Request, RequestAnswer, RequestConfig, RequestError};
pub use standing::{ConnectionView, CutOver, LinkState, LinkView};
pub use statement::{AskedStatement, Teller};
pub use switch::Switch;
pub use tls::{ClientCertificates, OldestTls, TlsConfig, TlsError};
pub use verify::{CardCheckRules, CardChecks, CardKeys, UnusableChip, Waits};

//! Taking a certificate back. It owns the reasons, and that the node that is told refuses the
//! certificate at once, the others as soon as they read the table again.

use switch_domain::{AsciiText, PartnerId, Timestamp};

use super::{Certificates, Serial, table};
use crate::Problem;

/// Why a certificate is taken back (RFC 5280, 5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevocationReason {
    /// Somebody else has the key, or may have it.
    KeyCompromise,
    /// Another certificate is used instead.
    Superseded,
    /// The partner's system is no more.
    Ceased,
    /// The partner may not use it any more.
    Withdrawn,
}

impl RevocationReason {
    /// As it is kept and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::KeyCompromise => "key-compromise",
            Self::Superseded => "superseded",
            Self::Ceased => "ceased",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// A certificate that is taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Whose it was.
    pub partner: PartnerId,
    /// When it was taken back.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// Whether it had been before, and what is said here is of then.
    pub before: bool,
}

impl Certificates {
    /// Takes a certificate back, for good. Doing it twice does it once.
    ///
    /// # Errors
    /// There is no such certificate, or the database fails.
    pub async fn revoke(
        &self,
        serial: Serial,
        reason: RevocationReason,
        actor: AsciiText<40>,
        now: Timestamp,
    ) -> Result<Revocation, Problem> {
        let revoked = table::revoke(self.store.pool(), serial, reason, actor, now).await?;
        let (revocation, until) = revoked.ok_or_else(|| {
            Problem::not_found(format!(
                "there is no certificate {serial}: `cardswitch partner certificates` lists them"
            ))
        })?;
        self.with_directory(|directory| directory.revoke(serial, until));
        tracing::info!(
            target: "audit", act = "revoke_certificate", partner = revocation.partner.0, %serial,
            reason = revocation.reason, %actor
        );
        Ok(revocation)
    }
}

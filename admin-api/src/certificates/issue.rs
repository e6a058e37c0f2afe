//! Signing a partner's request. It owns the order: what the request itself tells is checked first,
//! then what is on record of the partner and of the key, one signature at a time; a certificate is
//! handed out only once it is kept.

use std::sync::Arc;

use switch_domain::{AsciiText, IdempotencyKey, PartnerId, Timestamp};

use super::request::Request;
use super::{Certificates, Serial, authority, profile, table};
use crate::Problem;

/// For whom a certificate is signed.
#[derive(Clone, Copy, Debug)]
pub struct Partnership {
    /// The partner.
    pub id: PartnerId,
    /// Its name, as it stands in the certificate.
    pub name: AsciiText<40>,
}

/// A certificate that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Its number.
    pub serial: Serial,
    /// The certificate itself.
    pub der: Vec<u8>,
    /// Its last moment.
    pub until: Timestamp,
    /// What the request asked for beyond a key, and did not get.
    pub not_taken: Vec<String>,
}

impl Issued {
    /// The certificate in PEM form.
    #[must_use]
    pub fn pem(&self) -> String {
        authority::to_pem(&self.der)
    }
}

impl Certificates {
    /// Signs a request in PEM form for a partner that exists. The same key and request again give
    /// the same certificate.
    ///
    /// # Errors
    /// The request is not to be signed, the partner has as many certificates as it may have, the
    /// key is another partner's or was one of a revoked certificate, or the authority cannot sign.
    pub async fn sign(
        &self,
        (key, actor): (IdempotencyKey, AsciiText<40>),
        partner: Partnership,
        pem: &str,
        now: Timestamp,
    ) -> Result<Issued, Problem> {
        let request = Request::read(pem.as_bytes())?;
        let name = partner.name.to_string();
        let mut tx = self.store.pool().begin().await?;
        table::lock(&mut tx).await?;
        if let Some(before) = table::by_key(&mut tx, key).await? {
            if before.request != request.digest || before.partner != partner.id {
                let detail = "this key was used for another request: take a new one";
                return Err(Problem::new("IDEMPOTENCY_KEY_REUSED", detail));
            }
            let (serial, der, until) = (before.serial, before.der, before.until);
            return Ok(Issued { serial, der, until, not_taken: request.asked });
        }
        table::check_key(&mut tx, partner.id, &request.key_digest).await?;
        let live = table::live(&mut tx, partner.id, now).await?;
        if live >= i64::from(self.settings.most_live) {
            return Err(Problem::new(
                "EXHAUSTED",
                format!(
                    "partner {} has {live} certificates that are good, and \
                     api.certificates.most_live allows no more: revoke one that is not needed \
                     (`cardswitch partner certificates` lists them)",
                    partner.id.0
                ),
            ));
        }
        let (authority, days) = (Arc::clone(&self.authority), self.settings.days);
        let (for_whom, subject) = (partner.id, name.clone());
        let (certified, request) = tokio::task::spawn_blocking(move || {
            let signed = authority.sign(&request.key, (for_whom, &subject), days, now);
            signed.map(|certified| (certified, request))
        })
        .await
        .map_err(|error| Problem::internal("signing the certificate", &error))??;
        let subject = profile::subject((partner.id, &name));
        let new = table::New { key, actor, partner: partner.id, subject, now };
        table::insert(&mut tx, &new, &request, &certified).await?;
        tx.commit().await?;
        let (serial, until) = (certified.serial, certified.validity.until);
        tracing::info!(
            target: "audit", act = "sign_certificate", partner = partner.id.0, %serial, %actor
        );
        Ok(Issued { serial, der: certified.der.to_vec(), until, not_taken: request.asked })
    }

    /// The certificates of a partner, the newest first.
    ///
    /// # Errors
    /// The database.
    pub async fn of_partner(
        &self,
        partner: PartnerId,
    ) -> Result<Vec<super::ListedCertificate>, Problem> {
        table::list(self.store.pool(), partner).await
    }
}

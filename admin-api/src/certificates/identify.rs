//! Whose a certificate is that a client has shown in its handshake. It owns when the table is
//! asked: for one that is not known yet, and for the revoked ones now and then. What cannot be told
//! to be good lets nobody in.

use metrics::{counter, gauge};
use switch_domain::{PartnerId, Timestamp};

use super::directory::{Judged, Shown};
use super::{Certificates, NotIdentified, table};

impl Certificates {
    /// The partner of a certificate whose holder the handshake has proved. To be asked for every
    /// request, not for every connection: a certificate may be taken back while one is open.
    ///
    /// # Errors
    /// See [`NotIdentified`].
    pub async fn identify(&self, der: &[u8], now: Timestamp) -> Result<PartnerId, NotIdentified> {
        let identified = self.identified(der, now).await;
        let outcome = identified.as_ref().map_or_else(|fault| fault.name(), |_| "partner");
        counter!("cardswitch_api_certificates_total", "outcome" => outcome).increment(1);
        identified
    }

    /// Whether a certificate is known to be revoked, from memory: for the handshake, which cannot
    /// wait for a table.
    #[must_use]
    pub fn is_known_to_be_revoked(&self, der: &[u8]) -> bool {
        let shown = Shown::read(der);
        shown.is_some_and(|shown| self.with_directory(|known| known.is_revoked(shown.serial)))
    }

    async fn identified(&self, der: &[u8], now: Timestamp) -> Result<PartnerId, NotIdentified> {
        let shown = Shown::read(der).ok_or(NotIdentified::Unreadable)?;
        self.refresh(now).await?;
        match self.with_directory(|directory| directory.judge(&shown, now)) {
            Judged::Is(partner) => return Ok(partner),
            Judged::Not(fault) => return Err(fault),
            Judged::Ask => {}
        }
        let found = table::find(self.store.pool(), shown.serial).await.map_err(|error| {
            tracing::warn!(%error, "a client certificate cannot be looked up");
            NotIdentified::Unavailable
        })?;
        let known = found.ok_or(NotIdentified::Unknown)?;
        let judged = self.with_directory(|directory| {
            directory.learn(shown.serial, known);
            directory.judge(&shown, now)
        });
        match judged {
            Judged::Is(partner) => Ok(partner),
            Judged::Not(fault) => Err(fault),
            Judged::Ask => Err(NotIdentified::Unknown),
        }
    }

    /// Reads the revoked ones where that is due. Who finds another at it goes on with what is
    /// known, if that is young enough, and waits for the other if it is not.
    async fn refresh(&self, now: Timestamp) -> Result<(), NotIdentified> {
        let micros =
            |duration: std::time::Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        let (every, stale) = (micros(self.settings.refresh), micros(self.settings.stale));
        let is_fresh = || self.with_directory(|directory| directory.is_fresh(now, stale));
        let _alone = match self.reading.try_lock() {
            Ok(alone) => alone,
            Err(_) if is_fresh() => return Ok(()),
            Err(_) => self.reading.lock().await,
        };
        if self.with_directory(|directory| directory.tries(now, every)) {
            match table::revoked(self.store.pool(), now).await {
                Ok(revoked) => {
                    let (good, bad) = self.with_directory(|directory| {
                        directory.refresh(revoked, now);
                        directory.sizes()
                    });
                    for (kind, size) in [("good", good), ("revoked", bad)] {
                        let size = u32::try_from(size).unwrap_or(u32::MAX);
                        gauge!("cardswitch_api_certificates_known", "kind" => kind)
                            .set(f64::from(size));
                    }
                }
                Err(error) => {
                    counter!("cardswitch_api_certificate_read_errors_total").increment(1);
                    tracing::warn!(%error, "revoked client certificates cannot be read");
                }
            }
        }
        if is_fresh() { Ok(()) } else { Err(NotIdentified::Unavailable) }
    }
}

//! For how long a certificate of ours is good. It owns the reading of those two moments and what
//! lies outside of them; whether that stops anything is for its callers.

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use x509_parser::parse_x509_certificate;

/// From the first moment to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

impl Validity {
    /// What a certificate says of itself; none where it cannot be read that far.
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, parsed) = parse_x509_certificate(certificate).ok()?;
        let validity = parsed.validity();
        let moment = |seconds| Timestamp::from_second(seconds).ok();
        Some(Self {
            from: moment(validity.not_before.timestamp())?,
            until: moment(validity.not_after.timestamp())?,
        })
    }

    pub(super) fn is_at(self, now: Timestamp) -> bool {
        self.from <= now && now <= self.until
    }
}

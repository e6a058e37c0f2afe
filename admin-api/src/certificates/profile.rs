//! What stands in the certificates that we sign. It owns their names, uses and validity: all of it
//! is ours, whatever a request asked for. Signing is the affair of `authority`.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyUsagePurpose, SerialNumber,
};
use switch_domain::{PartnerId, Timestamp};

use super::serial::Serial;

const MICROS: i64 = 1_000_000;
/// So much before the moment of signing a certificate is good already: clocks differ.
const EARLIER: i64 = 300 * MICROS;
pub(super) const DAY: i64 = 86_400 * MICROS;

/// From the first moment to the last, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

impl Validity {
    /// So many days from now on, but never beyond `end`; none where that is over.
    pub(super) fn days(now: Timestamp, days: u32, end: Timestamp) -> Option<Self> {
        let whole = |moment: i64| Timestamp(moment.div_euclid(MICROS).saturating_mul(MICROS));
        let until = now.0.saturating_add(DAY.saturating_mul(i64::from(days))).min(end.0);
        let from = whole(now.minus_micros(EARLIER).0);
        (until > now.0).then(|| Self { from, until: whole(until) })
    }
}

/// Of the authority itself: signs certificates and lists of revoked ones, no further authorities.
pub(super) fn authority(name: &str, serial: Serial, validity: Validity) -> CertificateParams {
    let mut params = dated(serial, validity);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// Of a partner: it shows who connects, and is good for nothing else.
pub(super) fn partner(
    (partner, name): (PartnerId, &str),
    serial: Serial,
    validity: Validity,
) -> CertificateParams {
    let mut params = dated(serial, validity);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, name);
    params.distinguished_name.push(DnType::CommonName, format!("partner {}", partner.0));
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    params
}

/// The same as people read it, and the table keeps it.
pub(super) fn subject((partner, name): (PartnerId, &str)) -> String {
    format!("O={name}, CN=partner {}", partner.0)
}

fn dated(serial: Serial, validity: Validity) -> CertificateParams {
    let mut params = CertificateParams::default();
    // The only way to a moment without another library of dates.
    let moment = |at: Timestamp| {
        let seconds = u64::try_from(at.0.div_euclid(MICROS)).unwrap_or_default();
        rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds)
    };
    params.not_before = moment(validity.from);
    params.not_after = moment(validity.until);
    params.serial_number = Some(SerialNumber::from_slice(serial.as_bytes()));
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_never_outlives_its_authority() {
        let now = Timestamp(1_800_000_000_123_456);
        let far = Timestamp(i64::MAX);
        let year = Validity::days(now, 365, far).expect("good");
        assert_eq!(year.until.0, 1_800_000_000_000_000 + 365 * DAY);
        assert_eq!(year.from.0, 1_800_000_000_000_000 - 300 * MICROS);
        let end = Timestamp(now.0 + 5 * DAY);
        let cut = Validity::days(now, 365, end).expect("good for five days");
        assert_eq!(cut.until.0, 1_800_000_000_000_000 + 5 * DAY);
        assert_eq!(Validity::days(now, 365, now), None);
    }
}

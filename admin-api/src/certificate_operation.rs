//! Operations on partners' client certificates as data: what comes over the control socket, one
//! JSON object each. It owns the names and shapes of their members.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use switch_domain::{PartnerId, Timestamp};

use crate::certificates::{
    Certificates, Issued, ListedCertificate, Partnership, Revocation, RevocationReason, Serial,
};
use crate::http::now;
use crate::operation::Caller;
use crate::{Problem, Services};

/// One operation on certificates.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs)] // the members are the documentation; `cardswitch help` says each in words
pub enum CertificateOperation {
    CertificateSign { partner: i64, request: String },
    CertificateList { partner: i64 },
    CertificateRevoke { serial: String, reason: RevocationReason },
}

/// Does an operation and gives its result.
///
/// # Errors
/// See [`Problem`].
pub async fn perform(
    (services, certificates): (&Services, &Certificates),
    caller: Caller,
    operation: CertificateOperation,
) -> Result<Value, Problem> {
    let Caller { actor, key } = caller;
    let now = now();
    match operation {
        CertificateOperation::CertificateSign { partner, request } => {
            let partner = partnership(services, partner)?;
            let issued = certificates.sign((key, actor), partner, &request, now).await?;
            Ok(signed(partner, &issued))
        }
        CertificateOperation::CertificateList { partner } => {
            let partner = partnership(services, partner)?;
            let listed = certificates.of_partner(partner.id).await?;
            Ok(listed.iter().map(|certificate| shown(certificate, now)).collect())
        }
        CertificateOperation::CertificateRevoke { serial, reason } => {
            let serial: Serial = serial.parse()?;
            let revocation = certificates.revoke(serial, reason, actor, now).await?;
            Ok(revoked(serial, &revocation))
        }
    }
}

/// A partner that there is, serving or not: one that is suspended may renew its certificate.
fn partnership(services: &Services, partner: i64) -> Result<Partnership, Problem> {
    let control = services.node().control();
    let found = control.partners.get(&PartnerId(partner));
    found
        .map(|partner| Partnership { id: partner.id, name: partner.name })
        .ok_or_else(|| Problem::not_found("there is no such partner"))
}

fn signed(partner: Partnership, issued: &Issued) -> Value {
    json!({
        "partner": partner.id.0,
        "serial": issued.serial.to_string(),
        "not_after": time(issued.until),
        "not_taken": issued.not_taken,
        "certificate": issued.pem(),
    })
}

fn shown(certificate: &ListedCertificate, now: Timestamp) -> Value {
    let state = match &certificate.revoked {
        Some(_) => "REVOKED",
        None if now > certificate.until => "EXPIRED",
        None => "GOOD",
    };
    let (issued, by) = &certificate.issued;
    let revoked = certificate.revoked.as_ref();
    json!({
        "serial": certificate.serial.to_string(),
        "state": state,
        "subject": certificate.subject,
        "fingerprint": hex::encode(certificate.fingerprint),
        "not_before": time(certificate.from),
        "not_after": time(certificate.until),
        "issued_at": time(*issued),
        "issued_by": by,
        "revoked_at": revoked.map(|(at, _, _)| time(*at)),
        "revoked_by": revoked.map(|(_, by, _)| by),
        "revoked_reason": revoked.map(|(_, _, reason)| reason),
    })
}

fn revoked(serial: Serial, revocation: &Revocation) -> Value {
    json!({
        "serial": serial.to_string(),
        "partner": revocation.partner.0,
        "revoked_at": time(revocation.at),
        "reason": revocation.reason,
        "before": revocation.before,
    })
}

fn time(at: Timestamp) -> Option<String> {
    jiff::Timestamp::from_microsecond(at.0).ok().map(|at| at.to_string())
}

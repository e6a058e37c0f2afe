//! What a call asks for: from its headers, its method, what the endpoint needs and what the partner
//! may, whether the body is to be opened and whom the answer is encrypted to (A-08..A-12,
//! SR-064..073). It owns these rules as a pure function; it opens and encrypts nothing.
//!
//! Where two rules could each refuse, the first of this order does: a header that is neither `true`
//! nor `false`; encryption that is needed and not asked for; the key.

use std::sync::Arc;

use super::problem::EncryptionProblem;
use super::public_key::PartnerKey;

/// What came with a call. A header that stands there more than once is given with its values joined
/// by commas, as HTTP has it, and is then none of the values taken.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// `Encrypted-Request`.
    pub encrypted_request: Option<&'a str>,
    /// `Encrypt-Response`.
    pub encrypt_response: Option<&'a str>,
    /// `Public-Key`.
    pub public_key: Option<&'a str>,
    /// In capitals.
    pub method: &'a str,
    /// Whether there is a body of at least one byte.
    pub has_body: bool,
}

/// What an endpoint needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// "N": nothing. Whoever asks for encryption has it all the same.
    Optional,
    /// "Y": at least the answer is encrypted.
    Response,
    /// "Y", and the body is sensitive itself (a PIN): it is encrypted too.
    RequestAndResponse,
}

/// Whose key answers are encrypted to (J-07).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartnerRule {
    /// The one in the request, as the seed has it.
    KeyInRequest,
    /// The registered ones, the newest first, and no other. A request may name one of them, and
    /// has the newest where it names none; one that names another is refused and not answered with
    /// a key that its sender did not mean.
    RegisteredOnly(Vec<Arc<PartnerKey>>),
}

/// What is done with the body that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestBody {
    /// It is taken as it is, or there is none.
    Plain,
    /// It is an envelope: its token is opened.
    Encrypted,
}

/// What is done with the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponseBody {
    /// It goes as it is.
    Plain,
    /// It is encrypted to this key, if it is a success with a body.
    Encrypted(Arc<PartnerKey>),
}

impl ResponseBody {
    /// The key that an answer of this status is encrypted to: 20X alone (SR-069), not 204 and 205,
    /// which have no body (SR-070), and no error (SR-071).
    #[must_use]
    pub const fn key_for(&self, status: u16) -> Option<&Arc<PartnerKey>> {
        match (self, status) {
            (Self::Encrypted(_), 204 | 205) | (Self::Plain, _) => None,
            (Self::Encrypted(key), 200..=209) => Some(key),
            (Self::Encrypted(_), _) => None,
        }
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// With the body that came.
    pub request: RequestBody,
    /// With the answer.
    pub response: ResponseBody,
}

/// Judges a call before anything is done for it.
///
/// # Errors
/// One of `ENCRYPTION_REQUIRED`, `INVALID_PUBLIC_KEY`, and `INVALID_PAYLOAD` for a header that is
/// neither `true` nor `false`.
pub fn negotiate(
    asked: &Asked<'_>,
    requirement: Requirement,
    rule: &PartnerRule,
) -> Result<Negotiated, EncryptionProblem> {
    let both = flag(asked.encrypted_request)?;
    // An encrypted request is answered encrypted, whatever the other header says (SR-065).
    let response = flag(asked.encrypt_response)? || both;
    // On a GET, and without a body, there is nothing to open (SR-068).
    let takes_body = matches!(asked.method, "POST" | "PUT" | "PATCH");
    let body = takes_body && asked.has_body;
    let enough = match requirement {
        Requirement::Optional => true,
        Requirement::Response => response,
        Requirement::RequestAndResponse => response && (both || !body),
    };
    if !enough {
        return Err(EncryptionProblem::EncryptionRequired);
    }
    let request = if both && body { RequestBody::Encrypted } else { RequestBody::Plain };
    let response = if response {
        ResponseBody::Encrypted(recipient(asked.public_key, rule)?)
    } else {
        ResponseBody::Plain
    };
    Ok(Negotiated { request, response })
}

fn flag(header: Option<&str>) -> Result<bool, EncryptionProblem> {
    match header {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(EncryptionProblem::InvalidPayload),
    }
}

fn recipient(
    header: Option<&str>,
    rule: &PartnerRule,
) -> Result<Arc<PartnerKey>, EncryptionProblem> {
    let invalid = EncryptionProblem::InvalidPublicKey;
    let named = header.map(PartnerKey::from_base64).transpose().map_err(|_| invalid)?;
    match (rule, named) {
        (PartnerRule::KeyInRequest, Some(named)) => Ok(Arc::new(named)),
        (PartnerRule::KeyInRequest, None) => Err(invalid),
        (PartnerRule::RegisteredOnly(keys), None) => keys.first().cloned().ok_or(invalid),
        (PartnerRule::RegisteredOnly(keys), Some(named)) => {
            keys.iter().find(|key| named == ***key).cloned().ok_or(invalid)
        }
    }
}

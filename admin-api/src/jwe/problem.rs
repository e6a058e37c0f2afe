//! The four coded errors of encryption (SR-072, A-12), and which refusal is which. Their texts are
//! fixed: nothing that was sent is repeated in them.

use super::refusal::{Refused, Stage};

/// What a caller is told, unencrypted (SR-071).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncryptionProblem {
    /// The endpoint answers encrypted alone, or takes encrypted bodies alone.
    #[error(
        "this endpoint needs encryption: send Encrypt-Response: true, or Encrypted-Request: true \
         with an encrypted body, and Public-Key"
    )]
    EncryptionRequired,
    /// No key to encrypt the answer to.
    #[error(
        "Public-Key must be base64 of an RSA public key of 2048 to 8192 bits, as PEM or as DER of \
         SubjectPublicKeyInfo; where keys are registered, the registered one or none"
    )]
    InvalidPublicKey,
    /// Headers or body have another form.
    #[error(
        "the body must be {{\"payload\":\"<compact JWE>\"}} with alg RSA-OAEP-256 or RSA-OAEP, enc \
         A256GCM and one JSON object in it; Encrypted-Request and Encrypt-Response must be true or \
         false"
    )]
    InvalidPayload,
    /// It has the right form, and does not open here.
    #[error("the payload does not open with a live key of this platform")]
    CantDecryptPayload,
}

impl EncryptionProblem {
    /// Stable, for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::EncryptionRequired => "ENCRYPTION_REQUIRED",
            Self::InvalidPublicKey => "INVALID_PUBLIC_KEY",
            Self::InvalidPayload => "INVALID_PAYLOAD",
            Self::CantDecryptPayload => "CANT_DECRYPT_PAYLOAD",
        }
    }

    /// The status of the answer.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::EncryptionRequired => 403,
            Self::InvalidPublicKey | Self::InvalidPayload | Self::CantDecryptPayload => 400,
        }
    }
}

impl From<Refused> for EncryptionProblem {
    /// What is wrong with a token's form, or with what was in it, its maker can mend; what does not
    /// open, whichever way, is one answer.
    fn from(refused: Refused) -> Self {
        match refused.stage() {
            Stage::Size | Stage::Structure | Stage::Header | Stage::Payload => Self::InvalidPayload,
            Stage::Key | Stage::Decrypt => Self::CantDecryptPayload,
        }
    }
}

impl From<EncryptionProblem> for crate::Problem {
    fn from(problem: EncryptionProblem) -> Self {
        Self::new(problem.code(), problem.to_string())
    }
}

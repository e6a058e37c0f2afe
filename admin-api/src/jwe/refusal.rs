//! Why a token is not taken, and at which stage. It owns the words; none of them repeats any part
//! of a token, its keys or its payload, and all failures of decryption are one word (J-03, J-08).

/// Where the way of a token ended. In this order, and before `Decrypt` nothing costs RSA work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// It is too long.
    Size,
    /// It is not five parts of base64url.
    Structure,
    /// Its header asks for what is not done.
    Header,
    /// It names no live key.
    Key,
    /// It does not open.
    Decrypt,
    /// What is in it is not one JSON object.
    Payload,
}

impl Stage {
    /// As metrics and logs call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Structure => "structure",
            Self::Header => "header",
            Self::Key => "key",
            Self::Decrypt => "decrypt",
            Self::Payload => "payload",
        }
    }
}

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Longer than the policy takes.
    #[error("the token is longer than the limit")]
    TooLong,
    /// Its header is.
    #[error("the header of the token is longer than 1 KiB")]
    HeaderTooLong,
    /// Not the compact form.
    #[error("the token is not five parts with a dot between them, the compact form of JWE")]
    NotCompact,
    /// Padding, white space, another alphabet, or bits left over.
    #[error("a part of the token is not base64url without padding")]
    NotBase64Url,
    /// No JSON object, or a member twice.
    #[error("the header of the token is not one JSON object whose members differ")]
    HeaderForm,
    /// Any other key encryption.
    #[error("alg must be RSA-OAEP-256 or RSA-OAEP")]
    Algorithm,
    /// RSA-OAEP is switched off for this partner.
    #[error("alg must be RSA-OAEP-256: RSA-OAEP is not taken from this partner")]
    AlgorithmSwitchedOff,
    /// Any other content encryption.
    #[error("enc must be A256GCM")]
    Encryption,
    /// Compressed, or said to be.
    #[error("zip is not taken: send the payload uncompressed")]
    Compressed,
    /// Extensions that must be understood.
    #[error("crit is not taken: no extension is understood")]
    Critical,
    /// A key, or where one lies.
    #[error("jwk, jku, x5u and x5c are not taken: keys are those of this platform")]
    CarriesKey,
    /// Not a text.
    #[error("kid must be a text")]
    KeyIdForm,
    /// Not a whole number.
    #[error("iat must be a whole number: seconds since 1970")]
    IssuedForm,
    /// It has to say when it was issued.
    #[error("iat is needed: the second since 1970 in which the token was made")]
    NotIssued,
    /// Captured, perhaps; or somebody's clock is wrong.
    #[error("iat is too far from now")]
    IssuedAnotherTime,
    /// No live key has this name.
    #[error("kid names no live key of this platform")]
    NoSuchKey,
    /// One word for every cause.
    #[error("the token does not open")]
    DoesNotOpen,
    /// Not UTF-8, not JSON, not one object, a member twice, too deep, or something behind it.
    #[error("the payload of the token is not one JSON object")]
    NotOneObject,
    /// An object, and not the one that is asked for.
    #[error("the payload of the token has not the members that are asked for")]
    OtherMembers,
}

impl Refused {
    /// The stage at which it ended.
    #[must_use]
    pub const fn stage(self) -> Stage {
        match self {
            Self::TooLong | Self::HeaderTooLong => Stage::Size,
            Self::NotCompact | Self::NotBase64Url => Stage::Structure,
            Self::HeaderForm
            | Self::Algorithm
            | Self::AlgorithmSwitchedOff
            | Self::Encryption
            | Self::Compressed
            | Self::Critical
            | Self::CarriesKey
            | Self::KeyIdForm
            | Self::IssuedForm
            | Self::NotIssued
            | Self::IssuedAnotherTime => Stage::Header,
            Self::NoSuchKey => Stage::Key,
            Self::DoesNotOpen => Stage::Decrypt,
            Self::NotOneObject | Self::OtherMembers => Stage::Payload,
        }
    }
}

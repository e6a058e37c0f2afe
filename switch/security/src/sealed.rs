//! A card number as the database keeps it. It owns the parts that a row stores; nothing in here is
//! secret, and nothing in here can be read without the key.

/// Names the key pair that a value was sealed with. Not secret: stored with every row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 8]);

/// The text is not sixteen hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key id has 16 hexadecimal digits")]
pub struct InvalidKeyId;

impl KeyId {
    /// From its eight bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// Its eight bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl std::str::FromStr for KeyId {
    type Err = InvalidKeyId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 8];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidKeyId)?;
        Ok(Self(bytes))
    }
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// A card number under AES-256-GCM (NIST SP 800-38D), bound to its fingerprint and to its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedPan {
    /// Which key sealed it.
    pub key_id: KeyId,
    /// 96 random bits, fresh for every sealing.
    pub nonce: [u8; 12],
    /// The digits, encrypted and padded to one length, then the 16-byte tag: 35 bytes for any PAN.
    pub ciphertext: Vec<u8>,
}

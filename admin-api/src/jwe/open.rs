//! Opens a token. It owns that every failure of decryption is one error after the same work (J-03):
//! a content key that does not come out is replaced by a random one, and the content is decrypted
//! all the same. It never says which step failed, and never shows what it decrypted.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rand;
use serde::de::DeserializeOwned;
use subtle::{Choice, ConditionallySelectable};
use switch_domain::Timestamp;
use zeroize::Zeroizing;

use super::json::one_object;
use super::keys::{PlatformKey, PlatformKeys};
use super::refusal::Refused;
use super::token::Token;

/// Bytes of a content key of A256GCM.
pub(super) const CONTENT_KEY: usize = 32;
/// Bytes of its initialization vector: RFC 7518 section 5.3 knows no other length.
pub(super) const IV: usize = 12;
/// Bytes of its tag.
pub(super) const TAG: usize = 16;

/// What is taken from a partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenPolicy {
    /// The longest token.
    pub max_token_bytes: usize,
    /// Whether `RSA-OAEP`, which works with SHA-1, is taken besides `RSA-OAEP-256`.
    pub rsa_oaep_sha1: bool,
    /// How far from now a token may say that it was issued.
    pub issued_within: Duration,
    /// Whether it has to say so.
    pub issued_required: bool,
}

impl Default for OpenPolicy {
    /// As SR-063 has it.
    fn default() -> Self {
        Self {
            max_token_bytes: 16 * 1024,
            rsa_oaep_sha1: true,
            issued_within: Duration::from_secs(300),
            issued_required: false,
        }
    }
}

/// A token that may be opened, with the keys that it is tried against: what remains is RSA work.
pub struct Openable {
    token: Token,
    keys: Vec<Arc<PlatformKey>>,
}

impl Openable {
    /// Everything before decryption: size, structure, header, key. Cheap. A token that names a key
    /// is opened with that one alone; one that names none, with every live key (A-13), of which
    /// there are few.
    ///
    /// # Errors
    /// It is refused at one of these stages.
    pub fn check(
        text: &str,
        keys: &PlatformKeys,
        policy: &OpenPolicy,
        now: Timestamp,
    ) -> Result<Self, Refused> {
        let token = Token::parse(text, policy)?;
        in_time(token.issued, policy, now)?;
        let keys: Vec<_> = match &token.kid {
            Some(kid) => keys.live(now).filter(|key| key.kid().as_str() == kid).cloned().collect(),
            None => keys.live(now).cloned().collect(),
        };
        if keys.is_empty() { Err(Refused::NoSuchKey) } else { Ok(Self { token, keys }) }
    }

    /// RSA operations that opening will cost.
    #[must_use]
    pub fn cost(&self) -> usize {
        self.keys.len()
    }

    /// Opens it: milliseconds of work, so on a thread that may be kept busy.
    ///
    /// # Errors
    /// It does not open, for whichever cause; or its payload is not one JSON object.
    pub fn open(self) -> Result<Payload, Refused> {
        let Self { token, keys } = self;
        // Were it zeros when randomness fails, anybody could encrypt to it.
        let mut content_key = Zeroizing::new([0; CONTENT_KEY]);
        rand::fill(&mut *content_key).map_err(|_| Refused::DoesNotOpen)?;
        let mut unwrapped = Choice::from(0);
        // Every key, also behind the one that fits.
        for key in keys {
            let (found, fits) = key.unwrap_key(token.algorithm, &token.encrypted_key);
            for (slot, byte) in content_key.iter_mut().zip(found.iter()) {
                slot.conditional_assign(byte, fits);
            }
            unwrapped |= fits;
        }
        let content = decrypt(&token, &content_key);
        match content {
            Some(content) if bool::from(unwrapped) => Payload::new(content),
            _ => Err(Refused::DoesNotOpen),
        }
    }
}

/// Whether a token is of now, where it says when it was issued: one that was captured is soon of
/// no use (J-05).
fn in_time(issued: Option<i64>, policy: &OpenPolicy, now: Timestamp) -> Result<(), Refused> {
    match issued {
        None if policy.issued_required => Err(Refused::NotIssued),
        None => Ok(()),
        Some(issued) => {
            let apart = now.0.div_euclid(1_000_000).abs_diff(issued);
            let near = apart <= policy.issued_within.as_secs();
            if near { Ok(()) } else { Err(Refused::IssuedAnotherTime) }
        }
    }
}

/// The content; `None` where the tag is not its own. An IV or a tag of another length is worked on
/// at the right one, and then fails.
fn decrypt(token: &Token, content_key: &[u8; CONTENT_KEY]) -> Option<Zeroizing<Vec<u8>>> {
    let (iv, iv_fits) = exactly::<IV>(&token.iv);
    let (tag, tag_fits) = exactly::<TAG>(&token.tag);
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, content_key).ok()?);
    let mut room = Zeroizing::new([token.ciphertext.as_slice(), &tag].concat());
    let nonce = Nonce::assume_unique_for_key(iv);
    let opened = cipher.open_in_place(nonce, Aad::from(token.header.as_bytes()), &mut room);
    let length = opened.map(|content| content.len());
    if !iv_fits || !tag_fits {
        return None;
    }
    room.truncate(length.ok()?);
    Some(room)
}

/// The bytes in so much room, cut or filled up; and whether that was needed.
fn exactly<const N: usize>(bytes: &[u8]) -> ([u8; N], bool) {
    let mut room = [0; N];
    room.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = *byte);
    (room, bytes.len() == N)
}

/// What was in a token: one JSON object. Wiped on drop; it cannot be printed or serialized:
///
/// ```compile_fail
/// fn print<T: std::fmt::Debug>() {}
/// print::<admin_api::jwe::Payload>();
/// ```
/// ```compile_fail
/// fn write<T: serde::Serialize>() {}
/// write::<admin_api::jwe::Payload>();
/// ```
pub struct Payload(Zeroizing<Vec<u8>>);

impl Payload {
    fn new(content: Zeroizing<Vec<u8>>) -> Result<Self, Refused> {
        one_object(&content).map_err(|_| Refused::NotOneObject)?;
        Ok(Self(content))
    }

    /// Reads it into what an endpoint asks for, whose secrets wipe themselves.
    ///
    /// # Errors
    /// It has other members. What the reader said of them is not passed on: it would repeat values.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Refused> {
        serde_json::from_slice(&self.0).map_err(|_| Refused::OtherMembers)
    }

    /// Its JSON, for a reader with rules of its own. Neither it nor what serde says of it may go
    /// into any message.
    #[must_use]
    pub fn json(&self) -> &[u8] {
        &self.0
    }
}

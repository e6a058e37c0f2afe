//! The public half of an RSA key, as SubjectPublicKeyInfo in DER. It owns which keys are fit at
//! all; whose key it is, and what is done with it, is the affair of others.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::PublicEncryptingKey;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// Below this a modulus is within reach; above it, one operation is an attack on us.
const BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// FIPS 186-5 asks for more than 2^16; more than 32 bits only cost time.
const EXPONENTS: std::ops::RangeInclusive<u64> = 65_537..=u32::MAX as u64;

pub(super) struct RsaPublic {
    der: Vec<u8>,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl RsaPublic {
    /// `None` where it is no RSA key, has another size, an exponent that nobody should have, or is
    /// not written as DER has it.
    pub(super) fn from_der(der: &[u8]) -> Option<(Self, PublicEncryptingKey)> {
        let (rest, info) = SubjectPublicKeyInfo::from_der(der).ok()?;
        let Ok(PublicKey::RSA(parts)) = info.parsed() else { return None };
        let modulus = without_zeros(parts.modulus);
        let exponent = without_zeros(parts.exponent);
        let bits = modulus.len().checked_mul(8)?;
        let bits = bits.checked_sub(usize::try_from(modulus.first()?.leading_zeros()).ok()?)?;
        let odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
        let value = exponent
            .iter()
            .try_fold(0u64, |value, byte| value.checked_mul(256)?.checked_add(u64::from(*byte)))?;
        let fit = rest.is_empty() && BITS.contains(&bits) && EXPONENTS.contains(&value);
        if !fit || !odd(modulus) || !odd(exponent) {
            return None;
        }
        let key = PublicEncryptingKey::from_der(der).ok()?;
        // One key, one text: what is not the text that would be written is not taken.
        if key.as_der().ok()?.as_ref() != der {
            return None;
        }
        let (modulus, exponent) = (modulus.to_vec(), exponent.to_vec());
        Some((Self { der: der.to_vec(), modulus, exponent }, key))
    }

    /// SubjectPublicKeyInfo.
    pub(super) fn der(&self) -> &[u8] {
        &self.der
    }

    /// Without leading zeros.
    pub(super) fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// As a JWK has them: `n` and `e`.
    pub(super) fn members(&self) -> (String, String) {
        (URL_SAFE_NO_PAD.encode(&self.modulus), URL_SAFE_NO_PAD.encode(&self.exponent))
    }

    /// The thumbprint of RFC 7638, in base64url: 43 characters that no other key has.
    pub(super) fn thumbprint(&self) -> String {
        let (n, e) = self.members();
        let canonical = format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#);
        URL_SAFE_NO_PAD.encode(Sha256::digest(canonical.as_bytes()))
    }
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    number.get(start..).unwrap_or_default()
}

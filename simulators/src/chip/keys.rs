//! The test keys of a card programme, as its issuer has them. Must come from a seed or a demo's
//! file, never from a real issuer, and must not be shown by accident.

use std::fmt;

use aes::Aes128;
use anyhow::{Context, Result};
use cmac::{Cmac, KeyInit, Mac};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Deserialize;

use super::cipher::{Key, key_of, retail_mac};

/// A test key: two keys of DES, or one of AES.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct TestKey(pub(super) Key);

impl TestKey {
    /// From 32 hexadecimal digits.
    ///
    /// # Errors
    /// When they are not that.
    pub fn from_digits(digits: &str) -> Result<TestKey> {
        let mut key = Key::default();
        hex::decode_to_slice(digits, &mut key).context("a test key has 32 hexadecimal digits")?;
        Ok(TestKey(key))
    }

    /// Its hexadecimal digits, for the key file of the switch under test.
    #[must_use]
    pub fn digits(&self) -> String {
        hex::encode_upper(self.0)
    }

    /// The code of a message (DE64): retail MAC of eight bytes, padding method 2.
    #[must_use]
    pub fn message_code(&self, message: &[u8]) -> [u8; 8] {
        retail_mac(&self.0, true, message)
    }

    /// The code of a message by CMAC of AES, of which eight bytes are sent.
    ///
    /// # Errors
    /// Never: a test key has as many bytes as AES takes.
    pub fn message_cmac(&self, message: &[u8]) -> Result<[u8; 8]> {
        let mut mac = Cmac::<Aes128>::new_from_slice(&self.0).context("sixteen bytes")?;
        mac.update(message);
        let code = mac.finalize().into_bytes();
        code.first_chunk().copied().context("sixteen bytes")
    }

    fn chosen(random: &mut StdRng) -> TestKey {
        TestKey(key_of(random.random(), random.random()))
    }
}

impl TryFrom<String> for TestKey {
    type Error = anyhow::Error;

    fn try_from(digits: String) -> Result<TestKey> {
        TestKey::from_digits(&digits)
    }
}

impl fmt::Debug for TestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TestKey(hidden)")
    }
}

/// All keys of a programme that its cards and terminals compute with.
#[derive(Clone, Debug, Deserialize)]
pub struct TestKeys {
    /// Issuer master key of cryptograms (IMK-AC).
    pub cryptograms: TestKey,
    /// Issuer master key of the integrity of scripts (IMK-SMI).
    pub script_integrity: TestKey,
    /// Issuer master key of the confidentiality of scripts (IMK-SMC).
    pub script_confidentiality: TestKey,
    /// Card values of stripe and chip (CVK).
    pub card_values: TestKey,
    /// Printed codes (CVK of CVV2).
    pub card_codes: TestKey,
    /// PIN blocks between acquirer and switch (ZPK), triple DES.
    pub zone: TestKey,
    /// PIN blocks of format 4 between acquirer and switch (ZPK), AES of 128 bits.
    pub aes_zone: TestKey,
    /// What PINs are verified against (PVK), as the bureau has it that sets PINs.
    pub pin_values: TestKey,
}

impl TestKeys {
    /// Always the same ones from the same seed.
    #[must_use]
    pub fn from_seed(seed: u64) -> TestKeys {
        Self::chosen(&mut StdRng::seed_from_u64(seed))
    }

    /// Others every time.
    #[must_use]
    pub fn fresh() -> TestKeys {
        Self::chosen(&mut StdRng::from_rng(&mut rand::rng()))
    }

    fn chosen(random: &mut StdRng) -> TestKeys {
        let mut next = || TestKey::chosen(random);
        TestKeys {
            cryptograms: next(),
            script_integrity: next(),
            script_confidentiality: next(),
            card_values: next(),
            card_codes: next(),
            zone: next(),
            aes_zone: next(),
            pin_values: next(),
        }
    }

    /// Every one by its name, as a demo's file has them.
    #[must_use]
    pub fn named(&self) -> [(&'static str, &TestKey); 8] {
        [
            ("cryptograms", &self.cryptograms),
            ("script_integrity", &self.script_integrity),
            ("script_confidentiality", &self.script_confidentiality),
            ("card_values", &self.card_values),
            ("card_codes", &self.card_codes),
            ("zone", &self.zone),
            ("aes_zone", &self.aes_zone),
            ("pin_values", &self.pin_values),
        ]
    }
}

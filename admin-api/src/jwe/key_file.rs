//! The platform's keys on disk: PKCS#8, the whole file sealed under the local master key like every
//! other key of the switch. It owns what a line says, making, rotating and moving; it never writes
//! a key in clear.
//!
//! What is sealed has a line for each key: `active <kid> <PKCS#8 in base64>`, and
//! `until <seconds since 1970> <kid> <PKCS#8 in base64>`.

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use switch_domain::Timestamp;
use switch_security::{LocalMasterKeys, SecretFile, SecretFileError};
use zeroize::Zeroizing;

use super::keys::{
    InvalidPlatformKey, KeyLife, KeyRules, Kid, PlatformKey, PlatformKeys, RotationError, RsaBits,
};

const PURPOSE: &str = "jwe-keys";
const ACTIVE: &str = "active";
const UNTIL: &str = "until";
const MICROS: i64 = 1_000_000;
/// Of one line: PKCS#8 of 4096 bits in base64, and words.
const LINE_BYTES: usize = 4096;

/// Why the keys are not there.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file itself.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// A key in it, or a new one.
    #[error(transparent)]
    Key(#[from] InvalidPlatformKey),
    /// They do not follow one another so.
    #[error(transparent)]
    Rotation(#[from] RotationError),
    /// It opens, and says something else.
    #[error("the file of JWE keys has a line of another form")]
    Line,
    /// Nothing to rotate or move.
    #[error("there is no file of JWE keys yet")]
    Missing,
    /// A file is there already: a new key comes in by rotation.
    #[error("there is a file of JWE keys already: rotate it instead")]
    Exists,
}

/// The file of the platform's keys.
pub struct PlatformKeyFile {
    file: SecretFile,
    rules: KeyRules,
}

impl PlatformKeyFile {
    /// At this path, with keys by these rules.
    #[must_use]
    pub const fn new(path: PathBuf, rules: KeyRules) -> Self {
        Self { file: SecretFile::new(path, PURPOSE), rules }
    }

    /// Its keys; `None` where there is no file.
    ///
    /// # Errors
    /// It does not open, or one of its keys is not what the rules allow.
    pub fn load(
        &self,
        masters: &LocalMasterKeys,
        now: Timestamp,
    ) -> Result<Option<PlatformKeys>, KeyFileError> {
        let content = self.file.load(masters)?;
        content.map(|content| self.read(&content, now)).transpose()
    }

    /// Makes the file with a first key.
    ///
    /// # Errors
    /// There is one, or it cannot be made.
    pub fn create(
        &self,
        masters: &LocalMasterKeys,
        bits: RsaBits,
    ) -> Result<PlatformKeys, KeyFileError> {
        let keys = PlatformKeys::new(PlatformKey::generate(bits, &self.rules)?);
        self.file.change(masters, |before| match before {
            Some(_) => Err(KeyFileError::Exists),
            None => Ok((text(&keys)?, keys.clone())),
        })
    }

    /// A new key becomes active; the one so far opens until `end`.
    ///
    /// # Errors
    /// There is no file, there would be too many keys, or it cannot be written.
    pub fn rotate(
        &self,
        masters: &LocalMasterKeys,
        bits: RsaBits,
        (now, end): (Timestamp, Timestamp),
    ) -> Result<PlatformKeys, KeyFileError> {
        let next = PlatformKey::generate(bits, &self.rules)?;
        self.file.change(masters, |before| {
            let keys = self.read(&before.ok_or(KeyFileError::Missing)?, now)?;
            let keys = keys.rotate(next, (now, end), &self.rules)?;
            Ok((text(&keys)?, keys))
        })
    }

    /// Moves the file under the current local master key; whether that changed anything. Where
    /// there is none there is nothing to move.
    ///
    /// # Errors
    /// It does not open, or it cannot be written.
    pub fn rewrap(&self, masters: &LocalMasterKeys) -> Result<bool, KeyFileError> {
        Ok(self.file.rewrap(masters)?)
    }

    fn read(&self, content: &[u8], now: Timestamp) -> Result<PlatformKeys, KeyFileError> {
        let text = std::str::from_utf8(content).map_err(|_| KeyFileError::Line)?;
        let mut lines = text.lines();
        let (life, active) = self.key(lines.next().ok_or(KeyFileError::Line)?)?;
        if life != KeyLife::Active {
            return Err(KeyFileError::Line);
        }
        let mut keys = PlatformKeys::new(active);
        for line in lines {
            let (KeyLife::Until(end), key) = self.key(line)? else {
                return Err(KeyFileError::Line);
            };
            keys.add_older(Arc::new(key), end, now, &self.rules)?;
        }
        Ok(keys)
    }

    fn key(&self, line: &str) -> Result<(KeyLife, PlatformKey), KeyFileError> {
        let mut words = line.split(' ');
        let mut word = || words.next().ok_or(KeyFileError::Line);
        let life = match word()? {
            ACTIVE => KeyLife::Active,
            UNTIL => {
                let seconds = word()?.parse().map_err(|_| KeyFileError::Line)?;
                KeyLife::Until(Timestamp::from_unix_seconds(seconds))
            }
            _ => return Err(KeyFileError::Line),
        };
        let kid = Kid::new(word()?)?;
        let pkcs8 = STANDARD.decode(word()?).map_err(|_| KeyFileError::Line)?;
        let pkcs8 = Zeroizing::new(pkcs8);
        if words.next().is_some() {
            return Err(KeyFileError::Line);
        }
        Ok((life, PlatformKey::from_pkcs8(Some(kid), &pkcs8, &self.rules)?))
    }
}

/// What is sealed. All room at once: a text that grows leaves copies behind.
fn text(keys: &PlatformKeys) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let room = keys.iter().count().saturating_mul(LINE_BYTES);
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    for (key, life) in keys.iter() {
        let words = match life {
            KeyLife::Active => format!("{ACTIVE} {} ", key.kid().as_str()),
            KeyLife::Until(end) => {
                format!("{UNTIL} {} {} ", end.0.div_euclid(MICROS), key.kid().as_str())
            }
        };
        text.extend_from_slice(words.as_bytes());
        text.extend_from_slice(Zeroizing::new(STANDARD.encode(&*key.pkcs8()?)).as_bytes());
        text.push(b'\n');
    }
    Ok(text)
}

//! One key: its bytes while it lives, what it may be used for, its check value, and its schedule.
//! It never shows the bytes, and refuses a key that is no protection.

use aws_lc_rs::rand;
use zeroize::Zeroizing;

use super::schedule::Schedule;
use super::strength::{refuse_weak, strength, with_odd_parity};
use super::well_known::is_well_known;
use super::{CheckMethod, Exportability, KeyCheckValue, KeyCipher, KeyMode, KeyUsage};
use crate::block_cipher::{Aes, TripleDes};
use crate::des_pair::DesPair;
use crate::mac::Machine;

/// Bytes of the longest key.
pub(crate) const MAX_KEY: usize = 32;

/// Up to [`MAX_KEY`] bytes of a key on its way in or out, wiped on drop. They cannot be printed.
#[derive(Clone)]
pub(crate) struct SecretBytes {
    bytes: Zeroizing<[u8; MAX_KEY]>,
    length: usize,
}

impl SecretBytes {
    /// A copy; `None` where there is no room.
    pub(crate) fn new(key: &[u8]) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; MAX_KEY]);
        bytes.get_mut(..key.len())?.copy_from_slice(key);
        Some(Self { bytes, length: key.len() })
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.length).unwrap_or_default()
    }
}

/// Why bytes are no key. Says nothing of them but their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// No key of this usage and cipher has so many bytes.
    #[error("a key of {bytes} bytes: {wanted}")]
    Length {
        /// How many there are.
        bytes: usize,
        /// What the usage takes.
        wanted: &'static str,
    },
    /// All zeros, or one of the DES keys that encrypt to themselves in turn.
    #[error("the key, or a DES key of it, is all zeros or one of the weak ones")]
    Weak,
    /// Triple DES with equal neighbours is no stronger than DES, and with the first key once more
    /// as the third no stronger than two keys.
    #[error("two DES keys of it are equal, and so it is weaker than its length")]
    EqualParts,
    /// X9.143 has no such pair.
    #[error("no key for {usage} ({}) has mode {mode}", usage.words())]
    Mode {
        /// What it is for.
        usage: KeyUsage,
        /// Which way round.
        mode: KeyMode,
    },
}

/// The system's random generator failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system's random generator failed: no key was made")]
pub struct NoRandomness;

/// A key. It cannot be copied, is wiped on drop, and cannot be printed:
///
/// ```compile_fail
/// fn print<T: std::fmt::Debug>() {}
/// print::<switch_security::Key>();
/// ```
pub struct Key {
    usage: KeyUsage,
    mode: KeyMode,
    cipher: KeyCipher,
    exportability: Exportability,
    bytes: SecretBytes,
    check_value: KeyCheckValue,
    schedule: Schedule,
}

impl Key {
    /// From its bytes, which the caller wipes, with the mode that is usual for its usage. The
    /// parity of DES keys is not looked at: peers differ in it, and the check value tells of a
    /// wrong digit.
    ///
    /// # Errors
    /// No key of this usage and cipher has this length, or it is a weak one.
    pub fn new(usage: KeyUsage, cipher: KeyCipher, key: &[u8]) -> Result<Self, InvalidKey> {
        Self::with_mode(usage, usage.usual_mode(), cipher, key)
    }

    /// The same with a mode.
    ///
    /// # Errors
    /// As [`Self::new`]; the mode does not go with the usage.
    pub fn with_mode(
        usage: KeyUsage,
        mode: KeyMode,
        cipher: KeyCipher,
        key: &[u8],
    ) -> Result<Self, InvalidKey> {
        if !usage.modes().contains(&mode) {
            return Err(InvalidKey::Mode { usage, mode });
        }
        let (lengths, wanted) = lengths(usage, cipher);
        let length = InvalidKey::Length { bytes: key.len(), wanted };
        if !lengths.contains(&key.len()) {
            return Err(length);
        }
        refuse_weak(cipher, key)?;
        let check_value = KeyCheckValue::of(cipher, CheckMethod::Cmac, key).ok_or(length)?;
        let schedule = Schedule::new(usage, cipher, key).ok_or(length)?;
        let bytes = SecretBytes::new(key).ok_or(length)?;
        let exportability = Exportability::Sensitive;
        Ok(Self { usage, mode, cipher, exportability, bytes, check_value, schedule })
    }

    /// A fresh key of so many bytes from the system's random generator, of odd parity where it is a
    /// DES key.
    ///
    /// # Errors
    /// No key of this usage and cipher has this length. Where the generator fails, that.
    pub fn generate(
        usage: KeyUsage,
        cipher: KeyCipher,
        length: usize,
    ) -> Result<Result<Self, InvalidKey>, NoRandomness> {
        let mut room = Zeroizing::new([0; MAX_KEY]);
        let wanted = lengths(usage, cipher).1;
        let Some(bytes) = room.get_mut(..length) else {
            return Ok(Err(InvalidKey::Length { bytes: length, wanted }));
        };
        loop {
            rand::fill(bytes).map_err(|_| NoRandomness)?;
            if cipher != KeyCipher::Aes {
                bytes.iter_mut().for_each(|byte| *byte = with_odd_parity(*byte));
            }
            // A weak one is drawn once in 2^50 times, and drawn again.
            match Self::new(usage, cipher, bytes) {
                Err(InvalidKey::Weak | InvalidKey::EqualParts) => {}
                made => return Ok(made),
            }
        }
    }

    /// The same key, which may go so far and no further.
    #[must_use]
    pub fn with_exportability(self, exportability: Exportability) -> Self {
        Self { exportability, ..self }
    }

    /// The same key used another way round, before anybody has it.
    ///
    /// # Errors
    /// The mode does not go with its usage.
    pub fn with_other_mode(self, mode: KeyMode) -> Result<Self, InvalidKey> {
        let usage = self.usage;
        if usage.modes().contains(&mode) {
            Ok(Self { mode, ..self })
        } else {
            Err(InvalidKey::Mode { usage, mode })
        }
    }

    /// How far it may go: in key blocks, unless it was said otherwise.
    #[must_use]
    pub const fn exportability(&self) -> Exportability {
        self.exportability
    }

    /// What it may be used for.
    #[must_use]
    pub const fn usage(&self) -> KeyUsage {
        self.usage
    }

    /// Which way round.
    #[must_use]
    pub const fn mode(&self) -> KeyMode {
        self.mode
    }

    /// Its cipher.
    #[must_use]
    pub const fn cipher(&self) -> KeyCipher {
        self.cipher
    }

    /// Its check value, which may be shown: of AES keys the one of X9.143.
    #[must_use]
    pub const fn check_value(&self) -> KeyCheckValue {
        self.check_value
    }

    /// Its check value by the way that a peer has.
    #[must_use]
    pub fn check_value_by(&self, method: CheckMethod) -> KeyCheckValue {
        KeyCheckValue::of(self.cipher, method, self.bytes()).unwrap_or(self.check_value)
    }

    /// Whether it is a key of examples and test hosts, which a production system must not have.
    #[must_use]
    pub fn is_well_known(&self) -> bool {
        is_well_known(self.cipher, self.bytes())
    }

    /// Bits that a search for it has to try at most.
    #[must_use]
    pub const fn strength(&self) -> usize {
        strength(self.cipher, self.bytes.length)
    }

    /// How many bytes it has.
    #[must_use]
    pub const fn length(&self) -> usize {
        self.bytes.length
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    /// As a code is made with it; `None` where its usage is another.
    pub(crate) fn machine(&self) -> Option<&Machine> {
        if let Schedule::Mac(machine) = &self.schedule { Some(machine) } else { None }
    }

    /// As two DES keys; `None` where it is of three, of AES, or of codes.
    pub(crate) fn pair(&self) -> Option<&DesPair> {
        match self.triple_des()? {
            TripleDes::Pair(pair) => Some(pair),
            TripleDes::Three(_) => None,
        }
    }

    /// As triple DES; `None` where it is of AES, or of codes.
    pub(crate) fn triple_des(&self) -> Option<&TripleDes> {
        if let Schedule::Tdes(tdes) = &self.schedule { Some(tdes) } else { None }
    }

    /// As AES; `None` where it is of DES, or of codes.
    pub(crate) fn aes(&self) -> Option<&Aes> {
        if let Schedule::Aes(aes) = &self.schedule { Some(aes) } else { None }
    }
}

/// The lengths of a key, and the same in words.
const fn lengths(usage: KeyUsage, cipher: KeyCipher) -> (&'static [usize], &'static str) {
    use KeyUsage::{B0, C0, D0, E0, E1, E2, E4, K0, K1, M1, M3, M6, P0, V1, V2};
    match (usage, cipher) {
        (M1, KeyCipher::Des) => (&[8], "M1 with DES takes 8"),
        (M3, KeyCipher::Tdes) => (&[16], "M3 takes 16, two DES keys"),
        (M3, _) => (&[], "M3 goes with triple DES (T) alone"),
        (C0 | V1 | V2 | E0 | E1 | E2 | E4, KeyCipher::Tdes) => {
            (&[16], "keys of cards and PINs verified here take 16, two DES keys")
        }
        (C0 | V1 | V2 | E0 | E1 | E2 | E4, _) => {
            (&[], "keys of cards and PINs verified here go with triple DES (T) alone")
        }
        (B0, KeyCipher::Tdes) => (&[16], "B0 with triple DES takes 16"),
        (K0 | K1 | P0 | M1 | M6 | D0, KeyCipher::Tdes) => (&[16, 24], "triple DES takes 16 or 24"),
        (K0 | K1 | P0 | M1 | M6 | D0 | B0, KeyCipher::Aes) => {
            (&[16, 24, 32], "AES takes 16, 24 or 32")
        }
        (_, KeyCipher::Des) => (&[], "one DES key is broken by search: M1 alone takes one"),
    }
}

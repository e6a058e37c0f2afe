//! The security module: what the rest of the switch may ask of cryptography. It owns the list of
//! commands; clear keys never cross it, and the only card numbers that do are those on their way to
//! a card's holder or a peer's message.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use metrics::counter;
use switch_domain::{BinRange, Fingerprint, Pan, Timestamp};

use crate::pan_store::Stamp;
use crate::{
    CheckValue, IssueError, KeyFileError, KeyHandle, KeyName, KeyRing, KeyState, Mac, MacAlgorithm,
    MacError, MacScheme, PanGenerator, PanKeyStore, PanKeys, PanVault, SealedPan, VaultError, mac,
};

/// Commands to a security module. Each stands alone and names all that it needs, as a hardware
/// module's host commands do. Callers hold an `Arc<dyn SecurityModule>`.
pub trait SecurityModule: Send + Sync {
    /// What finds the card of this number. On the path of every message: it never waits.
    fn fingerprint(&self, pan: &Pan) -> Fingerprint;

    /// Encrypts a card number for the row that `place` names (table, column, row).
    ///
    /// # Errors
    /// The random generator or the cipher failed.
    fn seal(&self, pan: &Pan, place: &[u8]) -> Result<SealedPan, VaultError>;

    /// Decrypts what was sealed for the same fingerprint and place.
    ///
    /// # Errors
    /// Another key, or anything that is not exactly what was sealed.
    fn open(
        &self,
        sealed: &SealedPan,
        fingerprint: &Fingerprint,
        place: &[u8],
    ) -> Result<Pan, VaultError>;

    /// A new card number of a BIN range.
    ///
    /// # Errors
    /// The range is not one; the random generator failed.
    fn generate_pan(&self, range: &BinRange) -> Result<Pan, IssueError>;

    /// Identifies the keys that are loaded, without revealing them.
    fn check_value(&self) -> &CheckValue;

    /// The handle of the MAC key of this name. Asked for once, when a link starts.
    ///
    /// # Errors
    /// There is no such key, or it is for another algorithm.
    fn find_mac_key(&self, name: &KeyName, algorithm: MacAlgorithm) -> Result<KeyHandle, MacError>;

    /// The code over a message. On the path of every message of a link that has one.
    ///
    /// # Errors
    /// The key is not there, or is for another algorithm.
    fn generate_mac(
        &self,
        key: KeyHandle,
        scheme: MacScheme,
        message: &[u8],
    ) -> Result<Mac, MacError>;

    /// Compares the code over a message with one that came, shortened or not, in constant time.
    ///
    /// # Errors
    /// [`MacError::Incorrect`] where it is another, or shorter than [`crate::MIN_MAC`]; any other
    /// error means that nobody knows.
    fn verify_mac(
        &self,
        key: KeyHandle,
        scheme: MacScheme,
        message: &[u8],
        claimed: &[u8],
    ) -> Result<(), MacError>;
}

/// The module that works in this process's memory, with keys from files.
pub struct SoftwareModule {
    vault: PanVault,
    /// Where the keys of the vault come from, and how the file was when they were read last.
    pan_keys: Option<(PanKeyStore, Mutex<Option<Stamp>>)>,
    generator: PanGenerator,
    /// Replaced whole: who works with one copy goes on with it.
    keys: RwLock<Arc<KeyRing>>,
}

impl SoftwareModule {
    /// With these keys.
    ///
    /// # Errors
    /// The cipher refuses the key.
    pub fn new(keys: &PanKeys) -> Result<Self, KeyFileError> {
        let vault = PanVault::new(keys)?;
        let generator = PanGenerator;
        Ok(Self { vault, pan_keys: None, generator, keys: RwLock::default() })
    }

    /// And with those of the vault looked for again in this file when it was changed: a key that
    /// another process made active is used from the next number on.
    #[must_use]
    pub fn with_pan_key_file(self, file: PanKeyStore) -> Self {
        Self { pan_keys: Some((file, Mutex::default())), ..self }
    }

    /// Reads the keys of the vault again if their file was changed. On the way of a number into or
    /// out of the vault, never on that of a message. What goes wrong is told, and those that are
    /// here go on: nothing is written under a key that was retired, for the store refuses it.
    fn look_for_pan_keys(&self) {
        let Some((file, seen)) = &self.pan_keys else { return };
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = match file.stamp() {
            Ok(now) if *seen == Some(now) => return,
            Ok(now) => now,
            Err(error) => {
                tracing::warn!(%error, "the file of card-number keys cannot be looked at");
                return;
            }
        };
        let read = file.load().map_err(|error| error.to_string());
        let taken = read.and_then(|keys| {
            self.vault.replace_data_keys(&keys).map_err(|error| error.to_string())?;
            Ok(keys.id())
        });
        match taken {
            Ok(active) => {
                *seen = Some(now);
                tracing::info!(target: "audit", act = "read_pan_keys", %active);
            }
            Err(error) => tracing::warn!(%error, "the card-number keys cannot be read again"),
        }
    }

    /// And with these for everything else, in the place of those it had.
    #[must_use]
    pub fn with_keys(self, keys: KeyRing) -> Self {
        Self { keys: RwLock::new(Arc::new(keys)), ..self }
    }

    /// From now on these keys: those before with some more behind them, for handles stay.
    pub fn replace_keys(&self, keys: KeyRing) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    pub(crate) fn keys(&self) -> Arc<KeyRing> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What came was made with a version that is not the active one. An old one is counted: who
    /// uses it has not changed yet. A pending one is active from now on: its other holder has
    /// changed, and must understand what we make.
    fn note_use(&self, key: KeyHandle, version: u32) {
        let ring = self.keys();
        let Ok((name, state)) =
            ring.name(key).and_then(|name| Ok((name, ring.state(key, version)?)))
        else {
            return;
        };
        if state == KeyState::Active {
            return;
        }
        let labels = [("key", name.to_string()), ("state", state.name().to_owned())];
        counter!("cardswitch_key_uses_not_active_total", &labels).increment(1);
        if state == KeyState::Pending {
            let mut changed = KeyRing::clone(&ring);
            let until = Timestamp(now().0.saturating_add(OVERLAP_MICROS));
            if changed.activate(name, version, until).is_ok() {
                tracing::info!(target: "audit", act = "activate_key_by_use", %name, version);
                self.replace_keys(changed);
            }
        }
    }
}

/// How long a version is still taken when another was made active by its use.
const OVERLAP_MICROS: i64 = 3_600_000_000;

/// The clock of the old versions of keys.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

impl SecurityModule for SoftwareModule {
    fn fingerprint(&self, pan: &Pan) -> Fingerprint {
        self.vault.fingerprint(pan)
    }

    fn seal(&self, pan: &Pan, place: &[u8]) -> Result<SealedPan, VaultError> {
        self.look_for_pan_keys();
        self.vault.seal(pan, place)
    }

    fn open(
        &self,
        sealed: &SealedPan,
        fingerprint: &Fingerprint,
        place: &[u8],
    ) -> Result<Pan, VaultError> {
        if !self.vault.has(sealed.key_id) {
            self.look_for_pan_keys();
        }
        self.vault.open(sealed, fingerprint, place)
    }

    fn generate_pan(&self, range: &BinRange) -> Result<Pan, IssueError> {
        self.generator.generate(range)
    }

    fn check_value(&self) -> &CheckValue {
        self.vault.check_value()
    }

    fn find_mac_key(&self, name: &KeyName, algorithm: MacAlgorithm) -> Result<KeyHandle, MacError> {
        Ok(self.keys().find(name, algorithm.usage())?)
    }

    fn generate_mac(
        &self,
        key: KeyHandle,
        scheme: MacScheme,
        message: &[u8],
    ) -> Result<Mac, MacError> {
        mac::generate(&self.keys(), key, scheme, message)
    }

    fn verify_mac(
        &self,
        key: KeyHandle,
        scheme: MacScheme,
        message: &[u8],
        claimed: &[u8],
    ) -> Result<(), MacError> {
        let (version, is_active) = mac::verify(&self.keys(), key, scheme, message, claimed, now)?;
        if !is_active {
            self.note_use(key, version);
        }
        Ok(())
    }
}

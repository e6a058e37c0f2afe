//! Card cryptography and keys. It owns the PAN vault (encryption at rest, fingerprints), message
//! authentication codes, the keys of both, the making of new card numbers, and the one exit by
//! which a card number may leave as text. It never stores, sends or logs anything: callers get
//! sealed values, fingerprints and codes.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod authority_key;
mod block_cipher;
mod card_security;
mod card_value;
mod decimal;
mod des_pair;
mod emv;
pub mod exit;
mod issue;
mod key;
mod key_block;
mod key_file;
mod key_store;
mod keys;
mod lmk;
mod mac;
mod masked;
mod module;
mod pan_store;
mod password_file;
mod perso;
mod pin;
mod private_file;
mod private_lock;
mod sealed;
mod secret_file;
mod software;
mod vault;
#[cfg(test)]
#[path = "../tests/vectors/mod.rs"]
mod vectors;

pub use authority_key::{AuthorityKey, AuthorityKeyError};
pub use card_security::{
    CardSecurity, CardValue, CardValueKind, ChipData, ChosenPin, Cvc3Track, DataElement,
    DecimalisationTable, Decision, Decisions, EncryptPin, EncryptedPin, EncryptedPinBlock,
    GenerateCardValue, GeneratePinReference, Ibm3624, IssuerAuthentication, PanPart,
    PinBlockFormat, PinMethod, ProfileName, ProtectScript, Reply, Script, ScriptCommand,
    ScriptKeys, SecurityError, TranslatePin, Verified, VerifyCardValue, VerifyCryptogram,
    VerifyPin,
};
pub use emv::{
    AnswerForm, AnswerKey, AnswerMethod, CardKeyOption, CardScheme, CryptogramProfile, Element,
    IadLayout, IadPart, NewPinBlock, NextCommand, PinEncryption, Report, ScriptMethod,
    ScriptSession, SessionMethod,
};
pub use exit::{NotATestPan, reveal_test_pan};
pub use issue::{IssueError, PanGenerator};
pub use key::{
    CheckMethod, ComponentError, Exportability, Function, InvalidKey, Key, KeyCheckValue,
    KeyCipher, KeyError, KeyHandle, KeyMode, KeyName, KeyRing, KeyRingError, KeyState, KeyUsage,
    KeyVersion, NamedKey, NoRandomness, combine,
};
pub use key_block::{
    BlockVersion, ImportPolicy, KeyBlockError, KeyBlockHeader, KeyCryptogram, OptionalBlock,
    export_block, export_cryptogram, import_cryptogram, unwrap as unwrap_key_block,
};
pub use key_file::KeyFileError;
pub use key_store::{KeyStore, KeyStoreError, ListedKey, list as list_keys};
pub use keys::{CheckValue, PanKeyInfo, PanKeys};
pub use lmk::{Component, LmkError, LocalMasterKey, LocalMasterKeys};
pub use mac::{
    MIN_MAC, Mac, MacAlgorithm, MacError, MacKeyFileError, MacKeys, MacPadding, MacScheme,
};
pub use masked::MaskedPan;
pub use module::{SecurityModule, SoftwareModule};
pub use pan_store::{PanKeyForm, PanKeyStore, PanStoreError};
pub use password_file::{PasswordFileError, read_password};
pub use perso::{
    BureauExchange, Delivery, DeliveryWay, MOST_PERSO_RECORDS, PersoError, PersoFault, PersoFile,
    PersoPin, PersoRecord, PersoRun, PersoText,
};
pub use sealed::{InvalidKeyId, KeyId, SealedPan};
pub use secret_file::{SecretFile, SecretFileError};
// Of commands, as the rest of the switch has them.
pub use switch_domain::{ExpiryOrder, PinReference, ServiceCode};
pub use vault::{PanVault, VaultError};

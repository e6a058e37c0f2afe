//! What a key may be asked to do: the table of functions and usages. It owns that one key has one
//! use, and which way round its mode lets it be used; the ring asks it before a key is given to any
//! algorithm.

use std::fmt;

use super::{KeyMode, KeyUsage};
use crate::mac::MacAlgorithm;

/// What is done with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// Encrypt another key into a bare cryptogram.
    EncryptKey,
    /// Decrypt another key that came as a bare cryptogram.
    DecryptKey,
    /// Make a key block.
    WrapKeyBlock,
    /// Open a key block.
    UnwrapKeyBlock,
    /// Encrypt a PIN block.
    EncryptPin,
    /// Decrypt a PIN block, to verify the PIN or to translate it.
    DecryptPin,
    /// Make an authentication code.
    GenerateMac(MacAlgorithm),
    /// Verify one.
    VerifyMac(MacAlgorithm),
    /// Make a CVV, CVV2 or iCVV.
    GenerateCardValue,
    /// Verify one.
    VerifyCardValue,
    /// Make an IBM 3624 offset.
    GenerateOffset,
    /// Verify a PIN by one.
    VerifyOffset,
    /// Make a PVV.
    GeneratePvv,
    /// Verify a PIN by one.
    VerifyPvv,
    /// Derive a card's key for application cryptograms: verify an ARQC, make an ARPC.
    DeriveCryptogramKey,
    /// Derive a card's key for the confidential data of scripts.
    DeriveScriptCipherKey,
    /// Derive a card's key for the codes of scripts.
    DeriveScriptMacKey,
    /// Derive a card's key for dCVV or CVC3.
    DeriveDynamicNumberKey,
    /// Encrypt data.
    EncryptData,
    /// Decrypt data.
    DecryptData,
    /// Derive a terminal's key (DUKPT).
    DeriveTerminalKey,
}

/// Which way round a function uses its key.
enum Way {
    Forward,
    Back,
    Make,
    Check,
    Derive,
}

impl Function {
    /// Every function.
    pub const ALL: [Self; 25] = [
        Self::EncryptKey,
        Self::DecryptKey,
        Self::WrapKeyBlock,
        Self::UnwrapKeyBlock,
        Self::EncryptPin,
        Self::DecryptPin,
        Self::GenerateMac(MacAlgorithm::CbcMac),
        Self::VerifyMac(MacAlgorithm::CbcMac),
        Self::GenerateMac(MacAlgorithm::RetailMac),
        Self::VerifyMac(MacAlgorithm::RetailMac),
        Self::GenerateMac(MacAlgorithm::Cmac),
        Self::VerifyMac(MacAlgorithm::Cmac),
        Self::GenerateCardValue,
        Self::VerifyCardValue,
        Self::GenerateOffset,
        Self::VerifyOffset,
        Self::GeneratePvv,
        Self::VerifyPvv,
        Self::DeriveCryptogramKey,
        Self::DeriveScriptCipherKey,
        Self::DeriveScriptMacKey,
        Self::DeriveDynamicNumberKey,
        Self::EncryptData,
        Self::DecryptData,
        Self::DeriveTerminalKey,
    ];

    /// The one usage whose keys do this.
    #[must_use]
    pub const fn usage(self) -> KeyUsage {
        match self {
            Self::EncryptKey | Self::DecryptKey => KeyUsage::K0,
            Self::WrapKeyBlock | Self::UnwrapKeyBlock => KeyUsage::K1,
            Self::EncryptPin | Self::DecryptPin => KeyUsage::P0,
            Self::GenerateMac(algorithm) | Self::VerifyMac(algorithm) => algorithm.usage(),
            Self::GenerateCardValue | Self::VerifyCardValue => KeyUsage::C0,
            Self::GenerateOffset | Self::VerifyOffset => KeyUsage::V1,
            Self::GeneratePvv | Self::VerifyPvv => KeyUsage::V2,
            Self::DeriveCryptogramKey => KeyUsage::E0,
            Self::DeriveScriptCipherKey => KeyUsage::E1,
            Self::DeriveScriptMacKey => KeyUsage::E2,
            Self::DeriveDynamicNumberKey => KeyUsage::E4,
            Self::EncryptData | Self::DecryptData => KeyUsage::D0,
            Self::DeriveTerminalKey => KeyUsage::B0,
        }
    }

    /// Whether a key of this usage and mode may be asked for it.
    #[must_use]
    pub fn permits(self, usage: KeyUsage, mode: KeyMode) -> bool {
        let way = match self.way() {
            Way::Forward => matches!(mode, KeyMode::Both | KeyMode::Encrypt),
            Way::Back => matches!(mode, KeyMode::Both | KeyMode::Decrypt),
            Way::Make => matches!(mode, KeyMode::Calculate | KeyMode::Generate),
            Way::Check => matches!(mode, KeyMode::Calculate | KeyMode::Verify),
            Way::Derive => mode == KeyMode::Derive,
        };
        usage == self.usage() && (way || mode == KeyMode::Any)
    }

    /// Whether it takes what was made before: then an old key will do, where one is still taken.
    #[must_use]
    pub const fn looks_back(self) -> bool {
        matches!(self.way(), Way::Back | Way::Check | Way::Derive)
    }

    const fn way(self) -> Way {
        match self {
            Self::EncryptKey | Self::WrapKeyBlock | Self::EncryptPin | Self::EncryptData => {
                Way::Forward
            }
            Self::DecryptKey | Self::UnwrapKeyBlock | Self::DecryptPin | Self::DecryptData => {
                Way::Back
            }
            Self::GenerateMac(_)
            | Self::GenerateCardValue
            | Self::GenerateOffset
            | Self::GeneratePvv => Way::Make,
            Self::VerifyMac(_) | Self::VerifyCardValue | Self::VerifyOffset | Self::VerifyPvv => {
                Way::Check
            }
            Self::DeriveCryptogramKey
            | Self::DeriveScriptCipherKey
            | Self::DeriveScriptMacKey
            | Self::DeriveDynamicNumberKey
            | Self::DeriveTerminalKey => Way::Derive,
        }
    }

    /// In a few words, for errors and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EncryptKey => "encrypt_key",
            Self::DecryptKey => "decrypt_key",
            Self::WrapKeyBlock => "wrap_key_block",
            Self::UnwrapKeyBlock => "unwrap_key_block",
            Self::EncryptPin => "encrypt_pin",
            Self::DecryptPin => "decrypt_pin",
            Self::GenerateMac(_) => "generate_mac",
            Self::VerifyMac(_) => "verify_mac",
            Self::GenerateCardValue => "generate_card_value",
            Self::VerifyCardValue => "verify_card_value",
            Self::GenerateOffset => "generate_offset",
            Self::VerifyOffset => "verify_offset",
            Self::GeneratePvv => "generate_pvv",
            Self::VerifyPvv => "verify_pvv",
            Self::DeriveCryptogramKey => "derive_cryptogram_key",
            Self::DeriveScriptCipherKey => "derive_script_cipher_key",
            Self::DeriveScriptMacKey => "derive_script_mac_key",
            Self::DeriveDynamicNumberKey => "derive_dynamic_number_key",
            Self::EncryptData => "encrypt_data",
            Self::DecryptData => "decrypt_data",
            Self::DeriveTerminalKey => "derive_terminal_key",
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::GenerateMac(algorithm) | Self::VerifyMac(algorithm) => {
                write!(f, " ({})", algorithm.usage())
            }
            _ => Ok(()),
        }
    }
}

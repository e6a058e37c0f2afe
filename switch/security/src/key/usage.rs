//! What a key is for, and which way round. It owns the codes of ANSI X9.143 key blocks and which of
//! them go together; what a key is asked to do stands in `permission`.

use std::fmt;

/// What a key is for; one key, one use. Each is named by its usage in X9.143 key blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyUsage {
    /// Encrypts keys: a zone master key, of keys that come as bare cryptograms.
    K0,
    /// Protects key blocks: a local master key, or a zone master key of keys that come as blocks.
    K1,
    /// Encrypts PINs: a zone PIN key.
    P0,
    /// ISO/IEC 9797-1 algorithm 1, CBC-MAC.
    M1,
    /// ISO/IEC 9797-1 algorithm 3, retail MAC.
    M3,
    /// CMAC.
    M6,
    /// Card verification values: CVV, CVV2, iCVV.
    C0,
    /// PIN verification by IBM 3624 offset.
    V1,
    /// PIN verification by Visa PVV.
    V2,
    /// Issuer master key of application cryptograms.
    E0,
    /// Issuer master key of the confidentiality of scripts.
    E1,
    /// Issuer master key of the integrity of scripts.
    E2,
    /// Issuer master key of dynamic numbers: dCVV, CVC3.
    E4,
    /// Encrypts data.
    D0,
    /// Base derivation key of DUKPT.
    B0,
}

impl KeyUsage {
    /// Every usage.
    pub const ALL: [Self; 15] = [
        Self::K0,
        Self::K1,
        Self::P0,
        Self::M1,
        Self::M3,
        Self::M6,
        Self::C0,
        Self::V1,
        Self::V2,
        Self::E0,
        Self::E1,
        Self::E2,
        Self::E4,
        Self::D0,
        Self::B0,
    ];

    /// The code of X9.143.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::K0 => "K0",
            Self::K1 => "K1",
            Self::P0 => "P0",
            Self::M1 => "M1",
            Self::M3 => "M3",
            Self::M6 => "M6",
            Self::C0 => "C0",
            Self::V1 => "V1",
            Self::V2 => "V2",
            Self::E0 => "E0",
            Self::E1 => "E1",
            Self::E2 => "E2",
            Self::E4 => "E4",
            Self::D0 => "D0",
            Self::B0 => "B0",
        }
    }

    /// From the code of X9.143.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|usage| usage.code() == code)
    }

    /// In a few words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::K0 => "key encryption",
            Self::K1 => "protection of key blocks",
            Self::P0 => "PIN encryption",
            Self::M1 => "ISO 9797-1 algorithm 1",
            Self::M3 => "ISO 9797-1 algorithm 3",
            Self::M6 => "CMAC",
            Self::C0 => "card verification values",
            Self::V1 => "IBM 3624 PIN verification",
            Self::V2 => "PVV PIN verification",
            Self::E0 => "EMV application cryptograms",
            Self::E1 => "EMV script confidentiality",
            Self::E2 => "EMV script integrity",
            Self::E4 => "EMV dynamic numbers",
            Self::D0 => "data encryption",
            Self::B0 => "DUKPT base derivation",
        }
    }

    /// The modes that X9.143 allows with it; the first restricts least without allowing all.
    #[must_use]
    pub const fn modes(self) -> &'static [KeyMode] {
        match self {
            Self::K0 | Self::K1 | Self::P0 | Self::D0 => {
                &[KeyMode::Both, KeyMode::Encrypt, KeyMode::Decrypt, KeyMode::Any]
            }
            Self::M1 | Self::M3 | Self::M6 | Self::C0 | Self::V1 | Self::V2 => {
                &[KeyMode::Calculate, KeyMode::Generate, KeyMode::Verify, KeyMode::Any]
            }
            Self::E0 | Self::E1 | Self::E2 | Self::E4 | Self::B0 => {
                &[KeyMode::Derive, KeyMode::Any]
            }
        }
    }

    /// The mode of a key of which nothing else was said.
    #[must_use]
    pub const fn usual_mode(self) -> KeyMode {
        match self {
            Self::K0 | Self::K1 | Self::P0 | Self::D0 => KeyMode::Both,
            Self::M1 | Self::M3 | Self::M6 | Self::C0 | Self::V1 | Self::V2 => KeyMode::Calculate,
            Self::E0 | Self::E1 | Self::E2 | Self::E4 | Self::B0 => KeyMode::Derive,
        }
    }
}

impl fmt::Display for KeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Which way round a key may be used, with the letters of X9.143.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyMode {
    /// `B`: encrypts and decrypts, wraps and unwraps.
    Both,
    /// `C`: generates and verifies.
    Calculate,
    /// `D`: decrypts or unwraps alone.
    Decrypt,
    /// `E`: encrypts or wraps alone.
    Encrypt,
    /// `G`: generates alone.
    Generate,
    /// `N`: whatever its usage allows.
    Any,
    /// `V`: verifies alone.
    Verify,
    /// `X`: derives other keys.
    Derive,
}

impl KeyMode {
    /// Every mode.
    pub const ALL: [Self; 8] = [
        Self::Both,
        Self::Calculate,
        Self::Decrypt,
        Self::Encrypt,
        Self::Generate,
        Self::Any,
        Self::Verify,
        Self::Derive,
    ];

    /// The letter of X9.143.
    #[must_use]
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Both => "B",
            Self::Calculate => "C",
            Self::Decrypt => "D",
            Self::Encrypt => "E",
            Self::Generate => "G",
            Self::Any => "N",
            Self::Verify => "V",
            Self::Derive => "X",
        }
    }

    /// From the letter of X9.143.
    #[must_use]
    pub fn from_letter(letter: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.letter() == letter)
    }
}

impl fmt::Display for KeyMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.letter())
    }
}

//! The two characters with which a unit says how a command went. It owns what follows from each;
//! what is not known here is taken as the unit's own fault, never as a yes.

use std::fmt;

/// An error code. Its characters say nothing of cards or keys and may be logged.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErrorCode([u8; 2]);

/// What follows from an error code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Done.
    Good,
    /// Checked, and not what it should be. A PIN block that cannot be read is no different (C-25).
    Incorrect,
    /// The unit does not take a key of the command for what it is to do.
    Key,
    /// The unit does not take another field of the command.
    Input,
    /// The unit cannot do it now: another one may.
    Unit,
}

impl ErrorCode {
    /// No error.
    pub const NONE: Self = Self(*b"00");
    /// Not verified; of an import, that the parity was set right.
    pub const NOT_VERIFIED: Self = Self(*b"01");
    /// A key of another length than the algorithm's own, which was used all the same.
    pub const KEY_LENGTH: Self = Self(*b"02");

    /// The unit is not authorized to do it: its security officer has not allowed it, or no longer.
    pub const NOT_AUTHORIZED: Self = Self(*b"17");
    /// The command is disabled in the unit.
    pub const DISABLED: Self = Self(*b"68");

    /// From the wire: two digits or capital letters.
    #[must_use]
    pub fn read(bytes: [u8; 2]) -> Option<Self> {
        let known = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
        bytes.iter().all(known).then_some(Self(bytes))
    }

    /// What follows from it.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match &self.0 {
            b"00" => Verdict::Good,
            // 20: the PIN block holds no PIN; 24: its PIN has a wrong length.
            b"01" | b"20" | b"24" => Verdict::Incorrect,
            // Parity, length, scheme, type, usage and block of a key.
            b"02" | b"04" | b"05" | b"10" | b"11" | b"25" | b"26" | b"27" | b"28" | b"29" => {
                Verdict::Key
            }
            // Format and length of data, account number, format of a PIN block.
            b"15" | b"22" | b"23" | b"80" | b"81" | b"82" => Verdict::Input,
            // 12, 13: no keys; 17: not authorized; 4x, 5x: hardware; 68: disabled; and the rest.
            _ => Verdict::Unit,
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{}", char::from(*byte)))
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ErrorCode({self})")
    }
}

#[test]
fn only_00_is_a_yes() {
    let letters: Vec<u8> = (b'0'..=b'9').chain(b'A'..=b'Z').collect();
    let good: Vec<_> = letters
        .iter()
        .flat_map(|first| letters.iter().map(|second| [*first, *second]))
        .filter(|code| ErrorCode::read(*code).unwrap().verdict() == Verdict::Good)
        .collect();
    assert_eq!(good, [*b"00"]);
    for (code, verdict) in [
        (b"01", Verdict::Incorrect),
        (b"15", Verdict::Input),
        (b"68", Verdict::Unit),
        (b"13", Verdict::Unit),
        (b"27", Verdict::Key),
        (b"20", Verdict::Incorrect),
    ] {
        assert_eq!(ErrorCode::read(*code).unwrap().verdict(), verdict);
    }
    for wrong in [*b"0a", *b"0 ", [0, 0], *b"-1"] {
        assert_eq!(ErrorCode::read(wrong), None);
    }
}

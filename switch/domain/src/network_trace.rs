//! The identifier by which a card network links the messages of one transaction. It owns what
//! counts as one, and how long it may be; where a message carries it is the dialect's affair. It is
//! no card number and no secret: it may be stored and shown.

use crate::{AsciiText, NotAsciiText};

/// Characters of the longest: all large networks have fifteen.
const LONGEST: usize = 15;

/// What a network put on a message so that others can speak of its transaction; or nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct NetworkTrace(AsciiText<LONGEST>);

impl NetworkTrace {
    /// None: two messages without one have nothing in common.
    pub const NONE: Self = Self(AsciiText::EMPTY);

    /// How many characters there is room for.
    pub const LONGEST: usize = LONGEST;

    /// From characters as they came. Zeros and spaces alone are how a network says that there is
    /// none.
    ///
    /// # Errors
    /// More than fit, or not printable ASCII.
    pub fn new(text: &[u8]) -> Result<Self, NotAsciiText> {
        let trace = AsciiText::new(text)?;
        let says_nothing = trace.as_bytes().iter().all(|byte| matches!(byte, b'0' | b' '));
        Ok(if says_nothing { Self::NONE } else { Self(trace) })
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// The characters; none where there is none.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The same, as they are sent and stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::fmt::Debug for NetworkTrace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_and_spaces_say_that_there_is_none() {
        for text in ["", "   ", "000000000000000", "0 0", "0"] {
            assert_eq!(NetworkTrace::new(text.as_bytes()), Ok(NetworkTrace::NONE), "{text:?}");
        }
        let one = NetworkTrace::new(b"300000000000042").expect("fifteen digits");
        assert!(!one.is_none());
        assert_eq!(one.as_str(), "300000000000042");
        assert_eq!(NetworkTrace::new(b"MCC0042A1127  ").map(|one| one.as_str().len()), Ok(12));
        assert!(NetworkTrace::new(b"3000000000000421").is_err());
        assert!(NetworkTrace::new(&[0; 15]).is_err());
    }

    /// It is in every record and every remembered authorization.
    #[test]
    fn it_takes_sixteen_bytes() {
        assert_eq!(size_of::<NetworkTrace>(), 16);
    }
}

//! Short printable text of a fixed capacity, as message fields carry it. It owns the limit and the
//! alphabet; it never allocates, so keys made of it are plain values.

/// Up to `N` printable ASCII characters, held in place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AsciiText<const N: usize> {
    length: u8,
    bytes: [u8; N],
}

/// Why bytes are not such a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAsciiText {
    /// More characters than fit.
    #[error("{found} characters, where {limit} fit")]
    TooLong {
        /// How many came.
        found: usize,
        /// How many fit.
        limit: usize,
    },
    /// Something unprintable or outside ASCII.
    #[error("position {0} does not hold a printable ASCII character")]
    NotPrintable(usize),
}

impl<const N: usize> AsciiText<N> {
    /// No characters.
    pub const EMPTY: Self = Self { length: 0, bytes: [0; N] };

    /// From bytes; spaces at the end, which pad fixed fields, are dropped.
    ///
    /// # Errors
    /// Too long, or not printable ASCII.
    pub fn new(text: &[u8]) -> Result<Self, NotAsciiText> {
        let text = text.trim_ascii_end();
        if text.len() > N {
            return Err(NotAsciiText::TooLong { found: text.len(), limit: N });
        }
        if let Some(at) = text.iter().position(|byte| !matches!(byte, b' '..=b'~')) {
            return Err(NotAsciiText::NotPrintable(at));
        }
        let mut bytes = [0; N];
        for (slot, byte) in bytes.iter_mut().zip(text) {
            *slot = *byte;
        }
        Ok(Self { length: u8::try_from(text.len()).unwrap_or(u8::MAX), bytes })
    }

    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.length)).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// The characters, as they are sent and stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// True without characters.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }
}

impl<const N: usize> Default for AsciiText<N> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<const N: usize> std::fmt::Debug for AsciiText<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl<const N: usize> std::fmt::Display for AsciiText<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_dropped_and_limits_hold() {
        assert_eq!(AsciiText::<8>::new(b"TERM1   ").map(|t| t.to_string()), Ok("TERM1".into()));
        assert_eq!(
            AsciiText::<4>::new(b"TERM1"),
            Err(NotAsciiText::TooLong { found: 5, limit: 4 })
        );
        assert_eq!(AsciiText::<4>::new(b"T\x01"), Err(NotAsciiText::NotPrintable(1)));
    }
}

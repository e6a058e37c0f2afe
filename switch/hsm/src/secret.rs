//! Bytes that are wiped when they go: commands and answers hold card numbers, PIN blocks and card
//! values. It owns that no copy is left behind when they grow; it never shows them.

use zeroize::Zeroize;

/// A buffer that is wiped on drop and whenever it moves to a larger place.
pub(crate) struct Secret(Vec<u8>);

impl Secret {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.0
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        let wanted = self.0.len().saturating_add(bytes.len());
        if wanted > self.0.capacity() {
            let mut larger = Vec::with_capacity(wanted.saturating_mul(2));
            larger.extend_from_slice(&self.0);
            self.0.zeroize(); // the old place is wiped before it is given back
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[test]
fn it_keeps_what_it_was_given_when_it_grows() {
    let mut secret = Secret::with_capacity(2);
    for byte in 0..100u8 {
        secret.extend(&[byte, byte]);
    }
    assert_eq!(secret.len(), 200);
    let expected: Vec<u8> = (0..100u8).flat_map(|byte| [byte, byte]).collect();
    assert_eq!(secret.as_slice(), expected);
}

//! One component of the local master key: what one person holds. It owns the form of its file;
//! alone it says nothing of the key.

use std::path::Path;

use aws_lc_rs::rand;
use zeroize::Zeroizing;

use super::{LMK_BYTES, LmkError};
use crate::key::{CheckMethod, KeyCheckValue, KeyCipher};
use crate::{NoRandomness, private_file};

/// A component's file has one line and perhaps a few of comment.
const MAX_BYTES: u64 = 4096;

/// A component. Wiped on drop; it cannot be printed:
///
/// ```compile_fail
/// fn print<T: std::fmt::Debug>() {}
/// print::<switch_security::Component>();
/// ```
pub struct Component {
    bytes: Zeroizing<[u8; LMK_BYTES]>,
    check_value: KeyCheckValue,
}

impl Component {
    /// A fresh one from the system's random generator.
    ///
    /// # Errors
    /// The generator failed.
    pub fn generate() -> Result<Self, NoRandomness> {
        let mut bytes = Zeroizing::new([0; LMK_BYTES]);
        rand::fill(&mut *bytes).map_err(|_| NoRandomness)?;
        let check_value = KeyCheckValue::of(KeyCipher::Aes, CheckMethod::Cmac, &*bytes);
        Ok(Self { bytes, check_value: check_value.ok_or(NoRandomness)? })
    }

    /// From its file.
    ///
    /// # Errors
    /// The file cannot be read, is open to others, has another form, or another check value.
    pub fn load(path: &Path) -> Result<Self, LmkError> {
        let text = private_file::read(path, MAX_BYTES);
        let text = text.map_err(|refused| LmkError::refused(path, refused))?;
        let form = || LmkError::Form(path.to_owned());
        let lines = text.lines().map(str::trim);
        let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut words = lines.next().ok_or_else(form)?.split_whitespace();
        let (digits, check) = (words.next().ok_or_else(form)?, words.next().ok_or_else(form)?);
        if words.next().is_some() || lines.next().is_some() {
            return Err(form());
        }
        let mut bytes = Zeroizing::new([0; LMK_BYTES]);
        hex::decode_to_slice(digits, &mut *bytes).map_err(|_| form())?;
        let claimed = KeyCheckValue::parse(check).ok_or_else(form)?;
        let found = KeyCheckValue::of(KeyCipher::Aes, CheckMethod::Cmac, &*bytes);
        let found = found.ok_or_else(form)?;
        if found != claimed {
            return Err(LmkError::CheckValue { path: path.to_owned(), found });
        }
        Ok(Self { bytes, check_value: found })
    }

    /// Writes it to a new file that its owner alone can read.
    ///
    /// # Errors
    /// There is such a file, or it cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), LmkError> {
        // Of its final size at once: a buffer that grows leaves copies behind.
        let mut text = Zeroizing::new(Vec::with_capacity(512));
        text.extend(
            b"# A component of a local master key. Alone it is of no use; lost, nothing of\n",
        );
        text.extend(b"# what lies under the key can be read. The last word is its check value.\n");
        let mut digits = Zeroizing::new([0; LMK_BYTES * 2]);
        // Cannot fail: the room is exactly twice the component.
        let encoded = hex::encode_to_slice(*self.bytes, &mut *digits);
        debug_assert!(encoded.is_ok());
        text.extend(&*digits);
        text.extend(format!(" {}\n", self.check_value).as_bytes());
        private_file::create(path, &text)
            .map_err(|source| LmkError::Unwritable { path: path.to_owned(), source })
    }

    /// What tells it from others, and may be shown.
    #[must_use]
    pub const fn check_value(&self) -> KeyCheckValue {
        self.check_value
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &*self.bytes
    }
}

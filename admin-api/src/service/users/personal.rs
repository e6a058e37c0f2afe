//! Personal data as a type of its own. It owns that none can be printed or logged by accident: it
//! has no `Display` and no `Serialize`, and its `Debug` says nothing. Who must show it asks by
//! name.

use zeroize::Zeroizing;

/// A text about a person: wiped when dropped.
///
/// ```compile_fail
/// let name: admin_api::Personal = unreachable!();
/// println!("{name}");
/// ```
///
/// ```compile_fail
/// fn serialized<T: serde::Serialize>() {}
/// serialized::<admin_api::Personal>();
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Personal(Zeroizing<String>);

impl Personal {
    /// Takes a text over.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for the answer to who may see it and for the database.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Personal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(personal)")
    }
}

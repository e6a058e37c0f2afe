//! Something that can be done with what a page shows: a way to the page that asks for it.

/// An act. What destroys something, or restricts somebody, looks so.
pub(crate) struct Act {
    pub(crate) label: &'static str,
    pub(crate) to: String,
    pub(crate) harsh: bool,
}

impl Act {
    pub(crate) fn new(label: &'static str, to: impl Into<String>) -> Self {
        Self { label, to: to.into(), harsh: false }
    }

    pub(crate) fn harsh(label: &'static str, to: impl Into<String>) -> Self {
        Self { label, to: to.into(), harsh: true }
    }

    /// Where it may be done.
    pub(crate) fn when(self, may: bool) -> Option<Self> {
        may.then_some(self)
    }
}

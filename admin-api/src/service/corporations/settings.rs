//! How much is kept of corporations. It owns the defaults, which are those of the configuration.

/// Limits.
#[derive(Clone, Copy, Debug)]
pub struct CorporationSettings {
    /// How many rows a page has at most.
    pub page_most: u32,
    /// Corporations of a partner.
    pub most: u32,
    /// Documents of a corporation.
    pub documents_most: u32,
    /// Bytes of a document.
    pub document_bytes: u32,
    /// Bytes of all documents of a partner's corporations.
    pub all_bytes: u64,
    /// Moves of a corporation's verification that are kept; then there are no more.
    pub moves_most: u32,
}

impl CorporationSettings {
    /// Bytes of a request that brings a document: it comes as base64, encrypted or not, and an
    /// encrypted body is base64 once more.
    #[must_use]
    pub const fn request_bytes(&self) -> usize {
        let document = self.document_bytes as usize;
        document.saturating_mul(16).saturating_div(9).saturating_add(16_384)
    }
}

impl Default for CorporationSettings {
    fn default() -> Self {
        Self {
            page_most: 200,
            most: 10_000,
            documents_most: 20,
            document_bytes: 5_000_000,
            all_bytes: 2_000_000_000,
            moves_most: 200,
        }
    }
}

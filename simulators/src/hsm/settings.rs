//! What a simulated HSM is set to. Must hold no state.

/// How a unit speaks and what it says of itself.
#[derive(Clone)]
pub struct Settings {
    /// Bytes of the host's header.
    pub header_length: usize,
    /// Its software, nine characters.
    pub firmware: String,
    /// Its local master key, of AES-256; `None`: one by chance.
    pub lmk: Option<[u8; 32]>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { header_length: 8, firmware: "1500-0026".into(), lmk: None }
    }
}

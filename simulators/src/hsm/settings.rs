//! What a simulated HSM is set to. Must hold no state.

/// How a unit speaks and what it says of itself.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Bytes of the host's header.
    pub header_length: usize,
    /// Its software, nine characters.
    pub firmware: String,
    /// Check value of its local master key, six hexadecimal digits.
    pub lmk_check_value: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self { header_length: 8, firmware: "1500-0026".into(), lmk_check_value: "268604".into() }
    }
}

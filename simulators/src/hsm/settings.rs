//! What a simulated HSM is set to. Must hold no state.

use crate::network::Tls;

/// How a unit speaks and what it says of itself.
#[derive(Clone)]
pub struct Settings {
    /// Bytes of the host's header.
    pub header_length: usize,
    /// Its software, nine characters.
    pub firmware: String,
    /// Its local master key, of AES-256; `None`: one by chance.
    pub lmk: Option<[u8; 32]>,
    /// Digits of a PIN under it: one more than the longest that it takes.
    pub pin_length: usize,
    /// Whether its security officer has allowed commands with PINs in clear.
    pub clear_pins: bool,
    /// Whom it shows which certificate; in clear without.
    pub tls: Option<Tls>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            header_length: 8,
            firmware: "1500-0026".into(),
            lmk: None,
            pin_length: 5,
            clear_pins: false,
            tls: None,
        }
    }
}

//! Life times and limits of what is kept of end users. It owns their defaults, which are those of
//! the configuration.

use std::time::Duration;

use super::access::AccessSettings;
use super::kyc::Mode;

/// Life times and limits.
#[derive(Clone, Copy, Debug)]
pub struct UserSettings {
    /// How many rows a page has at most.
    pub page_most: u32,
    /// How many accounts of a customer are listed, and may be opened over the API.
    pub balances_most: u32,
    /// How many cards of an account are listed.
    pub cards_most: u32,
    /// How users are verified where the partner chose nothing.
    pub kyc_mode: Mode,
    /// How many moves of a customer's verification are kept; then there are no more.
    pub kyc_moves_most: u32,
    /// Whether there is a provider to be asked; without one no partner can choose it.
    pub has_provider: bool,
    /// How inquiries at a provider are made.
    pub inquiries: InquirySettings,
    /// Pairing and sessions.
    pub access: AccessSettings,
}

/// How inquiries at a provider are made.
#[derive(Clone, Copy, Debug)]
pub struct InquirySettings {
    /// How many may wait for an outcome; then no verification is begun.
    pub waiting_most: u32,
    /// How many are asked at a step.
    pub at_once: u32,
    /// How long one question may take.
    pub patience: Duration,
    /// How long after a question the next one comes; each time twice as long.
    pub pause: Duration,
    /// The longest of those pauses.
    pub pause_most: Duration,
    /// How often is asked at most.
    pub attempts_most: u32,
    /// For how long is asked at most.
    pub give_up_after: Duration,
}

impl Default for UserSettings {
    fn default() -> Self {
        Self {
            page_most: 100,
            balances_most: 20,
            cards_most: 100,
            kyc_mode: Mode::Own,
            kyc_moves_most: 200,
            has_provider: false,
            inquiries: InquirySettings::default(),
            access: AccessSettings::default(),
        }
    }
}

impl Default for InquirySettings {
    fn default() -> Self {
        Self {
            waiting_most: 10_000,
            at_once: 16,
            patience: Duration::from_secs(10),
            pause: Duration::from_secs(30),
            pause_most: Duration::from_secs(3600),
            attempts_most: 40,
            give_up_after: Duration::from_secs(7 * 24 * 3600),
        }
    }
}

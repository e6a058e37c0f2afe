//! What cards of a kind do, as data: a row says how their keys, cryptograms, answers and commands
//! are made. It owns the form of a row and how the right one is found; the rows are in `profiles`.

use switch_domain::ChipFacts;

use super::chip_data::{Bytes, Element};
use super::profiles::PROFILES;
use super::reports::{Report, said};
use super::{
    AnswerForm, AnswerMethod, CardKeyOption, EmvError, IadLayout, ScriptMethod, SessionMethod,
};
use crate::card_security::{ChipData, Decision, Decisions};
use crate::mac::MacPadding;

/// Whose rules a card follows. The number of a cryptogram version means something else under each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CardScheme {
    /// Visa: VIS and the contactless cards.
    Visa,
    /// Mastercard: M/Chip 4 and Advance.
    Mastercard,
    /// The Common Core Definitions of EMV, and schemes that took them over.
    CommonCore,
}

/// A row: everything that differs between kinds of cards.
#[derive(Clone, Copy, Debug)]
pub struct CryptogramProfile {
    /// What a programme calls it.
    pub name: &'static str,
    /// Whose it is.
    pub scheme: CardScheme,
    /// The cryptogram version number of its issuer application data.
    pub version: u8,
    /// Where things stand in its issuer application data.
    pub issuer_data: IadLayout,
    /// What its card verification results say.
    pub reports: &'static [Report],
    /// How a card's key is derived.
    pub card_key: CardKeyOption,
    /// How the key of a cryptogram is derived from it.
    pub session: SessionMethod,
    /// What the cryptogram is made over, in order.
    pub data: &'static [&'static [Element]],
    /// How the last block of the data is filled up.
    pub padding: MacPadding,
    /// How the issuer authenticates itself, where such cards want it.
    pub answer: Option<AnswerMethod>,
    /// How commands are protected, where such cards take any.
    pub script: Option<ScriptMethod>,
}

impl CryptogramProfile {
    /// Every row there is.
    #[must_use]
    pub fn all() -> &'static [Self] {
        &PROFILES
    }

    /// The row of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        PROFILES.iter().find(|profile| profile.name == name)
    }

    /// The row of a scheme that issuer application data (9F10) says it is made by.
    #[must_use]
    pub fn of_issuer_data(scheme: CardScheme, iad: &[u8]) -> Option<&'static Self> {
        PROFILES.iter().find(|profile| profile.scheme == scheme && profile.made(iad))
    }

    /// Whether issuer application data says that it is of this row.
    #[must_use]
    pub fn made(&self, iad: &[u8]) -> bool {
        self.issuer_data.fits(iad) && self.issuer_data.version(iad) == Some(self.version)
    }

    /// The index of the master key that issuer application data names.
    #[must_use]
    pub fn key_index(&self, iad: &[u8]) -> Option<u8> {
        iad.get(usize::from(self.issuer_data.key_index_at)).copied()
    }

    /// The card verification results of issuer application data: what the card says of itself.
    #[must_use]
    pub fn card_results<'a>(&self, iad: &'a [u8]) -> Option<&'a [u8]> {
        self.issuer_data.results.of(iad)
    }

    /// What the card says of itself in issuer application data, as rules have it.
    #[must_use]
    pub fn facts(&self, iad: &[u8]) -> ChipFacts {
        said(self.reports, iad)
    }

    /// What either decision is to the card, where the answer has these response codes (tag 8A).
    #[must_use]
    pub fn decisions(&self, approved: [u8; 2], declined: [u8; 2]) -> Decisions {
        let decision = |response_code, status_update| Decision { response_code, status_update };
        let (yes, no) = match self.answer.map(|answer| answer.form) {
            Some(AnswerForm::OwnCode { approved, declined }) => {
                (decision(approved, [0; 4]), decision(declined, [0; 4]))
            }
            Some(AnswerForm::StatusUpdate { approved: yes, declined: no }) => {
                (decision(approved, yes), decision(declined, no))
            }
            Some(AnswerForm::ResponseCode) | None => {
                (decision(approved, [0; 4]), decision(declined, [0; 4]))
            }
        };
        Decisions { approved: yes, declined: no }
    }

    /// What a hardware module is given to compute over: all of it, not filled up. `None` where a
    /// data element is not there or has a wrong size.
    #[must_use]
    pub fn cryptogram_data(&self, chip: &ChipData<'_>) -> Option<Vec<u8>> {
        self.message(chip).ok().map(Iterator::collect)
    }

    /// All that a cryptogram is made over, one behind the other.
    pub(super) fn message<'a>(
        &self,
        chip: &ChipData<'a>,
    ) -> Result<impl Iterator<Item = u8>, EmvError> {
        let elements = self.data.iter().copied().flatten();
        let values = elements.map(|element| element.of(chip));
        if !self.made(chip.issuer_application_data) || values.clone().any(|value| value.is_none()) {
            return Err(EmvError::Malformed);
        }
        Ok(values.flatten().flat_map(Bytes::iter))
    }
}

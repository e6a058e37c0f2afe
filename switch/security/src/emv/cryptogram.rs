//! The cryptogram of a card (ARQC, TC or AAC; EMV Book 2 section 8.1): made again and compared. It
//! owns that only one that was right can be answered: the key for that leaves with the proof alone.

use subtle::ConstantTimeEq;

use super::answer::authenticate;
use super::card_key::{DerivedKey, derive};
use super::retail_mac::retail_mac;
use super::{AnswerKey, AnswerMethod, CRYPTOGRAM, ChipCard, CryptogramProfile, EmvError};
use crate::card_security::{ChipData, Decision, IssuerAuthentication};
use crate::des_pair::DesPair;

/// That a cryptogram was right, with what the card can be answered with.
pub(crate) struct Proof {
    answer: Option<AnswerMethod>,
    cryptogram: [u8; CRYPTOGRAM],
    key: DerivedKey,
}

impl Proof {
    /// What tells the card this decision; `None` where such cards are told none. The scheme's own
    /// data goes with method 2 alone.
    pub(crate) fn answer(
        &self,
        decision: &Decision,
        proprietary: &[u8],
    ) -> Result<Option<IssuerAuthentication>, EmvError> {
        let Some(method) = self.answer else { return Ok(None) };
        authenticate(method.form, &self.key, self.cryptogram, decision, proprietary).map(Some)
    }
}

/// Compares the cryptogram of a message with the one that the card would have made, under the
/// issuer's master key for cryptograms.
pub(crate) fn verify(
    profile: &CryptogramProfile,
    master: &DesPair,
    card: &ChipCard<'_>,
    chip: &ChipData<'_>,
    claimed: [u8; CRYPTOGRAM],
) -> Result<Proof, EmvError> {
    let message = profile.message(chip)?;
    let of_card = derive(profile.card_key, master, card)?;
    let of_session = profile.session.derive(&of_card, chip.atc, chip.unpredictable_number);
    let key = of_session.as_ref().unwrap_or(&of_card);
    let made = retail_mac(key.cipher(), profile.padding, message);
    if !bool::from(made.ct_eq(&claimed)) {
        return Err(EmvError::Incorrect);
    }
    let key = match (profile.answer.map(|answer| answer.key), of_session) {
        (Some(AnswerKey::Session), Some(of_session)) => of_session,
        _ => of_card,
    };
    Ok(Proof { answer: profile.answer, cryptogram: claimed, key })
}

//! Cryptograms of chip cards, and what the issuer answers to them. It owns that both answers are
//! made with the proof in hand: a cryptogram that is not the card's has none (E-02).

use crate::SecurityError;
use crate::card_security::{ProfileName, Verified, VerifyCryptogram};
use crate::emv::{ChipCard, CryptogramProfile, EmvError};
use crate::key::Function;

use super::held::Held;

pub(super) fn verify(
    held: &Held,
    command: &VerifyCryptogram<'_>,
) -> Result<Verified, SecurityError> {
    let VerifyCryptogram { profile, key, pan, sequence, chip, cryptogram, answers } = command;
    let profile = named(*profile)?;
    let card = ChipCard { pan, sequence: *sequence };
    let proof = held.first_right_pair(*key, Function::DeriveCryptogramKey, |master| {
        crate::emv::verify(profile, master, &card, chip, *cryptogram).map_err(error)
    })?;
    let Some(decisions) = answers else { return Ok(Verified::default()) };
    Ok(Verified {
        approved: proof.answer(&decisions.approved, &[]).map_err(error)?,
        declined: proof.answer(&decisions.declined, &[]).map_err(error)?,
    })
}

/// The row of this name.
pub(super) fn named(name: ProfileName) -> Result<&'static CryptogramProfile, SecurityError> {
    CryptogramProfile::named(name.as_str()).ok_or(SecurityError::UnknownProfile(name))
}

pub(super) const fn error(error: EmvError) -> SecurityError {
    match error {
        EmvError::Incorrect => SecurityError::Incorrect,
        EmvError::Malformed => {
            SecurityError::Malformed("a data element of the chip lacks, or is of another length")
        }
        EmvError::NotOffered => {
            SecurityError::Malformed("cards of this profile take no such thing")
        }
    }
}

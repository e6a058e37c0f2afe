//! Card values, made and compared. It owns which key makes which: `C0` the fixed ones, `E4` by the
//! card's own key those that change with every transaction.

use crate::SecurityError;
use crate::card_security::{CardValue, CardValueKind, GenerateCardValue, VerifyCardValue};
use crate::card_value::{cvc3, cvv, cvv2, dcvv, icvv, matches_cvc3};
use crate::des_pair::DesPair;
use crate::emv::{CardKeyOption, ChipCard, derive_card_key};
use crate::key::Function;

use super::held::Held;

pub(super) fn verify(held: &Held, command: &VerifyCardValue<'_>) -> Result<(), SecurityError> {
    let VerifyCardValue { key, pan, expiry, kind, claimed } = *command;
    let card = GenerateCardValue { key, pan, expiry, kind };
    let function = match kind {
        CardValueKind::Dcvv { .. } | CardValueKind::Cvc3 { .. } => Function::DeriveDynamicNumberKey,
        _ => Function::VerifyCardValue,
    };
    held.first_right_pair(key, function, |key| {
        let ours = compute(key, &card)?;
        match kind {
            CardValueKind::Cvc3 { .. } => matches_cvc3(&ours, claimed),
            _ if ours.matches(claimed) => Ok(()),
            _ => Err(SecurityError::Incorrect),
        }
    })
}

pub(super) fn generate(
    held: &Held,
    command: &GenerateCardValue<'_>,
) -> Result<CardValue, SecurityError> {
    let function = match command.kind {
        CardValueKind::Dcvv { .. } | CardValueKind::Cvc3 { .. } => Function::DeriveDynamicNumberKey,
        _ => Function::GenerateCardValue,
    };
    compute(held.active_pair(command.key, function)?, command)
}

fn compute(key: &DesPair, card: &GenerateCardValue<'_>) -> Result<CardValue, SecurityError> {
    let GenerateCardValue { pan, expiry, kind, .. } = *card;
    match kind {
        CardValueKind::Cvv { service_code } => cvv(key, pan, expiry, service_code),
        CardValueKind::Icvv => icvv(key, pan, expiry),
        CardValueKind::Cvv2 { order } => cvv2(key, pan, expiry, order),
        CardValueKind::Dcvv { service_code, sequence, card_key, atc } => {
            let of_card = derived(key, card_key, &ChipCard { pan, sequence })?;
            dcvv(of_card.cipher(), pan, expiry, service_code, atc)
        }
        CardValueKind::Cvc3 { sequence, card_key, track, unpredictable_number, atc } => {
            let of_card = derived(key, card_key, &ChipCard { pan, sequence })?;
            cvc3(of_card.cipher(), track, unpredictable_number, atc)
        }
    }
}

fn derived(
    master: &DesPair,
    option: CardKeyOption,
    card: &ChipCard<'_>,
) -> Result<crate::emv::DerivedKey, SecurityError> {
    derive_card_key(option, master, card).map_err(super::cryptogram::error)
}

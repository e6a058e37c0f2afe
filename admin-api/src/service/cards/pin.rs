//! The PIN of a card (SR-127, SR-178, A-33). It owns which PINs may be chosen, and that one goes
//! from the request into the security module, comes out as an encrypted block, and becomes the
//! reference that it is compared with: in clear it is nowhere else, and is kept nowhere.

use switch_domain::{
    CardSecurityTerms, CardStatus, KeyLabel, Pan, PinMethod as Terms, PinReference,
};
use switch_security::{
    ChosenPin, DecimalisationTable, EncryptPin, EncryptedPin, EncryptedPinBlock,
    GeneratePinReference, Ibm3624, KeyUsage, PinBlockFormat, PinMethod,
};

use super::found::{OwnedCard, PinStatus, no_card};
use super::issue::By;
use super::processor::NewPin;
use super::settings::PinRules;
use super::{CardModule, Cards, told};
use crate::Problem;

/// On its way from here to the module, and to a processor: bound to the card number.
const FORMAT: PinBlockFormat = PinBlockFormat::Iso0;
/// Which key of a set a new reference is made with, where the card has none yet.
const FIRST_KEY: u8 = 1;
/// Of a card whose maker could not be told.
const NO_PINS: &str = "the processor of this card takes no PINs: its pin_key is not set";

impl Cards {
    /// Gives a card another PIN: in force when this returns, and whether its chip has it too. Tries
    /// that were used up are all there again.
    ///
    /// # Errors
    /// `INVALID_REQUEST`: the PIN. `CONFLICT`: the card's programme has no PINs, or the card waits
    /// for its activation. `NOT_FOUND`: it was removed. `SECURITY_MODULE_UNAVAILABLE`.
    pub async fn set_pin(
        &self,
        owned: &OwnedCard,
        pin: &str,
        by: By,
    ) -> Result<PinStatus, Problem> {
        let card = &owned.card;
        match card.status {
            CardStatus::Removed => return Err(no_card()),
            CardStatus::Inactive => return Err(conflict("the card waits for its activation")),
            CardStatus::Active => {}
        }
        let terms = self.services.node.directory().terms(card.programme);
        let chosen = ChosenOfCard::fitting(pin, &self.settings.pins, terms.as_deref())?;
        let pan = self.services.number_of(card.vault).await?;
        let far = self.for_processor(owned, &chosen.pin, &pan).await?;
        let present = card.references.as_ref().and_then(|references| references.pin.as_ref());
        let SealedPin { reference, .. } = chosen.sealed(&self.module, &pan, present).await?;
        self.tell_and_set(owned, far, reference, by).await?;
        Ok(self.pin_status(&self.now(card.id).await?.card).await)
    }

    /// The processor has a PIN before it is in force here: a card never has one that its maker does
    /// not know.
    async fn tell_and_set(
        &self,
        owned: &OwnedCard,
        far: Option<EncryptedPinBlock>,
        reference: PinReference,
        by: By,
    ) -> Result<(), Problem> {
        let card = owned.card.id;
        let Some(block) = far else {
            return self.services.set_pin_reference(by.key, by.actor, card, reference).await;
        };
        let missing = || Problem::internal("telling a PIN", &"the card has another processor now");
        let telling = self.telling(owned, by).await?.ok_or_else(missing)?;
        let pin = NewPin { block: &block, format: FORMAT };
        telling.processor.change_pin(telling.told, &pin).await?;
        self.services.set_pin_reference(by.key, by.actor, card, reference).await?;
        telling.end().await
    }

    /// A PIN for a card's processor, where it has to be told: under the key that is shared with it.
    async fn for_processor(
        &self,
        owned: &OwnedCard,
        pin: &ChosenPin,
        pan: &Pan,
    ) -> Result<Option<EncryptedPinBlock>, Problem> {
        let (processor, _) = self.its_processor(&self.profile(&owned.card).await?)?;
        if !processor.is_told() {
            return Ok(None);
        }
        let key = processor.pin_key().ok_or_else(|| conflict(NO_PINS))?;
        let key = self.key(key.as_str(), KeyUsage::P0)?;
        let command = EncryptPin { pin, pan, format: FORMAT, key };
        self.module.module.encrypt_pin(command).await.map(Some).map_err(told)
    }
}

/// A PIN that was chosen for a card of a programme, and may be.
pub(in crate::service) struct ChosenOfCard<'a> {
    pin: ChosenPin,
    terms: &'a CardSecurityTerms,
    method: &'a Terms,
    zone: &'a KeyLabel,
}

/// A PIN as the module gives it: encrypted on its way to whoever makes the card, and what PINs at
/// terminals are compared with.
pub(in crate::service) struct SealedPin {
    /// Under the zone key.
    pub(in crate::service) block: EncryptedPinBlock,
    /// What it is compared with.
    pub(in crate::service) reference: PinReference,
}

impl<'a> ChosenOfCard<'a> {
    /// The format of its block: bound to the card number.
    pub(in crate::service) const FORMAT: PinBlockFormat = FORMAT;

    /// The PIN, where it may be chosen for a card of a programme with these terms.
    pub(in crate::service) fn fitting(
        pin: &str,
        rules: &'a PinRules,
        terms: Option<&'a CardSecurityTerms>,
    ) -> Result<Self, Problem> {
        let none = || conflict("cards of this programme have no PIN");
        let terms = terms.ok_or_else(none)?;
        let method = terms.pin.as_ref().ok_or_else(none)?;
        let pin = fit(pin, rules, method)?;
        if rules.key.is_empty() {
            return Err(conflict("no PIN is set over the API here: api.cards.pin_key is not set"));
        }
        Ok(Self { pin, terms, method, zone: &rules.key })
    }

    /// What the module makes of it for a card with this number, whose PIN is compared with that.
    pub(in crate::service) async fn sealed(
        self,
        module: &CardModule,
        pan: &Pan,
        present: Option<&PinReference>,
    ) -> Result<SealedPin, Problem> {
        let zone = module.key(self.zone.as_str(), KeyUsage::P0)?;
        let command = EncryptPin { pin: &self.pin, pan, format: FORMAT, key: zone };
        let block = module.module.encrypt_pin(command).await.map_err(told)?;
        drop(self.pin);
        let (method, usage) = made_by(self.method, present)?;
        let key = module.key(self.terms.keys.pvk.as_str(), usage)?;
        let pin = EncryptedPin { block: &block, format: FORMAT, key: zone };
        let command = GeneratePinReference { pin, pan, method, key };
        let reference = module.module.generate_pin_reference(command).await.map_err(told)?;
        Ok(SealedPin { block, reference })
    }
}

/// The PIN, where it may be chosen. What is refused says a rule, and nothing of the PIN.
fn fit(pin: &str, rules: &PinRules, method: &Terms) -> Result<ChosenPin, Problem> {
    let (least, most) = match method {
        Terms::Offset { length, .. } => (*length, *length),
        Terms::Pvv => (rules.least, rules.most),
    };
    let wrong = || Problem::field("pin", format!("{least} to {most} digits"));
    let digits = pin.as_bytes();
    let fits = (usize::from(least)..=usize::from(most)).contains(&digits.len());
    let chosen = ChosenPin::from_ascii(digits).filter(|_| fits).ok_or_else(wrong)?;
    if rules.refused.iter().any(|refused| refused == pin) || is_row(digits) {
        return Err(Problem::field("pin", "this one is too easy: choose another"));
    }
    Ok(chosen)
}

/// One digit again and again, or a row up or down.
fn is_row(digits: &[u8]) -> bool {
    let mut steps = digits.windows(2).map(|pair| match pair {
        [one, next] => i16::from(*next).saturating_sub(i16::from(*one)),
        _ => 0,
    });
    let first = steps.next().unwrap_or_default();
    (-1..=1).contains(&first) && steps.all(|step| step == first)
}

/// How the reference is made: by the programme's method, with the key of the one before.
fn made_by(
    terms: &Terms,
    present: Option<&PinReference>,
) -> Result<(PinMethod, KeyUsage), Problem> {
    match terms {
        Terms::Pvv => {
            let key_index = match present {
                Some(PinReference::Pvv { key_index, .. }) => *key_index,
                Some(PinReference::Offset { .. }) | None => FIRST_KEY,
            };
            Ok((PinMethod::Pvv { key_index }, KeyUsage::V2))
        }
        Terms::Offset { decimalisation, .. } => {
            let table = DecimalisationTable::from_digits(decimalisation);
            let bad = || Problem::internal("making a PIN's reference", &"the decimalisation table");
            let rules = Ibm3624 { table: table.ok_or_else(bad)?, ..Ibm3624::default() };
            Ok((PinMethod::Ibm3624(rules), KeyUsage::V1))
        }
    }
}

fn conflict(what: &str) -> Problem {
    Problem::new("CONFLICT", what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_33_a_pin_has_its_digits_and_is_not_easy() {
        let rules = PinRules { most: 6, ..PinRules::default() };
        for good in ["1235", "8642", "271828", "1123"] {
            assert!(fit(good, &rules, &Terms::Pvv).is_ok(), "{good}");
        }
        for bad in
            ["", "123", "1234567", "12a5", "1111", "1234", "9876", "1212", "6969", "１２３５"]
        {
            let refused = fit(bad, &rules, &Terms::Pvv).err().expect("refused");
            assert_eq!((refused.code, refused.field.as_deref()), ("INVALID_REQUEST", Some("pin")));
            assert!(bad.is_empty() || !refused.detail.contains(bad));
        }
        let offset = Terms::Offset { decimalisation: *b"0123456789012345", length: 5 };
        assert!(fit("27182", &rules, &offset).is_ok());
        assert!(fit("2718", &rules, &offset).is_err(), "as long as the programme's offsets");
    }
}

//! The software module's answers to the commands of card verification. It owns which function each
//! command asks of which key; keys are asked through `held`, the algorithms are those of `pin`,
//! `card_value` and `emv`, and every answer is there at once.

mod card_value;
mod cryptogram;
mod held;
mod pin;
mod script;

use switch_domain::PinReference;

use crate::card_security::{
    CardSecurity, CardValue, EncryptPin, EncryptedPinBlock, GenerateCardValue,
    GeneratePinReference, ProtectScript, Reply, Script, TranslatePin, Verified, VerifyCardValue,
    VerifyCryptogram, VerifyPin,
};
use crate::module::SoftwareModule;
use held::Held;

impl SoftwareModule {
    fn held(&self) -> Held {
        Held::new(self.keys(), crate::module::now)
    }
}

impl CardSecurity for SoftwareModule {
    fn verify_card_value(&self, command: VerifyCardValue<'_>) -> Reply<'_, ()> {
        card_value::verify(&self.held(), &command).into()
    }

    fn generate_card_value(&self, command: GenerateCardValue<'_>) -> Reply<'_, CardValue> {
        card_value::generate(&self.held(), &command).into()
    }

    fn verify_pin(&self, command: VerifyPin<'_>) -> Reply<'_, ()> {
        pin::verify(&self.held(), &command).into()
    }

    fn generate_pin_reference(&self, command: GeneratePinReference<'_>) -> Reply<'_, PinReference> {
        pin::generate_reference(&self.held(), &command).into()
    }

    fn encrypt_pin(&self, command: EncryptPin<'_>) -> Reply<'_, EncryptedPinBlock> {
        pin::encrypt(&self.held(), &command).into()
    }

    fn translate_pin(&self, command: TranslatePin<'_>) -> Reply<'_, EncryptedPinBlock> {
        pin::translate(&self.held(), &command).into()
    }

    fn verify_cryptogram(&self, command: VerifyCryptogram<'_>) -> Reply<'_, Verified> {
        cryptogram::verify(&self.held(), &command).into()
    }

    fn protect_script(&self, command: ProtectScript<'_>) -> Reply<'_, Script> {
        script::protect(&self.held(), &command).into()
    }

    /// Always: it is where this is.
    fn health(&self) -> Reply<'_, ()> {
        Reply::ready(Ok(()))
    }
}

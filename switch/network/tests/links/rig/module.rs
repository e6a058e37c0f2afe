//! A security module as tests need it: it knows right values by a simple rule, keeps what it was
//! asked, and answers at once, when it is told to, or never.

use std::sync::{Arc, Mutex};

use switch_domain::PinReference;
use switch_network::CardKeys;
use switch_security::{
    CardSecurity, CardValue, CardValueKind, EncryptedPinBlock, GenerateCardValue,
    GeneratePinReference, IssuerAuthentication, KeyHandle, KeyUsage, ProtectScript, Reply, Script,
    SecurityError, TranslatePin, Verified, VerifyCardValue, VerifyCryptogram, VerifyPin,
};
use tokio::sync::Semaphore;

/// Every right card value.
pub(crate) const VALUE: &str = "737";
/// Every right PIN block; in others the PIN is another.
pub(crate) const PIN_BLOCK: [u8; 8] = [0x11; 8];
/// Every right cryptogram.
pub(crate) const CRYPTOGRAM: [u8; 8] = [0x22; 8];
/// What a chip is told of a decision, behind its first byte.
pub(crate) const TOLD: [u8; 2] = [0xA0, 0xD0];

/// What every new PIN is compared with.
pub(crate) const NEW_PIN: &[u8; 4] = b"4321";
/// Every command for a chip.
pub(crate) const SCRIPT: [u8; 5] = [0x84, 0x24, 0, 2, 0];

/// When it answers.
#[derive(Clone)]
pub(crate) enum Pace {
    AtOnce,
    /// As many times as it is let.
    Later(Arc<Semaphore>),
}

/// The module.
#[derive(Clone)]
pub(crate) struct Module {
    pace: Pace,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Module {
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, asked: Arc::default() }
    }

    /// What it was asked so far, which is then forgotten.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().expect("no test has failed in here"))
    }

    fn answer<T: Send + 'static>(
        &self,
        asked: String,
        answer: Result<T, SecurityError>,
    ) -> Reply<'_, T> {
        self.asked.lock().expect("no test has failed in here").push(asked);
        match &self.pace {
            Pace::AtOnce => Reply::ready(answer),
            Pace::Later(leave) => Reply::waiting(async move {
                leave.acquire().await.expect("never closed").forget();
                answer
            }),
        }
    }
}

fn judged(right: bool) -> Result<(), SecurityError> {
    if right { Ok(()) } else { Err(SecurityError::Incorrect) }
}

impl CardSecurity for Module {
    fn verify_card_value(&self, command: VerifyCardValue<'_>) -> Reply<'_, ()> {
        let kind = match command.kind {
            CardValueKind::Cvv { service_code } => {
                format!("cvv {}", service_code.number())
            }
            CardValueKind::Icvv => "icvv".into(),
            CardValueKind::Cvv2 { .. } => "cvv2".into(),
            CardValueKind::Dcvv { .. } | CardValueKind::Cvc3 { .. } => "dynamic".into(),
        };
        let asked = format!("{kind} {} under {}", command.expiry.yymm(), command.key);
        let right = command.claimed.digits_for_card() == VALUE.as_bytes();
        self.answer(asked, judged(right))
    }

    fn generate_card_value(&self, _: GenerateCardValue<'_>) -> Reply<'_, CardValue> {
        Reply::ready(Err(SecurityError::Unavailable))
    }

    fn verify_pin(&self, command: VerifyPin<'_>) -> Reply<'_, ()> {
        let VerifyPin { pin, key, .. } = command;
        let asked = format!("pin {} under {} and {key}", pin.format, pin.key);
        self.answer(asked, judged(pin.block.bytes() == PIN_BLOCK))
    }

    fn generate_pin_reference(&self, new: GeneratePinReference<'_>) -> Reply<'_, PinReference> {
        let asked = format!("reference under {} and {}", new.pin.key, new.key);
        self.answer(asked, PinReference::pvv(1, NEW_PIN).map_err(|_| SecurityError::Unavailable))
    }

    fn translate_pin(&self, _: TranslatePin<'_>) -> Reply<'_, EncryptedPinBlock> {
        Reply::ready(Err(SecurityError::Unavailable))
    }

    fn verify_cryptogram(&self, command: VerifyCryptogram<'_>) -> Reply<'_, Verified> {
        let VerifyCryptogram { profile, sequence, answers, chip, .. } = command;
        let wanted = if answers.is_some() { "answered" } else { "alone" };
        let asked = format!("{profile} sequence {sequence} at {} {wanted}", chip.atc);
        let told = |byte| {
            answers
                .and_then(|_| IssuerAuthentication::new(&[byte; IssuerAuthentication::MAX_BYTES]))
        };
        let verified = Verified { approved: told(TOLD[0]), declined: told(TOLD[1]) };
        let right = judged(command.cryptogram == CRYPTOGRAM);
        self.answer(asked, right.map(|()| verified))
    }

    fn protect_script(&self, command: ProtectScript<'_>) -> Reply<'_, Script> {
        let ProtectScript { profile, atc, keys, .. } = command;
        let asked = format!("script of {profile} at {atc} under {}", keys.integrity);
        self.answer(asked, Script::new(&SCRIPT).ok_or(SecurityError::Unavailable))
    }

    fn health(&self) -> Reply<'_, ()> {
        Reply::ready(Ok(()))
    }
}

/// A key for each name that begins as its use does.
pub(crate) struct Keys;

impl CardKeys for Keys {
    fn card_key(&self, name: &str, usage: KeyUsage) -> Option<KeyHandle> {
        let (prefix, number) = match usage {
            KeyUsage::C0 => ("cvk", 1),
            KeyUsage::V2 => ("pvk", 2),
            KeyUsage::V1 => ("offset", 3),
            KeyUsage::P0 => ("zpk", 4),
            KeyUsage::E0 => ("imk", 5),
            KeyUsage::E2 => ("smi", 6),
            KeyUsage::E1 => ("smc", 7),
            _ => return None,
        };
        name.starts_with(prefix).then(|| KeyHandle::new(number))
    }
}

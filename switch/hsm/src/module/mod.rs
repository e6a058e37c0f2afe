//! The security module of the switch with a payment HSM behind it: each command of card
//! verification becomes one host command, or two. It owns what goes into which, and what an answer
//! means; nothing is computed here.

mod card_value;
mod cryptogram;
mod keys;
mod pin;
mod script;

use std::sync::Arc;

use switch_domain::Expiry;
use switch_security::{
    CardSecurity, CardValue, EncryptPin, EncryptedPinBlock, ExpiryOrder, GenerateCardValue,
    GeneratePinReference, PinReference, ProtectScript, Reply, Script, SecurityError, TranslatePin,
    Verified, VerifyCardValue, VerifyCryptogram, VerifyPin,
};

pub use self::keys::{HsmKeys, HsmKeysError, MAX_KEYS, NamedHsmKey};
use crate::client::{Answer, CallError, HsmClient, Settings};
use crate::commands::Status;
use crate::error_code::Verdict;

/// One or more units as the security module.
pub struct HsmModule {
    client: HsmClient,
    keys: HsmKeys,
    /// Digits of a PIN under the units' own key, where they may be told PINs in clear.
    clear_pins: Option<u8>,
}

/// Begins to connect to these units, on the runtime that it is called on: the security module of
/// the switch where there are any. `clear_pins` is how many digits a PIN under the units' own key
/// has, where they may be told PINs in clear.
#[must_use]
pub fn connect(settings: Settings, keys: HsmKeys, clear_pins: Option<u8>) -> Arc<HsmModule> {
    let module = HsmModule::new(HsmClient::start(settings), keys);
    Arc::new(HsmModule { clear_pins, ..module })
}

impl HsmModule {
    /// Of these units and keys.
    #[must_use]
    pub const fn new(client: HsmClient, keys: HsmKeys) -> Self {
        Self { client, keys, clear_pins: None }
    }

    /// The same, which tells the units PINs in clear, of which they keep so many digits.
    #[must_use]
    pub const fn telling_clear_pins(mut self, length: u8) -> Self {
        self.clear_pins = Some(length);
        self
    }

    /// The client, for commands that card verification has no need of.
    #[must_use]
    pub const fn client(&self) -> &HsmClient {
        &self.client
    }

    /// The keys.
    #[must_use]
    pub const fn keys(&self) -> &HsmKeys {
        &self.keys
    }
}

impl CardSecurity for HsmModule {
    fn verify_card_value(&self, command: VerifyCardValue<'_>) -> Reply<'_, ()> {
        reply(card_value::verify(self, &command), Ok)
    }

    fn generate_card_value(&self, command: GenerateCardValue<'_>) -> Reply<'_, CardValue> {
        reply(card_value::generate(self, &command), |digits| {
            CardValue::from_digits(&digits).ok_or(SecurityError::Unavailable)
        })
    }

    fn verify_pin(&self, command: VerifyPin<'_>) -> Reply<'_, ()> {
        reply(pin::verify(self, &command), Ok)
    }

    fn generate_pin_reference(&self, command: GeneratePinReference<'_>) -> Reply<'_, PinReference> {
        pin::generate(self, &command)
    }

    fn encrypt_pin(&self, command: EncryptPin<'_>) -> Reply<'_, EncryptedPinBlock> {
        pin::encrypt(self, &command)
    }

    fn translate_pin(&self, command: TranslatePin<'_>) -> Reply<'_, EncryptedPinBlock> {
        pin::translate(self, &command)
    }

    fn verify_cryptogram(&self, command: VerifyCryptogram<'_>) -> Reply<'_, Verified> {
        cryptogram::verify(self, &command)
    }

    fn protect_script(&self, command: ProtectScript<'_>) -> Reply<'_, Script> {
        script::protect(self, &command)
    }

    fn health(&self) -> Reply<'_, ()> {
        reply(Ok(self.client.call(&Status)), |_| Ok(()))
    }
}

/// What an answer means, once it is there.
fn reply<'a, A: 'static, T>(
    asked: Result<Answer<A>, SecurityError>,
    means: impl FnOnce(A) -> Result<T, SecurityError> + Send + 'a,
) -> Reply<'a, T> {
    match asked {
        Err(error) => Reply::ready(Err(error)),
        Ok(answer) => Reply::waiting(async move { means(answer.await.map_err(said)?) }),
    }
}

/// Why there is no answer, in the words of the switch.
fn said(error: CallError) -> SecurityError {
    match error {
        CallError::Command(fault) => SecurityError::Malformed(fault.0),
        CallError::Refused(code) => match code.verdict() {
            Verdict::Incorrect => SecurityError::Incorrect,
            Verdict::Key => SecurityError::Prohibited("the hardware module refuses a key of it"),
            Verdict::Input => SecurityError::Malformed("the hardware module does not take it"),
            Verdict::Good | Verdict::Unit => SecurityError::Unavailable,
        },
        CallError::Full | CallError::NoUnit | CallError::Deadline | CallError::Lost => {
            SecurityError::Unavailable
        }
    }
}

/// The four digits of an expiry.
fn expiry_digits(expiry: Expiry, order: ExpiryOrder) -> [u8; 4] {
    let yymm = expiry.yymm();
    let digits = [yymm / 1000, yymm / 100 % 10, yymm / 10 % 10, yymm % 10];
    let [a, b, c, d] = digits.map(|digit| b'0' | u8::try_from(digit).unwrap_or(0));
    match order {
        ExpiryOrder::YearMonth => [a, b, c, d],
        ExpiryOrder::MonthYear => [c, d, a, b],
    }
}

#[test]
fn an_expiry_has_four_digits_in_either_order() {
    let expiry = Expiry::from_yymm(309).expect("a month");
    assert_eq!(expiry_digits(expiry, ExpiryOrder::YearMonth), *b"0309");
    assert_eq!(expiry_digits(expiry, ExpiryOrder::MonthYear), *b"0903");
}

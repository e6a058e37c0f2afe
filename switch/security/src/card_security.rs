//! Card verification as commands: what the switch may ask of a module that holds the keys of cards.
//! It owns the commands, how their answers arrive, and what can go wrong. A clear key or PIN never
//! crosses it in either direction, but a PIN that its holder has just typed, which goes in to be
//! encrypted. Nothing here knows how a value is computed.

mod cryptogram;
mod pin;
mod value;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use switch_domain::PinReference;

use crate::key::KeyHandle;

pub use cryptogram::{
    ChipData, DataElement, Decision, Decisions, IssuerAuthentication, ProfileName, ProtectScript,
    Script, ScriptCommand, ScriptKeys, Verified, VerifyCryptogram,
};
pub use pin::{
    ChosenPin, DecimalisationTable, EncryptPin, EncryptedPin, EncryptedPinBlock,
    GeneratePinReference, Ibm3624, PanPart, PinBlockFormat, PinMethod, TranslatePin, VerifyPin,
};
pub use value::{CardValue, CardValueKind, Cvc3Track, GenerateCardValue, VerifyCardValue};

/// Commands of card verification. Each stands alone and names all that it needs, as a hardware
/// module's host commands do. A hardware module may take a while; the software module never does.
///
/// What has to do with a value of the card fails with [`SecurityError::Incorrect`] where the value
/// is another. Every other error means that nobody knows: it is never taken for a match.
pub trait CardSecurity: Send + Sync {
    /// Compares a card value (CVV, iCVV, CVV2, dynamic ones) with one that was claimed.
    fn verify_card_value(&self, command: VerifyCardValue<'_>) -> Reply<'_, ()>;

    /// The card value that a card is to have.
    fn generate_card_value(&self, command: GenerateCardValue<'_>) -> Reply<'_, CardValue>;

    /// Compares the PIN in an encrypted block with the reference on file. A block that cannot be
    /// read is [`SecurityError::Incorrect`] too: nobody learns by it what was wrong with the block.
    fn verify_pin(&self, command: VerifyPin<'_>) -> Reply<'_, ()>;

    /// The reference of the PIN in an encrypted block, to be kept: a PIN is set or changed.
    fn generate_pin_reference(&self, command: GeneratePinReference<'_>) -> Reply<'_, PinReference>;

    /// Encrypts a PIN that the card's holder has just typed. A module that takes none in clear says
    /// so: it is then set where the module itself is asked for it.
    fn encrypt_pin(&self, _: EncryptPin<'_>) -> Reply<'_, EncryptedPinBlock> {
        Reply::ready(Err(SecurityError::ClearPinRefused("this module takes no PIN in clear")))
    }

    /// Encrypts the PIN of a block under another zone key, in the same format or in another.
    fn translate_pin(&self, command: TranslatePin<'_>) -> Reply<'_, EncryptedPinBlock>;

    /// Compares the cryptogram of a chip card (ARQC, TC or AAC) with what the card would make of
    /// the same data, and makes the issuer's answers to it where they are asked for.
    fn verify_cryptogram(&self, command: VerifyCryptogram<'_>) -> Reply<'_, Verified>;

    /// Puts the authentication code, and the encryption where there is one, on a script command.
    fn protect_script(&self, command: ProtectScript<'_>) -> Reply<'_, Script>;

    /// Whether the module can serve now.
    fn health(&self) -> Reply<'_, ()>;
}

/// Why a command was not answered with what it asked for. It says nothing of any value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecurityError {
    /// The value is another one; or the PIN block is no PIN block of this card.
    #[error("the value is not that of the card")]
    Incorrect,
    /// The command makes no sense: a length, a digit or a combination that there is not. The text
    /// says which part of it, never what it held.
    #[error("the command is malformed: {0}")]
    Malformed(&'static str),
    /// No key has this handle, or it is not active.
    #[error("there is no key {0}")]
    UnknownKey(KeyHandle),
    /// One key, one use.
    #[error("key {key} is not for this: {function}")]
    UsageRefused {
        /// The key.
        key: KeyHandle,
        /// What it was asked to do.
        function: &'static str,
    },
    /// PCI PIN allows no translation between these formats, or the format no online PIN.
    #[error("no PIN goes from block format {from} to {to}")]
    TranslationRefused {
        /// The format that it came in.
        from: PinBlockFormat,
        /// The format that was asked for.
        to: PinBlockFormat,
    },
    /// The format of a PIN block that no online PIN may come in.
    #[error("no online PIN comes in block format {0}")]
    FormatRefused(PinBlockFormat),
    /// No cryptogram profile has this name.
    #[error("there is no cryptogram profile {0}")]
    UnknownProfile(ProfileName),
    /// A rule of this installation keeps the module from doing this, as PIN work in software.
    #[error("not allowed here: {0}")]
    Prohibited(&'static str),
    /// The module is not to be told PINs in clear here, or not this one.
    #[error("no PIN in clear goes to the security module: {0}")]
    ClearPinRefused(&'static str),
    /// The module cannot be reached, is at its limit, or did not answer in time.
    #[error("the security module is not available")]
    Unavailable,
}

impl SecurityError {
    /// Whether the value was compared and is another one: the only failure that counts as a guess.
    #[must_use]
    pub const fn is_incorrect(self) -> bool {
        matches!(self, Self::Incorrect)
    }
}

/// The answer to a command, there at once or on its way. The software module's are always there,
/// and nothing is allocated for them.
#[must_use = "a command has no answer until this is awaited"]
pub enum Reply<'a, T> {
    /// It is there; `None` once it was taken.
    Ready(Option<Result<T, SecurityError>>),
    /// It is on its way.
    Waiting(Pin<Box<dyn Future<Output = Result<T, SecurityError>> + Send + 'a>>),
}

impl<'a, T> Reply<'a, T> {
    /// An answer that is there.
    pub const fn ready(answer: Result<T, SecurityError>) -> Self {
        Self::Ready(Some(answer))
    }

    /// An answer that this will bring.
    pub fn waiting(answer: impl Future<Output = Result<T, SecurityError>> + Send + 'a) -> Self {
        Self::Waiting(Box::pin(answer))
    }

    /// The answer where it is there, without an executor.
    ///
    /// # Errors
    /// It is still on its way: here it is again, to be awaited.
    pub fn now(self) -> Result<Result<T, SecurityError>, Self> {
        match self {
            Self::Ready(answer) => Ok(answer.unwrap_or(Err(SecurityError::Unavailable))),
            Self::Waiting(_) => Err(self),
        }
    }
}

impl<T: Unpin> Future for Reply<'_, T> {
    type Output = Result<T, SecurityError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            // Who asks twice after the answer was taken gets one that is never taken for a match.
            Self::Ready(answer) => {
                Poll::Ready(answer.take().unwrap_or(Err(SecurityError::Unavailable)))
            }
            Self::Waiting(answer) => answer.as_mut().poll(context),
        }
    }
}

impl<T> From<Result<T, SecurityError>> for Reply<'_, T> {
    fn from(answer: Result<T, SecurityError>) -> Self {
        Self::ready(answer)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn an_answer_is_taken_once_and_never_again_for_a_match() {
        let mut context = Context::from_waker(Waker::noop());
        let mut reply = Reply::ready(Ok(7));
        assert_eq!(Pin::new(&mut reply).poll(&mut context), Poll::Ready(Ok(7)));
        let again = Pin::new(&mut reply).poll(&mut context);
        assert_eq!(again, Poll::Ready(Err(SecurityError::Unavailable)));
        assert!(matches!(reply.now(), Ok(Err(SecurityError::Unavailable))));
    }

    #[test]
    fn an_answer_on_its_way_is_awaited() {
        let mut context = Context::from_waker(Waker::noop());
        let reply = Reply::waiting(async { Err::<(), _>(SecurityError::Incorrect) });
        let Err(mut reply) = reply.now() else { panic!("it is on its way") };
        let polled = Pin::new(&mut reply).poll(&mut context);
        assert_eq!(polled, Poll::Ready(Err(SecurityError::Incorrect)));
    }
}

//! The issuer's answer to a card (tag 91, issuer authentication data): the response cryptogram
//! (ARPC) of either method of EMV Book 2 section 8.2, and what it is made over behind it. It owns
//! both methods; only a cryptogram that was right has a key for them (`cryptogram`).

use super::card_key::DerivedKey;
use super::retail_mac::retail_mac;
use super::{CRYPTOGRAM, EmvError};
use crate::card_security::{Decision, IssuerAuthentication};
use crate::des_pair::Block;
use crate::mac::MacPadding;

const MOST: usize = IssuerAuthentication::MAX_BYTES;
/// Bytes of the code of method 2.
const SHORT_CODE: usize = 4;
/// Most bytes of proprietary authentication data.
const MOST_PROPRIETARY: usize = 8;

/// Which key makes the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerKey {
    /// The card's, whatever key the cryptogram has.
    Card,
    /// The cryptogram's.
    Session,
}

/// What tells the card the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerForm {
    /// Method 1, over the response code that the terminal gets too (tag 8A).
    ResponseCode,
    /// Method 1, over a code of the card's own in its place.
    OwnCode {
        /// The card may approve.
        approved: [u8; 2],
        /// It may not.
        declined: [u8; 2],
    },
    /// Method 2, over a card status update.
    StatusUpdate {
        /// The card may approve.
        approved: [u8; 4],
        /// It may not.
        declined: [u8; 4],
    },
}

/// How the issuer authenticates itself to cards of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerMethod {
    /// Under which key.
    pub key: AnswerKey,
    /// Over what.
    pub form: AnswerForm,
}

/// The answer to a cryptogram. What the scheme adds to a status update (proprietary authentication
/// data, up to eight bytes) is for method 2 alone.
pub(super) fn authenticate(
    form: AnswerForm,
    key: &DerivedKey,
    cryptogram: [u8; CRYPTOGRAM],
    decision: &Decision,
    proprietary: &[u8],
) -> Result<IssuerAuthentication, EmvError> {
    let mut room = [0; MOST];
    let length = match form {
        AnswerForm::ResponseCode | AnswerForm::OwnCode { .. } => {
            let made = response_cryptogram(key, cryptogram, decision.response_code);
            fill(&mut room, made.into_iter().chain(decision.response_code))
        }
        AnswerForm::StatusUpdate { .. } => {
            let behind = || decision.status_update.into_iter().chain(proprietary.iter().copied());
            let message = cryptogram.into_iter().chain(behind());
            let made = retail_mac(key.cipher(), MacPadding::OneThenZeros, message);
            fill(&mut room, made.into_iter().take(SHORT_CODE).chain(behind()))
        }
    };
    if proprietary.len() > MOST_PROPRIETARY {
        return Err(EmvError::Malformed);
    }
    let made = room.get(..length).and_then(IssuerAuthentication::new);
    made.ok_or(EmvError::Malformed)
}

/// How many there were room for.
fn fill(room: &mut [u8; MOST], bytes: impl Iterator<Item = u8>) -> usize {
    room.iter_mut().zip(bytes).map(|(slot, byte)| *slot = byte).count()
}

/// Method 1: the cryptogram with the code laid over its first bytes, encrypted.
fn response_cryptogram(key: &DerivedKey, cryptogram: [u8; CRYPTOGRAM], code: [u8; 2]) -> Block {
    let mut block = cryptogram;
    block.iter_mut().zip(code).for_each(|(slot, byte)| *slot ^= byte);
    key.cipher().encrypt(block)
}

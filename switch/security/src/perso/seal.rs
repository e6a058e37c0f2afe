//! How a personalisation file is protected. It owns the keys of one file, which follow from the
//! exchange key and all of the file's head: nothing is encrypted under the exchange key itself, and
//! who changes a byte of the head has other keys. A record is bound to its place by its nonce and
//! its associated data.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::record::RECORD;
use crate::key::{Key, KeyCipher};

/// Bytes of the tag behind each record.
pub(super) const TAG: usize = 16;
/// Bytes of the code at the end.
pub(super) const TRAILER: usize = 32;

const RECORDS_LABEL: &[u8] = b"cardswitch perso file v1 records";
const TRAILER_LABEL: &[u8] = b"cardswitch perso file v1 trailer";

/// The keys of one file.
pub(super) struct FileKeys {
    records: LessSafeKey,
    trailer: Hmac<Sha256>,
}

impl FileKeys {
    /// Of a file with this head; `None` where the exchange key is no AES key of 32 bytes.
    pub(super) fn new(exchange: &Key, head: &[u8]) -> Option<Self> {
        if exchange.cipher() != KeyCipher::Aes || exchange.length() != 32 {
            return None;
        }
        let derive = |label: &[u8]| {
            let mut mac = Hmac::<Sha256>::new_from_slice(exchange.bytes()).ok()?;
            mac.update(label);
            mac.update(head);
            let derived: [u8; 32] = mac.finalize().into_bytes().into();
            Some(Zeroizing::new(derived))
        };
        let records = UnboundKey::new(&AES_256_GCM, &*derive(RECORDS_LABEL)?).ok()?;
        let trailer = Hmac::new_from_slice(&*derive(TRAILER_LABEL)?).ok()?;
        Some(Self { records: LessSafeKey::new(records), trailer })
    }

    /// Encrypts a record in place; its tag. `None` where the cipher fails.
    pub(super) fn seal(&self, place: u32, record: &mut [u8; RECORD]) -> Option<[u8; TAG]> {
        let aad = Aad::from(place.to_be_bytes());
        let tag = self.records.seal_in_place_separate_tag(nonce(place), aad, record).ok()?;
        tag.as_ref().try_into().ok()
    }

    /// Decrypts a record with its tag; `None` where it is not what was encrypted for this place.
    pub(super) fn open(&self, place: u32, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut room = Zeroizing::new(sealed.to_vec());
        let aad = Aad::from(place.to_be_bytes());
        let length = self.records.open_in_place(nonce(place), aad, &mut room).ok()?.len();
        room.truncate(length);
        Some(room)
    }

    /// The code over all that stands before it.
    pub(super) fn code(&self, all: &[u8]) -> [u8; TRAILER] {
        let mut mac = self.trailer.clone();
        mac.update(all);
        mac.finalize().into_bytes().into()
    }

    /// Whether it is that; in constant time.
    pub(super) fn is_code(&self, all: &[u8], claimed: &[u8]) -> bool {
        let mut mac = self.trailer.clone();
        mac.update(all);
        mac.verify_slice(claimed).is_ok()
    }
}

/// The place of the record, which a key of one file meets once.
fn nonce(place: u32) -> Nonce {
    let [a, b, c, d] = place.to_be_bytes();
    Nonce::assume_unique_for_key([0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d])
}

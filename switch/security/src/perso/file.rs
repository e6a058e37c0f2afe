//! The container of a personalisation file: head, records, code over all. It owns their order and
//! lengths. It is authenticated whole before any record is decrypted, and nothing is reserved by
//! what a file says of itself before its length agrees.

use aws_lc_rs::rand;
use switch_domain::Timestamp;

use super::record::{self, PersoRecord, RECORD};
use super::seal::{FileKeys, TAG, TRAILER};
use super::{BureauExchange, MOST_PERSO_RECORDS, PersoError, PersoFault, PersoRun};
use crate::SecurityError;
use crate::key::{Function, Key, KeyCheckValue, KeyName, KeyUsage};
use crate::module::SoftwareModule;

const MAGIC: &[u8; 8] = b"CSWPERSO";
const VERSION: u8 = 1;
const SALT: usize = 32;
const SEALED: usize = RECORD + TAG;

/// A file that was opened: what its head says, and its records in their order.
pub struct PersoFile {
    /// The run.
    pub run: PersoRun,
    /// What the exchange key is called.
    pub key: KeyName,
    /// The cards.
    pub records: Vec<PersoRecord>,
}

impl BureauExchange for SoftwareModule {
    fn seal_perso_file(
        &self,
        key: &KeyName,
        run: &PersoRun,
        records: &[PersoRecord],
    ) -> Result<Vec<u8>, PersoError> {
        let ring = self.keys();
        let exchange = ring.active(ring.find(key, KeyUsage::D0)?, Function::EncryptData)?;
        write(exchange, key, run, records)
    }
}

/// Writes a file. What two files have in common is under different keys: each has a salt of its
/// own, also where a run is written again.
fn write(
    exchange: &Key,
    name: &KeyName,
    run: &PersoRun,
    records: &[PersoRecord],
) -> Result<Vec<u8>, PersoError> {
    let count = records.len();
    let number = u32::try_from(count).unwrap_or(u32::MAX);
    if !(1..=MOST_PERSO_RECORDS).contains(&count) {
        return Err(PersoError::Records(count));
    }
    let failed = || PersoError::Cipher(SecurityError::Unavailable);
    let mut salt = [0; SALT];
    rand::fill(&mut salt).map_err(|_| failed())?;
    let mut file = head(exchange.check_value(), name, run, number, &salt);
    let keys = FileKeys::new(exchange, &file).ok_or(PersoError::KeyUnfit)?;
    file.reserve(count.saturating_mul(SEALED).saturating_add(TRAILER));
    for ((at, place), record) in (0..).zip(0_u32..).zip(records) {
        let written = record::write(record);
        let mut bytes = written.map_err(|element| PersoError::Element { record: at, element })?;
        let tag = keys.seal(place, &mut bytes).ok_or_else(failed)?;
        file.extend_from_slice(&*bytes);
        file.extend_from_slice(&tag);
    }
    let code = keys.code(&file);
    file.extend_from_slice(&code);
    Ok(file)
}

fn head(
    check_value: KeyCheckValue,
    name: &KeyName,
    run: &PersoRun,
    count: u32,
    salt: &[u8; SALT],
) -> Vec<u8> {
    let mut head = MAGIC.to_vec();
    head.push(VERSION);
    head.extend_from_slice(&run.id);
    head.extend_from_slice(&run.made.0.to_be_bytes());
    head.extend_from_slice(salt);
    head.extend_from_slice(&count.to_be_bytes());
    head.extend_from_slice(check_value.to_string().as_bytes());
    for name in [Some(name), run.pin_key.as_ref()] {
        let name = name.map(KeyName::as_str).unwrap_or_default();
        head.push(u8::try_from(name.len()).unwrap_or_default());
        head.extend_from_slice(name.as_bytes());
    }
    head
}

/// What a head says.
struct Head {
    run: PersoRun,
    key: KeyName,
    check_value: KeyCheckValue,
    count: usize,
}

/// Takes a head from the front; what is behind it.
fn take_head(bytes: &[u8]) -> Result<(Head, &[u8]), PersoFault> {
    const SHORT: PersoFault = PersoFault::NotOne("it ends in its head");
    fn take<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), PersoFault> {
        bytes.split_first_chunk().map(|(first, rest)| (*first, rest)).ok_or(SHORT)
    }
    fn take_name(bytes: &[u8]) -> Result<(Option<KeyName>, &[u8]), PersoFault> {
        let (length, rest) = bytes.split_first().ok_or(SHORT)?;
        let (name, rest) = rest.split_at_checked(usize::from(*length)).ok_or(SHORT)?;
        if name.is_empty() {
            return Ok((None, rest));
        }
        let name = std::str::from_utf8(name).ok().and_then(KeyName::new);
        let name = name.ok_or(PersoFault::NotOne("the name of a key is none"))?;
        Ok((Some(name), rest))
    }
    let (magic, rest) = take(bytes)?;
    if magic != *MAGIC {
        return Err(PersoFault::NotOne("it begins otherwise"));
    }
    let ([version], rest) = take(rest)?;
    if version != VERSION {
        return Err(PersoFault::NotOne("it is of another version"));
    }
    let (id, rest) = take(rest)?;
    let (made, rest) = take(rest)?;
    let (_, rest) = take::<SALT>(rest)?;
    let (count, rest) = take(rest)?;
    let (check_value, rest) = take::<6>(rest)?;
    let check_value = std::str::from_utf8(&check_value).ok().and_then(KeyCheckValue::parse);
    let check_value = check_value.ok_or(PersoFault::NotOne("the check value is none"))?;
    let (key, rest) = take_name(rest)?;
    let key = key.ok_or(PersoFault::NotOne("it names no key"))?;
    let (pin_key, rest) = take_name(rest)?;
    let made = Timestamp(i64::from_be_bytes(made));
    let count = usize::try_from(u32::from_be_bytes(count)).unwrap_or(usize::MAX);
    if !(1..=MOST_PERSO_RECORDS).contains(&count) {
        return Err(PersoFault::NotOne("it has no such number of records"));
    }
    Ok((Head { run: PersoRun { id, made, pin_key }, key, check_value, count }, rest))
}

impl PersoFile {
    /// The most bytes of a file: who reads one from outside reads no more.
    pub const MOST_BYTES: usize = 256 + MOST_PERSO_RECORDS * SEALED + TRAILER;

    /// Opens a file with the exchange key.
    ///
    /// # Errors
    /// It is none, or under another key, or anything of it is not as it was written.
    pub fn open(bytes: &[u8], exchange: &Key) -> Result<Self, PersoFault> {
        if bytes.len() > Self::MOST_BYTES {
            return Err(PersoFault::NotOne("it is longer than any"));
        }
        let (Head { run, key, check_value, count }, behind) = take_head(bytes)?;
        if !Function::DecryptData.permits(exchange.usage(), exchange.mode()) {
            return Err(PersoFault::KeyUnfit);
        }
        let ours = exchange.check_value();
        if check_value != ours {
            return Err(PersoFault::OtherKey { found: check_value, ours });
        }
        let of_head = bytes.len().saturating_sub(behind.len());
        let head = bytes.get(..of_head).unwrap_or_default();
        let keys = FileKeys::new(exchange, head).ok_or(PersoFault::KeyUnfit)?;
        let length = count.saturating_mul(SEALED);
        let (sealed, code) = behind
            .split_at_checked(length)
            .filter(|(_, code)| code.len() == TRAILER)
            .ok_or(PersoFault::NotOne("it has another length than its head says"))?;
        let all = bytes.get(..of_head.saturating_add(length)).unwrap_or_default();
        if !keys.is_code(all, code) {
            return Err(PersoFault::NotAuthentic);
        }
        let mut records = Vec::with_capacity(count);
        for ((at, place), sealed) in (0..).zip(0_u32..).zip(sealed.chunks_exact(SEALED)) {
            let clear = keys.open(place, sealed).ok_or(PersoFault::NotAuthentic)?;
            let read = record::read(&clear);
            records.push(read.map_err(|element| PersoFault::Record { record: at, element })?);
        }
        Ok(Self { run, key, records })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyCipher;
    use crate::perso::tests::{record, run};

    // Who has the key may move records: but then each is no more what was sealed for its place.
    #[test]
    fn a_record_in_another_place_does_not_open_even_under_a_right_code() {
        let exchange = Key::new(KeyUsage::D0, KeyCipher::Aes, &[7; 32]).expect("a key");
        let name = KeyName::new("bureau").expect("a name");
        let records = [record(1), record(2)];
        let file = write(&exchange, &name, &run(), &records).expect("a file");
        let of_head = file.len() - 2 * SEALED - TRAILER;
        let (head, rest) = file.split_at(of_head);
        let (first, rest) = rest.split_at(SEALED);
        let second = &rest[..SEALED];
        let keys = FileKeys::new(&exchange, head).expect("keys");
        for order in [[second, first], [first, first]] {
            let mut moved = [head, order[0], order[1]].concat();
            let code = keys.code(&moved);
            moved.extend_from_slice(&code);
            assert_eq!(PersoFile::open(&moved, &exchange).err(), Some(PersoFault::NotAuthentic));
        }
    }

    #[test]
    fn elements_out_of_place_are_no_record() {
        let good = record::write(&record(1)).expect("written");
        assert!(record::read(&*good).is_ok());
        for at in 0..RECORD {
            let mut cut = good.clone();
            cut[at] ^= 0x80;
            // Another reference, another letter of an address: what it says, and not how.
            if let Ok(read) = record::read(&*cut) {
                let again = record::write(&read).expect("what was read can be written");
                assert!(again[..] == cut[..], "byte {at}");
            }
            assert!(record::read(&good[..at]).is_err(), "cut at {at}");
        }
    }
}

//! How host commands take card numbers. It owns the three ways, and is the only place of this
//! package that reads digits of a PAN: they go into a command, which is wiped, and nowhere else.

use switch_domain::Pan;
use switch_security::PanPart;
use switch_security::exit::digits_for_host_command;
use zeroize::Zeroizing;

use crate::fields::{CommandWriter, Malformed};

/// Ends a field of variable length.
pub(crate) const DELIMITER: &[u8] = b";";
/// Digits of an account number.
const ACCOUNT: usize = 12;
/// Digits of a PAN and a sequence number, where they are cut to eight bytes.
const FORMATTED: usize = 16;

/// All digits, and the end of them.
pub(crate) fn write_whole(pan: &Pan, out: &mut CommandWriter) {
    out.bytes(digits_for_host_command(pan));
    out.bytes(DELIMITER);
}

/// The twelve digits in front of the check digit.
pub(crate) fn write_account(pan: &Pan, out: &mut CommandWriter) {
    let account = last::<ACCOUNT>(without_check_digit(pan).iter().copied());
    out.bytes(&*account);
}

/// The last sixteen digits of PAN and sequence number, as eight bytes: what option A of EMV takes.
pub(crate) fn write_formatted(pan: &Pan, sequence: u8, out: &mut CommandWriter) {
    let digits = with_sequence(pan, sequence);
    let formatted = last::<FORMATTED>(digits.iter().copied().filter(|digit| *digit > 0));
    write_packed(&*formatted, out);
}

/// Whether the last sixteen digits are all that there is, so that options A and B are one.
pub(crate) fn fits_formatted(pan: &Pan) -> bool {
    // Sequence numbers have two digits; option B hashes only what is longer than sixteen with it.
    pan.length() <= 16
}

/// All digits of PAN and sequence number, as bytes behind their number: what option B takes.
pub(crate) fn write_packed_whole(
    pan: &Pan,
    sequence: u8,
    out: &mut CommandWriter,
) -> Result<(), Malformed> {
    let digits = with_sequence(pan, sequence);
    let used = digits.iter().position(|digit| *digit == 0).unwrap_or(digits.len());
    let used = digits.get(..used).unwrap_or_default();
    let mut even = Zeroizing::new([b'0'; 22]);
    let length = used.len().saturating_add(used.len() % 2);
    let from = even.len().saturating_sub(used.len());
    even.get_mut(from..).unwrap_or_default().copy_from_slice(used);
    out.number("length of the PAN", length.saturating_div(2), 2)?;
    let start = even.len().saturating_sub(length);
    write_packed(even.get(start..).unwrap_or_default(), out);
    out.bytes(DELIMITER);
    Ok(())
}

/// Where the last `N` digits in front of the check digit stand in these, the last such place.
pub(crate) fn place_of_account<const N: usize>(pan: &Pan, digits: &[u8; 16]) -> Option<usize> {
    let account = last::<N>(without_check_digit(pan).iter().copied());
    digits.windows(N).rposition(|window| window == account.as_slice())
}

/// The validation data of the offset method: a part of the card number, filled up. Sixteen
/// hexadecimal digits, in ASCII.
pub(crate) struct Validation(Zeroizing<[u8; 16]>);

impl Validation {
    /// Of this part, filled up with this hexadecimal digit.
    pub(crate) fn of(pan: &Pan, part: PanPart, pad: u8) -> Result<Self, Malformed> {
        let digits = digits_for_host_command(pan);
        let part = match part {
            PanPart::FromLeft { skip, take } => {
                let from = digits.get(usize::from(skip)..).unwrap_or_default();
                from.get(..usize::from(take)).unwrap_or(from)
            }
            PanPart::BeforeCheckDigit { take } => {
                let digits = without_check_digit(pan);
                let skipped = digits.len().saturating_sub(usize::from(take));
                digits.get(skipped..).unwrap_or_default()
            }
        };
        let filler = b"0123456789ABCDEF".get(usize::from(pad)).ok_or(Malformed("filler"))?;
        let mut all = Zeroizing::new([*filler; 16]);
        if part.len() > all.len() {
            return Err(Malformed("validation data"));
        }
        for (slot, digit) in all.iter_mut().zip(part) {
            *slot = *digit;
        }
        Ok(Self(all))
    }

    pub(crate) fn digits(&self) -> &[u8; 16] {
        &self.0
    }
}

fn without_check_digit(pan: &Pan) -> &[u8] {
    let digits = digits_for_host_command(pan);
    digits.get(..digits.len().saturating_sub(1)).unwrap_or_default()
}

/// Digits of the PAN and two of the sequence number; zero bytes where there are none.
fn with_sequence(pan: &Pan, sequence: u8) -> Zeroizing<[u8; 21]> {
    let mut all = Zeroizing::new([0; 21]);
    let tens = b'0'.saturating_add((sequence / 10) % 10);
    let ones = b'0'.saturating_add(sequence % 10);
    let digits = digits_for_host_command(pan).iter().copied().chain([tens, ones]);
    for (slot, digit) in all.iter_mut().zip(digits) {
        *slot = digit;
    }
    all
}

/// The last `N` of these, with zeros in front where there are fewer.
fn last<const N: usize>(digits: impl DoubleEndedIterator<Item = u8>) -> Zeroizing<[u8; N]> {
    let mut kept = Zeroizing::new([b'0'; N]);
    for (slot, digit) in kept.iter_mut().rev().zip(digits.rev()) {
        *slot = digit;
    }
    kept
}

/// Two digits a byte.
fn write_packed(digits: &[u8], out: &mut CommandWriter) {
    for pair in digits.chunks_exact(2) {
        let packed = pair.iter().fold(0u8, |byte, digit| (byte << 4) | (digit & 15));
        out.bytes(&[packed]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Header;

    fn written(write: impl FnOnce(&mut CommandWriter)) -> Vec<u8> {
        let mut out = CommandWriter::new(4, 256, *b"XX");
        write(&mut out);
        let header = Header::of(b"0000").unwrap();
        out.finish().unwrap().under(header).as_slice()[8..].to_vec()
    }

    #[test]
    fn validation_data_are_a_part_of_the_number_filled_up() {
        let pan = Pan::from_digits(b"9999991234567894").unwrap();
        let of = |part, pad| Validation::of(&pan, part, pad).map(|data| *data.digits());
        let usual = PanPart::BeforeCheckDigit { take: 12 };
        assert_eq!(of(usual, 0), Ok(*b"9991234567890000"));
        assert_eq!(of(PanPart::FromLeft { skip: 4, take: 10 }, 15), Ok(*b"9912345678FFFFFF"));
        assert_eq!(of(PanPart::FromLeft { skip: 12, take: 10 }, 10), Ok(*b"7894AAAAAAAAAAAA"));
        assert_eq!(of(PanPart::BeforeCheckDigit { take: 16 }, 0), Ok(*b"9999991234567890"));
        assert_eq!(of(usual, 16), Err(Malformed("filler")));
        let data = Validation::of(&pan, usual, 0).unwrap();
        assert_eq!(place_of_account::<5>(&pan, data.digits()), Some(7));
        assert_eq!(place_of_account::<5>(&pan, b"0000000000000000"), None);
    }

    #[test]
    fn each_way_takes_its_digits() {
        let pan = Pan::from_digits(b"9999991234567894").unwrap();
        assert_eq!(written(|out| write_whole(&pan, out)), b"9999991234567894;");
        assert_eq!(written(|out| write_account(&pan, out)), b"999123456789");
        let formatted = [0x99, 0x99, 0x12, 0x34, 0x56, 0x78, 0x94, 0x07];
        assert_eq!(written(|out| write_formatted(&pan, 7, out)), formatted);
        let mut packed = b"09\x99\x99\x99\x12\x34\x56\x78\x94\x07;".to_vec();
        assert_eq!(written(|out| write_packed_whole(&pan, 7, out).unwrap()), packed);
        let long = Pan::from_digits(b"9999991234567894123").unwrap();
        packed = b"11\x09\x99\x99\x91\x23\x45\x67\x89\x41\x23\x12;".to_vec();
        assert_eq!(written(|out| write_packed_whole(&long, 12, out).unwrap()), packed);
        let short = Pan::from_digits(b"999999123456").unwrap();
        assert_eq!(written(|out| write_account(&short, out)), b"099999912345");
        let formatted = [0x00, 0x99, 0x99, 0x99, 0x12, 0x34, 0x56, 0x00];
        assert_eq!(written(|out| write_formatted(&short, 0, out)), formatted);
    }
}

//! The account number of a PIN command, and what the offset method computes from it. Validation
//! data come as characters, and the software module asks which part of a card number they are: a
//! number of which they are a part is put together here. Must leave the account as it came.

use switch_domain::Pan;
use switch_security::{DecimalisationTable, Ibm3624, PanPart};

use super::fields::{Code, Fields, INVALID};

/// A decimalization table that gives PINs away.
const TABLE: Code = *b"25";

/// The digits before the check digit, and a card number that has them.
pub(super) struct Account {
    digits: Vec<u8>,
    /// A zero where it did not come: format 4 alone is bound to it, and brings it.
    check_digit: u8,
    pub(super) pan: Pan,
}

impl Account {
    /// Twelve digits, or the whole number and a semicolon.
    pub(super) fn read(fields: &mut Fields<'_>, whole: bool) -> Result<Self, Code> {
        let (digits, check_digit) = if whole {
            let (check_digit, digits) = fields.until_semicolon()?.split_last().ok_or(INVALID)?;
            (digits.to_vec(), *check_digit)
        } else {
            (fields.digits(12)?.to_vec(), b'0')
        };
        let pan = number(&digits, check_digit)?;
        Ok(Self { digits, check_digit, pan })
    }
}

fn number(digits: &[u8], check_digit: u8) -> Result<Pan, Code> {
    Pan::from_digits(&[digits, &[check_digit]].concat()).map_err(|_| INVALID)
}

/// What the method computes with, and from which number.
pub(super) struct OffsetTerms {
    pub(super) ibm3624: Ibm3624,
    pub(super) pan: Pan,
}

impl OffsetTerms {
    pub(super) fn read(fields: &mut Fields<'_>, account: &Account) -> Result<Self, Code> {
        let table = DecimalisationTable::from_digits(fields.digits(16)?).ok_or(TABLE)?;
        let data = validation_data(fields, account)?;
        let filler = *data.last().ok_or(INVALID)?;
        let filled = data.iter().rev().take_while(|digit| **digit == filler).count();
        // A digit of the number may be the filler too: each end of the part is tried.
        let ends = data.len() - filled..=data.len();
        let found = ends.rev().find_map(|end| part_of(&data[..end], account));
        let (pan, validation) = found.ok_or(INVALID)?;
        let pad = char::from(filler).to_digit(16).and_then(|pad| u8::try_from(pad).ok());
        let ibm3624 = Ibm3624 { validation, pad: pad.ok_or(INVALID)?, table };
        Ok(Self { ibm3624, pan })
    }
}

/// Sixteen hexadecimal digits: behind `P` as they are; else twelve characters, with the last five
/// digits of the account in the place of the `N`.
fn validation_data(fields: &mut Fields<'_>, account: &Account) -> Result<Vec<u8>, Code> {
    if fields.peek().first() == Some(&b'P') {
        fields.bytes(1)?;
        return Ok(fields.bytes(16)?.to_vec());
    }
    let given = fields.bytes(12)?;
    let place = given.iter().position(|character| *character == b'N').ok_or(INVALID)?;
    let last = account.digits.len().checked_sub(5).ok_or(INVALID)?;
    Ok([&given[..place], &account.digits[last..], &given[place + 1..]].concat())
}

/// A number with this account of which these digits are a part, and which.
fn part_of(digits: &[u8], account: &Account) -> Option<(Pan, PanPart)> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let take = u8::try_from(digits.len()).ok()?;
    if account.digits.ends_with(digits) {
        return Some((account.pan.clone(), PanPart::BeforeCheckDigit { take }));
    }
    // They begin in front of the account, and end within it.
    let places = 0..digits.len();
    places.into_iter().find_map(|place| {
        let (before, within) = digits.split_at(place);
        let whole = account.digits.starts_with(within).then(|| [before, &account.digits].concat());
        Some((number(&whole?, account.check_digit).ok()?, PanPart::FromLeft { skip: 0, take }))
    })
}

#[test]
fn a_part_is_found_of_a_number_with_the_same_account() {
    let mut fields = Fields::new(b"999123456789");
    let account = Account::read(&mut fields, false).unwrap();
    let terms = |text: &str| {
        let text = format!("0123456789012345{text}");
        let terms = OffsetTerms::read(&mut Fields::new(text.as_bytes()), &account);
        terms.map(|terms| (terms.pan.length(), terms.ibm3624.validation, terms.ibm3624.pad))
    };
    let before = |take| PanPart::BeforeCheckDigit { take };
    assert_eq!(terms("9991234N0000"), Ok((13, before(12), 0)));
    assert_eq!(terms("34NFFFFFFFFF"), Ok((13, before(7), 15)));
    let from_left = PanPart::FromLeft { skip: 0, take: 16 };
    assert_eq!(terms("P9999991234567890"), Ok((16, PanPart::FromLeft { skip: 0, take: 15 }, 0)));
    assert_eq!(terms("P8889999991234567"), Ok((19, from_left, 7)));
    assert_eq!(terms("P1111111111111111"), Ok((13, before(0), 1)));
    assert_eq!(terms("P1111111111111112"), Err(INVALID));
    assert_eq!(terms("P999912345"), Err(INVALID));
    assert_eq!(terms("999912345678"), Err(INVALID));
}

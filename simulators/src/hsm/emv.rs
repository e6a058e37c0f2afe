//! KQ and KW of a simulated unit. They bring the data of a cryptogram as bytes, and the
//! software module wants a profile and data elements: the bytes are cut into elements here, by the
//! first profile that they fit.

use switch_domain::Pan;
use switch_security::{
    AnswerForm, CardKeyOption, CardSecurity, ChipData, CryptogramProfile, DataElement, Decision,
    Decisions, Element, KeyUsage, MacPadding, ProfileName, SessionMethod, VerifyCryptogram,
};

use super::fields::{Code, Fields, INVALID};
use super::keys::{Keys, now};

/// A card number and a sequence number, packed.
pub(super) struct Card {
    pub(super) pan: Pan,
    pub(super) sequence: u8,
}

impl Card {
    /// Two digits a byte, the last two of them the sequence number.
    fn unpack(packed: &[u8]) -> Result<Self, Code> {
        let digits = packed.iter().flat_map(|byte| [b'0' + (byte >> 4), b'0' + (byte & 15)]);
        let mut digits: Vec<u8> = digits.collect();
        if !digits.iter().all(u8::is_ascii_digit) || digits.len() < 2 {
            return Err(INVALID);
        }
        let sequence = digits.split_off(digits.len() - 2);
        let sequence = (sequence[0] - b'0') * 10 + sequence[1] - b'0';
        // A zero in front made the number of digits even.
        let surplus = digits.len().saturating_sub(Pan::MAX_DIGITS);
        let pan = Pan::from_digits(&digits[surplus..]).map_err(|_| INVALID)?;
        Ok(Self { pan, sequence })
    }

    /// Eight bytes.
    pub(super) fn formatted(fields: &mut Fields<'_>) -> Result<Self, Code> {
        Self::unpack(fields.bytes(8)?)
    }

    /// Behind the number of bytes.
    pub(super) fn whole(fields: &mut Fields<'_>) -> Result<Self, Code> {
        let length = fields.number(2)?;
        let card = Self::unpack(fields.bytes(length)?)?;
        fields.is(b";")?;
        Ok(card)
    }
}

/// `KQ`.
pub(super) fn verify_first_ways(keys: &Keys, mut fields: Fields<'_>) -> Result<Vec<u8>, Code> {
    let with_answer = fields.number(1)? == 1;
    let session = match fields.bytes(1)? {
        b"0" => SessionMethod::CardKey,
        b"1" => SessionMethod::MastercardSkd,
        _ => return Err(INVALID),
    };
    let key = fields.key()?;
    let card = Card::formatted(&mut fields)?;
    fields.bytes(2)?; // the counter, which stands in the data too
    let number = u32::from_be_bytes(fields.array()?);
    let data = data(&mut fields)?;
    let cryptogram = fields.array()?;
    let answer = if with_answer { Answer::One(fields.array()?) } else { Answer::None };
    fields.end()?;
    let row = |row: &&CryptogramProfile| row.session == session && answer.fits(row);
    verify(keys, key, &card, Some(number), data, cryptogram, answer, row)
}

/// `KW`, of common session keys.
pub(super) fn verify_common(keys: &Keys, mut fields: Fields<'_>) -> Result<Vec<u8>, Code> {
    let mode = fields.number(1)?;
    let scheme = fields.bytes(1)?;
    let key = fields.key()?;
    let (card, option) = match scheme {
        b"2" => (Card::formatted(&mut fields)?, CardKeyOption::A),
        b"3" => (Card::whole(&mut fields)?, CardKeyOption::B),
        _ => return Err(INVALID),
    };
    fields.bytes(2)?; // the counter, which stands in the data too
    let data = data(&mut fields)?;
    let cryptogram = fields.array()?;
    let answer = match mode {
        0 => Answer::None,
        1 => Answer::One(fields.array()?),
        3 => {
            let status = fields.array()?;
            fields.is(b"0")?;
            Answer::Two(status)
        }
        _ => return Err(INVALID),
    };
    fields.end()?;
    let row = |row: &&CryptogramProfile| {
        row.session == SessionMethod::Common && row.card_key == option && answer.fits(row)
    };
    verify(keys, key, &card, None, data, cryptogram, answer, row)
}

fn data<'a>(fields: &mut Fields<'a>) -> Result<&'a [u8], Code> {
    let length = fields.hex_number(2)?;
    let data = fields.bytes(length)?;
    fields.is(b";")?;
    Ok(data)
}

/// What is asked for besides.
#[derive(Clone, Copy)]
enum Answer {
    None,
    One([u8; 2]),
    Two([u8; 4]),
}

impl Answer {
    fn fits(self, row: &CryptogramProfile) -> bool {
        let by_status =
            matches!(row.answer.map(|of| of.form), Some(AnswerForm::StatusUpdate { .. }));
        match self {
            Self::None => true,
            Self::One(_) => row.answer.is_some() && !by_status,
            Self::Two(_) => by_status,
        }
    }

    fn decisions(self) -> Option<Decisions> {
        let decision = match self {
            Self::None => return None,
            Self::One(response_code) => Decision { response_code, status_update: [0; 4] },
            Self::Two(status_update) => Decision { response_code: [0; 2], status_update },
        };
        Some(Decisions { approved: decision, declined: decision })
    }

    const fn code_bytes(self) -> usize {
        match self {
            Self::None => 0,
            Self::One(_) => 8,
            Self::Two(_) => 4,
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "the fields of two commands, as they come")]
fn verify(
    keys: &Keys,
    key: &str,
    card: &Card,
    number: Option<u32>,
    data: &[u8],
    cryptogram: [u8; 8],
    answer: Answer,
    row: impl FnMut(&&CryptogramProfile) -> bool,
) -> Result<Vec<u8>, Code> {
    let key = keys.handle(key, KeyUsage::E0)?;
    let mut rows = CryptogramProfile::all().iter().filter(row);
    let cut = rows.find_map(|row| Some((row, Cut::new(row, data)?)));
    let (row, cut) = cut.ok_or(INVALID)?;
    // Where it is a field of its own it counts, as in the key of the session.
    if number.is_some_and(|number| number != cut.unpredictable_number) {
        return Err(INVALID);
    }
    let elements: Vec<DataElement<'_>> =
        cut.tags.iter().map(|(tag, value)| DataElement { tag: *tag, value }).collect();
    let chip = ChipData {
        atc: cut.atc,
        unpredictable_number: cut.unpredictable_number,
        issuer_application_data: &cut.issuer_data,
        elements: &elements,
    };
    let command = VerifyCryptogram {
        profile: ProfileName::new(row.name).ok_or(INVALID)?,
        key,
        pan: &card.pan,
        sequence: card.sequence,
        chip,
        cryptogram,
        answers: answer.decisions(),
    };
    let verified = now(keys.module().verify_cryptogram(command))?;
    let arpc = verified.approved.map(|made| made.bytes()[..answer.code_bytes()].to_vec());
    Ok(arpc.unwrap_or_default())
}

/// Data of a cryptogram, cut by a profile.
struct Cut {
    tags: Vec<(u32, Vec<u8>)>,
    atc: u16,
    unpredictable_number: u32,
    issuer_data: Vec<u8>,
}

impl Cut {
    /// `None` where they do not fit the profile to their end.
    fn new(row: &CryptogramProfile, data: &[u8]) -> Option<Self> {
        let mut left = match row.padding {
            MacPadding::OneThenZeros => unpadded(data)?,
            MacPadding::Zeros => data,
        };
        let mut cut =
            Self { tags: Vec::new(), atc: 0, unpredictable_number: 0, issuer_data: blank(row) };
        for element in row.data.iter().copied().flatten() {
            let length = match element {
                Element::Tag { length, .. } => usize::from(*length),
                Element::UnpredictableNumber => 4,
                Element::Counter => 2,
                Element::IssuerData => left.len(),
                Element::PartOfIssuerData(part) => usize::from(part.length),
            };
            let (value, rest) = left.split_at_checked(length)?;
            left = rest;
            match element {
                Element::Tag { tag, .. } => cut.tags.push((*tag, value.to_vec())),
                Element::UnpredictableNumber => {
                    cut.unpredictable_number = u32::from_be_bytes(value.try_into().ok()?);
                }
                Element::Counter => cut.atc = u16::from_be_bytes(value.try_into().ok()?),
                Element::IssuerData => cut.issuer_data = value.to_vec(),
                Element::PartOfIssuerData(part) => {
                    let from = usize::from(part.from);
                    cut.issuer_data.get_mut(from..from + length)?.copy_from_slice(value);
                }
            }
        }
        (left.is_empty() && row.made(&cut.issuer_data)).then_some(cut)
    }
}

/// Issuer application data of a profile, of which only parts come in the data.
fn blank(row: &CryptogramProfile) -> Vec<u8> {
    let layout = row.issuer_data;
    let mut data = vec![0; usize::from(layout.lengths.0)];
    if let (Some(first), Some(slot)) = (layout.first, data.first_mut()) {
        *slot = first;
    }
    if let Some(slot) = data.get_mut(usize::from(layout.version_at)) {
        *slot = row.version;
    }
    data
}

/// Without the 80 and the zeros at their end.
fn unpadded(data: &[u8]) -> Option<&[u8]> {
    let end = data.iter().rposition(|byte| *byte != 0)?;
    (data[end] == 0x80 && data.len().is_multiple_of(8)).then(|| &data[..end])
}

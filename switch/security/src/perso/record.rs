//! A record of a personalisation file: one card, and where it is to go. It owns the elements, their
//! order and their limits. All records are equally long, so that no length tells of an address; a
//! record that is read has every element in its place, or is none.

use switch_domain::{Expiry, Pan, ServiceCode};
use zeroize::Zeroizing;

use super::PersoText;
use crate::card_security::{CardValue, EncryptedPinBlock, PinBlockFormat};
use crate::exit::pan_for_bureau;

/// Bytes of a record before it is encrypted.
pub(super) const RECORD: usize = 640;

/// A card to be made. Nothing of it can be printed:
///
/// ```compile_fail
/// fn print<T: std::fmt::Debug>() {}
/// print::<switch_security::PersoRecord>();
/// ```
pub struct PersoRecord {
    /// Our reference: that of the order.
    pub reference: [u8; 16],
    /// The number.
    pub pan: Pan,
    /// Last month of validity.
    pub expiry: Expiry,
    /// Of stripe and chip.
    pub service_code: ServiceCode,
    /// The PAN sequence number, 0 to 99.
    pub sequence: u8,
    /// The holder's name as it is embossed and on the track: 2 to 26 of `A` to `Z`, digits, space
    /// and `.-'`.
    pub holder: PersoText,
    /// The value of the stripe.
    pub cvv: Option<CardValue>,
    /// The value of the chip's track.
    pub icvv: Option<CardValue>,
    /// The value that is printed.
    pub cvv2: Option<CardValue>,
    /// The PIN, where the holder chose one.
    pub pin: Option<PersoPin>,
    /// Where the card goes.
    pub delivery: Delivery,
}

/// A PIN for the bureau: under the zone key that the head of the file names.
pub struct PersoPin {
    /// The format of the block.
    pub format: PinBlockFormat,
    /// The block.
    pub block: EncryptedPinBlock,
}

/// Where a card goes.
pub struct Delivery {
    /// How.
    pub way: DeliveryWay,
    /// To whom.
    pub addressee: PersoText,
    /// Street and number.
    pub street: PersoText,
    /// Place.
    pub city: PersoText,
    /// Postal code.
    pub postal_code: PersoText,
    /// ISO 3166-1 alpha-2.
    pub country: PersoText,
    /// For the courier.
    pub phone: Option<PersoText>,
}

/// How a card is brought (SR-169).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryWay {
    /// By post.
    Post,
    /// By a courier.
    Courier,
}

impl DeliveryWay {
    const fn letter(self) -> u8 {
        match self {
            Self::Post => b'P',
            Self::Courier => b'C',
        }
    }
}

/// An element: its tag, what it is called, and how many bytes it has.
struct Element(u8, &'static str, std::ops::RangeInclusive<usize>);

const REFERENCE: Element = Element(0x01, "reference", 16..=16);
const NUMBER: Element = Element(0x02, "number", Pan::MIN_DIGITS..=Pan::MAX_DIGITS);
const EXPIRY: Element = Element(0x03, "expiry", 4..=4);
const SERVICE_CODE: Element = Element(0x04, "service code", 3..=3);
const SEQUENCE: Element = Element(0x05, "sequence", 1..=1);
const HOLDER: Element = Element(0x06, "holder", 2..=26);
const CVV: Element = Element(0x07, "CVV", 3..=3);
const ICVV: Element = Element(0x08, "iCVV", 3..=3);
const CVV2: Element = Element(0x09, "CVV2", 3..=3);
const PIN: Element = Element(0x0A, "PIN", 9..=17);
const WAY: Element = Element(0x0B, "way", 1..=1);
const ADDRESSEE: Element = Element(0x0C, "addressee", 1..=100);
const STREET: Element = Element(0x0D, "street", 1..=200);
const CITY: Element = Element(0x0E, "city", 1..=100);
const POSTAL_CODE: Element = Element(0x0F, "postal code", 1..=16);
const COUNTRY: Element = Element(0x10, "country", 2..=2);
const PHONE: Element = Element(0x11, "phone", 1..=20);

/// The element that is at fault.
pub(super) type AtFault = &'static str;

/// Room for a record that is written, wiped on drop.
struct Room {
    bytes: Zeroizing<[u8; RECORD]>,
    used: usize,
}

impl Room {
    fn put(&mut self, element: &Element, value: &[u8]) -> Result<(), AtFault> {
        let Element(tag, name, lengths) = element;
        let length = u8::try_from(value.len()).map_err(|_| *name)?;
        if !lengths.contains(&value.len()) {
            return Err(name);
        }
        let room = self.bytes.get_mut(self.used..).unwrap_or_default();
        let parts = [*tag, length].into_iter().chain(value.iter().copied());
        let size = value.len().saturating_add(2);
        if room.len() < size {
            return Err(name);
        }
        room.iter_mut().zip(parts).for_each(|(slot, byte)| *slot = byte);
        self.used = self.used.saturating_add(size);
        Ok(())
    }

    fn put_text(&mut self, element: &Element, text: &PersoText) -> Result<(), AtFault> {
        if text.expose().chars().any(char::is_control) {
            return Err(element.1);
        }
        self.put(element, text.expose().as_bytes())
    }

    fn put_value(&mut self, element: &Element, value: Option<&CardValue>) -> Result<(), AtFault> {
        value.map_or(Ok(()), |value| self.put(element, value.digits_for_card()))
    }
}

/// Writes a record. Its number goes out here, and nowhere else.
pub(super) fn write(record: &PersoRecord) -> Result<Zeroizing<[u8; RECORD]>, AtFault> {
    let mut room = Room { bytes: Zeroizing::new([0; RECORD]), used: 0 };
    room.put(&REFERENCE, &record.reference)?;
    room.put(&NUMBER, pan_for_bureau(&record.pan, &record.reference))?;
    room.put(&EXPIRY, format!("{:04}", record.expiry.yymm()).as_bytes())?;
    room.put(&SERVICE_CODE, &record.service_code.digits())?;
    if record.sequence > 99 {
        return Err(SEQUENCE.1);
    }
    room.put(&SEQUENCE, &[record.sequence])?;
    if !is_embossed(record.holder.expose()) {
        return Err(HOLDER.1);
    }
    room.put(&HOLDER, record.holder.expose().as_bytes())?;
    room.put_value(&CVV, record.cvv.as_ref())?;
    room.put_value(&ICVV, record.icvv.as_ref())?;
    room.put_value(&CVV2, record.cvv2.as_ref())?;
    if let Some(PersoPin { format, block }) = &record.pin {
        if block.bytes().len() != format.bytes() {
            return Err(PIN.1);
        }
        let whole = Zeroizing::new([&[format.number()], block.bytes()].concat());
        room.put(&PIN, &whole)?;
    }
    let to = &record.delivery;
    room.put(&WAY, &[to.way.letter()])?;
    for (element, text) in [
        (&ADDRESSEE, &to.addressee),
        (&STREET, &to.street),
        (&CITY, &to.city),
        (&POSTAL_CODE, &to.postal_code),
        (&COUNTRY, &to.country),
    ] {
        room.put_text(element, text)?;
    }
    if let Some(phone) = &to.phone {
        room.put_text(&PHONE, phone)?;
    }
    Ok(room.bytes)
}

/// What is left of a record that is read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    /// The next element where it is this one.
    fn may(&mut self, element: &Element) -> Result<Option<&'a [u8]>, AtFault> {
        let Element(wanted, name, lengths) = element;
        let (tag, behind) = self.0.split_first().ok_or(*name)?;
        if tag != wanted {
            return Ok(None);
        }
        let (length, behind) = behind.split_first().ok_or(*name)?;
        let (value, behind) = behind.split_at_checked(usize::from(*length)).ok_or(*name)?;
        self.0 = behind;
        if lengths.contains(&value.len()) { Ok(Some(value)) } else { Err(name) }
    }

    fn must(&mut self, element: &Element) -> Result<&'a [u8], AtFault> {
        self.may(element)?.ok_or(element.1)
    }

    fn number(&mut self, element: &Element) -> Result<u16, AtFault> {
        let digits = self.must(element)?;
        let text = std::str::from_utf8(digits).map_err(|_| element.1)?;
        let all = digits.iter().all(u8::is_ascii_digit);
        text.parse().ok().filter(|_| all).ok_or(element.1)
    }

    fn value(&mut self, element: &Element) -> Result<Option<CardValue>, AtFault> {
        let Some(digits) = self.may(element)? else { return Ok(None) };
        CardValue::from_digits(digits).map(Some).ok_or(element.1)
    }

    fn may_text(&mut self, element: &Element) -> Result<Option<PersoText>, AtFault> {
        let Some(bytes) = self.may(element)? else { return Ok(None) };
        let text = std::str::from_utf8(bytes).map_err(|_| element.1)?;
        if text.chars().any(char::is_control) {
            return Err(element.1);
        }
        Ok(Some(PersoText::new(text.to_owned())))
    }

    fn text(&mut self, element: &Element) -> Result<PersoText, AtFault> {
        self.may_text(element)?.ok_or(element.1)
    }
}

/// Reads a record; the element that is missing, out of place or malformed, where one is.
pub(super) fn read(bytes: &[u8]) -> Result<PersoRecord, AtFault> {
    if bytes.len() != RECORD {
        return Err("length");
    }
    let mut rest = Rest(bytes);
    let reference = rest.must(&REFERENCE)?.try_into().map_err(|_| REFERENCE.1)?;
    let pan = Pan::from_digits(rest.must(&NUMBER)?).map_err(|_| NUMBER.1)?;
    if !pan.passes_luhn() {
        return Err(NUMBER.1);
    }
    let expiry = Expiry::from_yymm(rest.number(&EXPIRY)?).map_err(|_| EXPIRY.1)?;
    let service_code = rest.number(&SERVICE_CODE)?;
    let service_code = ServiceCode::new(service_code).map_err(|_| SERVICE_CODE.1)?;
    let sequence = rest.must(&SEQUENCE)?.first().copied().filter(|it| *it <= 99);
    let sequence = sequence.ok_or(SEQUENCE.1)?;
    let holder = rest.text(&HOLDER)?;
    if !is_embossed(holder.expose()) {
        return Err(HOLDER.1);
    }
    let [cvv, icvv, cvv2] = [rest.value(&CVV)?, rest.value(&ICVV)?, rest.value(&CVV2)?];
    let pin = rest.may(&PIN)?.map(pin).transpose()?;
    let way = match rest.must(&WAY)? {
        b"P" => DeliveryWay::Post,
        b"C" => DeliveryWay::Courier,
        _ => return Err(WAY.1),
    };
    let delivery = Delivery {
        way,
        addressee: rest.text(&ADDRESSEE)?,
        street: rest.text(&STREET)?,
        city: rest.text(&CITY)?,
        postal_code: rest.text(&POSTAL_CODE)?,
        country: rest.text(&COUNTRY)?,
        phone: rest.may_text(&PHONE)?,
    };
    if rest.0.iter().any(|byte| *byte != 0) {
        return Err("end");
    }
    Ok(PersoRecord {
        reference,
        pan,
        expiry,
        service_code,
        sequence,
        holder,
        cvv,
        icvv,
        cvv2,
        pin,
        delivery,
    })
}

fn pin(bytes: &[u8]) -> Result<PersoPin, AtFault> {
    let (number, block) = bytes.split_first().ok_or(PIN.1)?;
    let format = PinBlockFormat::from_number(*number).ok_or(PIN.1)?;
    if block.len() != format.bytes() {
        return Err(PIN.1);
    }
    Ok(PersoPin { format, block: EncryptedPinBlock::new(block).ok_or(PIN.1)? })
}

/// What an embosser and track 1 can have.
fn is_embossed(text: &str) -> bool {
    let fits =
        |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b" .-'".contains(&byte);
    HOLDER.2.contains(&text.len()) && text.bytes().all(fits) && text.trim() == text
}

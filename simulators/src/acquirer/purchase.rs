//! The 0100 of a purchase or a withdrawal. Must carry what the terminal it stands for would know,
//! no more.

use anyhow::Result;

use super::numbers::Numbers;
use super::origin::{ACQUIRER, Channel};
use crate::demo_file::TestCard;
use crate::iso::Message;

/// What is bought, where and with which card.
#[derive(Clone, Copy, Debug)]
pub struct Purchase<'a> {
    /// Where.
    pub channel: Channel,
    /// With which card.
    pub card: &'a TestCard,
    /// For how much, in minor units.
    pub minor: u64,
    /// In which currency: ISO 4217 number, three digits.
    pub currency: &'a str,
}

/// The authorization request.
///
/// # Errors
/// When the card's number or expiry, the amount or the currency does not fit its field.
pub fn purchase(what: &Purchase<'_>, numbers: &Numbers) -> Result<Message> {
    let Purchase { channel, card, minor, currency } = *what;
    let [terminal, merchant, place] = channel.place();
    let mut message = Message::new("0100")?
        .with(3, channel.processing_code())?
        .with(4, minor.to_string())?
        .with(7, &numbers.transmitted)?
        .with(11, &numbers.stan)?
        .with(12, &numbers.local_time)?
        .with(13, &numbers.local_date)?
        .with(18, channel.merchant_type())?
        .with(22, channel.entry_mode())?
        .with(25, channel.condition())?
        .with(32, ACQUIRER)?
        .with(37, &numbers.rrn)?
        .with(41, terminal)?
        .with(42, merchant)?
        .with(43, place)?
        .with(49, currency)?;
    // A shop's terminal leaves it at the track, a cash machine sends both forms of the number.
    if channel != Channel::Pos {
        message.set(2, card.pan.digits())?;
    }
    match channel {
        Channel::Pos | Channel::Atm => message.set(35, track_2(card))?,
        Channel::Ecommerce | Channel::KeyEntered => message.set(14, &card.expiry)?,
    }
    Ok(message)
}

/// As the chip's tag 57 holds it: number, separator, expiry, service code 201 (chip, online),
/// issuer's data.
fn track_2(card: &TestCard) -> String {
    format!("{}={}20100000", card.pan.digits(), card.expiry)
}

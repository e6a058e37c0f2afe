//! The PIN block of a message (52), that of a new PIN, and what is said of them (53, where the
//! dialect says so). It owns what a link agrees with its peer about that: which key, which formats.
//! The blocks stay encrypted here, and are wiped when dropped.

use codecs::iso8583::{Message, PinFormatSaid, ValueError};
use switch_security::{EncryptedPinBlock, PinBlockFormat};
use zeroize::Zeroizing;

const PIN_BLOCK: u8 = 52;

/// What a link and its peer have agreed about PIN blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PinRule {
    /// The zone key, by its name in the key ring; empty where no PIN comes by the link.
    pub key: String,
    /// Others, by the number that messages name them by, where the dialect has a place for that.
    pub others: Vec<(u16, String)>,
    /// The formats that are taken. The first is that of blocks whose messages do not say.
    pub formats: Vec<PinBlockFormat>,
}

/// A PIN as it came.
pub(crate) struct PresentedPin {
    pub(crate) block: EncryptedPinBlock,
    pub(crate) format: PinBlockFormat,
    /// The number by which the message names its key.
    pub(crate) key_index: Option<u16>,
}

impl PinRule {
    /// The names of all of them.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let others = self.others.iter().map(|(_, name)| name.as_str());
        std::iter::once(self.key.as_str()).chain(others).filter(|name| !name.is_empty())
    }

    /// The name of the key of this number.
    pub(crate) fn key(&self, index: Option<u16>) -> Option<&str> {
        let named = |index| self.others.iter().find(|(number, _)| *number == index);
        let name = match index.and_then(named) {
            Some((_, name)) => name,
            None => &self.key,
        };
        (!name.is_empty()).then_some(name)
    }
}

/// Reads the block: `None` where there is none, and an error where it has another length than its
/// format, or one that the link does not take. What it holds is never looked at.
pub(crate) fn pin(message: &Message<'_>, rule: &PinRule) -> Option<Result<PresentedPin, ()>> {
    block(message, PIN_BLOCK, rule)
}

/// The same of the new PIN, where the dialect has a field for one.
pub(crate) fn new_pin(message: &Message<'_>, rule: &PinRule) -> Option<Result<PresentedPin, ()>> {
    block(message, message.dialect().pin_block_form().new_field?, rule)
}

fn block(message: &Message<'_>, field: u8, rule: &PinRule) -> Option<Result<PresentedPin, ()>> {
    let mut room = Zeroizing::new([0; EncryptedPinBlock::MAX_BYTES]);
    let block = match message.bytes(field, &mut *room) {
        Ok(bytes) => EncryptedPinBlock::new(bytes),
        Err(ValueError::Absent(_)) => return None,
        Err(_) => None,
    };
    let format = match message.pin_format() {
        PinFormatSaid::Nothing => rule.formats.first().copied(),
        PinFormatSaid::Format(number) => PinBlockFormat::from_number(number),
        PinFormatSaid::Unknown => None,
    };
    let format = format.filter(|format| rule.formats.contains(format));
    let key_index = message.pin_key_index();
    let read = block.zip(format).filter(|(block, format)| block.bytes().len() == format.bytes());
    Some(read.map(|(block, format)| PresentedPin { block, format, key_index }).ok_or(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_may_name_another_key() {
        let others = vec![(2, "zpk-b".to_owned())];
        let rule = PinRule { key: "zpk-a".into(), others, formats: vec![PinBlockFormat::Iso0] };
        assert_eq!(rule.key(None), Some("zpk-a"));
        assert_eq!(rule.key(Some(1)), Some("zpk-a"));
        assert_eq!(rule.key(Some(2)), Some("zpk-b"));
        assert_eq!(PinRule::default().key(None), None);
    }
}

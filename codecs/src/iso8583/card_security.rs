//! Where a peer puts what proves a card and its holder: the code that is printed on the card, how
//! the PIN block (52) was made and under which key, and what the answer says to the chip (55). It
//! owns the places; it never looks at what stands there, and keeps none of it.

use super::dialect::Dialect;
use super::message::Message;
use super::network_trace::Piece;

/// Characters of the longest that is read here.
const LONGEST: usize = 16;

/// What a dialect says of these things.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct CardSecurityForms {
    pub(super) card_code: Option<CardCodeForm>,
    pub(super) pin_block: PinBlockForm,
    pub(super) chip_answer: ChipAnswerForm,
}

/// Where a message has the code that is printed on the card (CVV2, CVC2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CardCodeForm {
    /// Digits, with spaces beside them where the place has room for more.
    pub at: Piece,
}

/// What a message says of the PIN block in field 52, where it says anything.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PinBlockForm {
    /// Where it says in which format the block is; `None` where that is agreed beforehand.
    pub format_at: Option<Piece>,
    /// What stands there, and the format of ISO 9564 that it means.
    pub formats: Vec<(Box<str>, u8)>,
    /// Where it says under which of several keys: digits. `None` where there is one.
    pub key_at: Option<Piece>,
    /// The field of the new PIN's block, in the same format and under the same key; `None` where
    /// the peer has no place for one.
    pub new_field: Option<u8>,
}

/// What an answer says to the chip besides the issuer's authentication data (tag 91).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChipAnswerForm {
    /// The response code (tag 8A) that those data are for; else the terminal makes one of field 39.
    pub response_code: bool,
    /// The template that has commands for the chip: 71 before its last word, 72 behind it.
    pub script: ScriptTemplate,
}

/// When a terminal gives commands of the issuer to the chip.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ScriptTemplate {
    /// Tag 71: before the chip ends the transaction.
    Before,
    /// Tag 72: behind that.
    #[default]
    Behind,
}

impl ScriptTemplate {
    /// Its tag.
    #[must_use]
    pub const fn tag(self) -> u8 {
        match self {
            ScriptTemplate::Before => 0x71,
            ScriptTemplate::Behind => 0x72,
        }
    }
}

impl Default for ChipAnswerForm {
    fn default() -> ChipAnswerForm {
        ChipAnswerForm { response_code: true, script: ScriptTemplate::Behind }
    }
}

/// The format of a PIN block, as its message tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PinFormatSaid {
    /// The dialect has no place for that.
    Nothing,
    /// A format of ISO 9564, 0 to 4.
    Format(u8),
    /// One that the dialect does not know, or none where one has to be.
    Unknown,
}

impl CardCodeForm {
    /// Digits of the longest code.
    pub const LONGEST: usize = 4;
}

impl Dialect {
    /// Where messages have the code that is printed on the card; `None` where they do not.
    #[must_use]
    pub const fn card_code_form(&self) -> Option<&CardCodeForm> {
        self.card_security.card_code.as_ref()
    }

    /// What messages say of a PIN block.
    #[must_use]
    pub const fn pin_block_form(&self) -> &PinBlockForm {
        &self.card_security.pin_block
    }

    /// What answers say to a chip.
    #[must_use]
    pub const fn chip_answer_form(&self) -> ChipAnswerForm {
        self.card_security.chip_answer
    }
}

impl Message<'_> {
    /// The code that is printed on the card, written to `room`, without the spaces beside it;
    /// `None` where none is there. Nothing is allocated. The caller wipes `room`.
    #[must_use]
    pub fn card_code<'b>(&self, room: &'b mut [u8; CardCodeForm::LONGEST]) -> Option<&'b [u8]> {
        let form = self.dialect().card_code_form()?;
        let code = self.pieces(std::slice::from_ref(&form.at), room)?.trim_ascii();
        (!code.is_empty()).then_some(code)
    }

    /// In which format the PIN block is.
    #[must_use]
    pub fn pin_format(&self) -> PinFormatSaid {
        let PinBlockForm { format_at, formats, .. } = self.dialect().pin_block_form();
        let Some(at) = format_at else { return PinFormatSaid::Nothing };
        let mut room = [0; LONGEST];
        let said = self.pieces(std::slice::from_ref(at), &mut room);
        let known = |said: &[u8]| formats.iter().find(|(code, _)| code.as_bytes() == said);
        said.and_then(known).map_or(PinFormatSaid::Unknown, |(_, one)| PinFormatSaid::Format(*one))
    }

    /// Under which of several keys the PIN block is; `None` where it does not say.
    #[must_use]
    pub fn pin_key_index(&self) -> Option<u16> {
        let at = self.dialect().pin_block_form().key_at.as_ref()?;
        let mut room = [0; LONGEST];
        let said = self.pieces(std::slice::from_ref(at), &mut room)?;
        let digit = |sum: u16, character: &u8| {
            let value = character.checked_sub(b'0').filter(|value| *value <= 9)?;
            sum.checked_mul(10)?.checked_add(value.into())
        };
        said.iter().try_fold(0, digit)
    }
}

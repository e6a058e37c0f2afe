//! Where a dialect carries the identifier by which the network links the messages of one
//! transaction, and how its characters are read. It must never be made of a field that no text may
//! show: what is read here is stored.

use super::dialect::Dialect;
use super::message::Message;
use super::spec::FieldType;

/// Where the identifier stands: pieces, one behind the other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NetworkTraceForm {
    /// Where a message has that of its own transaction.
    pub own: Vec<Piece>,
    /// Where a message has that of the transaction that it speaks of; empty where that is its own.
    pub named: Vec<Piece>,
}

/// Characters of a field or of a sub-element; of a binary one, its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece {
    /// The field.
    pub field: u8,
    /// The sub-element of the field, by its key, where not all of the field is meant.
    pub part: Option<Box<str>>,
    /// The place of the first character, from 1. The nibble that fills packed digits up counts in
    /// a sub-element.
    pub first: usize,
    /// How many; `None` for all from there on.
    pub length: Option<usize>,
}

impl NetworkTraceForm {
    /// Characters of the longest identifier: all large networks have fifteen.
    pub const LONGEST: usize = 15;
}

impl Dialect {
    /// Where messages carry the network's identifier of a transaction; `None` where they do not.
    #[must_use]
    pub const fn network_trace_form(&self) -> Option<&NetworkTraceForm> {
        self.network_trace.as_ref()
    }
}

impl Message<'_> {
    /// The characters of these pieces, written to `room`, and the part written; `None` where a
    /// piece is not there, or there are more than fit. Nothing is allocated.
    #[must_use]
    pub fn pieces<'b>(&self, pieces: &[Piece], room: &'b mut [u8]) -> Option<&'b [u8]> {
        let mut written = 0_usize;
        for piece in pieces {
            let left = room.get_mut(written..)?;
            written = written.saturating_add(self.piece(piece, left)?);
        }
        room.get(..written)
    }

    /// How many characters a piece has, after writing them.
    fn piece(&self, piece: &Piece, room: &mut [u8]) -> Option<usize> {
        match &piece.part {
            Some(key) => cut(piece, self.element(piece.field, key)?.characters(), room),
            None if self.dialect().spec(piece.field)?.kind == FieldType::Binary => {
                cut(piece, self.content(piece.field)?.iter().copied(), room)
            }
            None => cut(piece, self.text(piece.field).ok()?.bytes(), room),
        }
    }
}

/// Writes the characters that a piece means of those that there are: too few are not it.
fn cut(piece: &Piece, characters: impl Iterator<Item = u8>, room: &mut [u8]) -> Option<usize> {
    let most = piece.length.unwrap_or(usize::MAX);
    let mut count = 0_usize;
    for character in characters.skip(piece.first.saturating_sub(1)).take(most) {
        *room.get_mut(count)? = character;
        count = count.saturating_add(1);
    }
    (count > 0 && piece.length.is_none_or(|length| length == count)).then_some(count)
}

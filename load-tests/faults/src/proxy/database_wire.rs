//! What the switch says to PostgreSQL, as far as the proxy must know it: where an append to the
//! journal begins and ends, and where a projection commits. It owns that reading; it changes no
//! byte. (Messages of the frontend: a type, a length that counts itself, a body.)

use std::collections::BTreeSet;

use bytes::{Buf, Bytes, BytesMut};

/// One message of the frontend, or the first of a connection, which has no type.
pub(super) struct Message {
    pub(super) bytes: Bytes,
    pub(super) meaning: Meaning,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The row of an append; what follows up to its `Sync` belongs to it.
    AppendBegins,
    /// With this the append is complete.
    AppendEnds,
    /// COMMIT of a transaction that wrote rows.
    Commits,
    Other,
}

/// Reads one connection.
#[derive(Default)]
pub(super) struct Reader {
    buffer: BytesMut,
    started: bool,
    /// Prepared statements that append to the journal.
    appends: BTreeSet<Vec<u8>>,
    appending: bool,
}

impl Reader {
    pub(super) const fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// The next whole message.
    pub(super) fn next(&mut self) -> Option<Message> {
        let skip = usize::from(self.started);
        let length = self.buffer.get(skip..skip + 4).map(|mut four| four.get_u32())?;
        let whole = skip + usize::try_from(length).ok()?;
        if self.buffer.len() < whole {
            return None;
        }
        let bytes = self.buffer.split_to(whole).freeze();
        let meaning = if self.started { self.meaning(&bytes) } else { Meaning::Other };
        self.started = true;
        Some(Message { bytes, meaning })
    }

    fn meaning(&mut self, bytes: &[u8]) -> Meaning {
        let body = bytes.get(5..).unwrap_or_default();
        let mut words = body.split(|byte| *byte == 0);
        let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        match bytes.first() {
            Some(b'P') if second.starts_with(b"INSERT INTO journal ") => {
                self.appends.insert(first.to_vec());
                Meaning::Other
            }
            Some(b'B') if self.appends.contains(second) => {
                self.appending = true;
                Meaning::AppendBegins
            }
            Some(b'S') if self.appending => {
                self.appending = false;
                Meaning::AppendEnds
            }
            Some(b'Q') if first.starts_with(b"COMMIT") => Meaning::Commits,
            _ => Meaning::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [&[kind][..], &length, body].concat()
    }

    #[test]
    fn an_append_is_found_however_the_bytes_come() {
        let mut stream = vec![0, 0, 0, 8, 0, 3, 0, 0];
        stream.extend(message(b'P', b"s1\0INSERT INTO journal (shard)\0\0\0"));
        stream.extend(message(b'P', b"s2\0SELECT 1\0\0\0"));
        stream.extend(message(b'B', b"\0s2\0"));
        stream.extend(message(b'S', b""));
        stream.extend(message(b'B', b"\0s1\0"));
        stream.extend(message(b'E', b"\0\0\0\0\0"));
        stream.extend(message(b'S', b""));
        stream.extend(message(b'Q', b"COMMIT\0"));
        let mut reader = Reader::default();
        let mut found = Vec::new();
        for byte in &stream {
            reader.buffer().extend_from_slice(&[*byte]);
            while let Some(message) = reader.next() {
                found.push(message.meaning);
            }
        }
        use Meaning::{AppendBegins, AppendEnds, Commits, Other};
        let expected =
            [Other, Other, Other, Other, Other, AppendBegins, Other, AppendEnds, Commits];
        assert_eq!(found, expected);
    }
}

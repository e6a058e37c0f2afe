//! Commands and answers as a unit has them on its wire: a length of two bytes, the header of the
//! host, two letters, the rest. Must know no command, and share nothing with the client.

use anyhow::{Result, ensure};

/// A command as it came.
pub(super) struct Command {
    pub(super) header: Vec<u8>,
    pub(super) letters: [u8; 2],
    pub(super) data: Vec<u8>,
}

/// Takes the first whole command from what came; `None` where it is not whole yet.
pub(super) fn take(input: &mut Vec<u8>, header_length: usize) -> Result<Option<Command>> {
    let Some(length) = input.first_chunk::<2>() else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes(*length));
    ensure!(length >= header_length + 2, "a command of {length} bytes");
    if input.len() < length + 2 {
        return Ok(None);
    }
    let whole: Vec<u8> = input.drain(..length + 2).skip(2).collect();
    let (header, rest) = whole.split_at(header_length);
    let (letters, data) = rest.split_at(2);
    let letters = [letters[0], letters[1]];
    Ok(Some(Command { header: header.to_vec(), letters, data: data.to_vec() }))
}

/// An answer on the wire: the second letter is one further in the alphabet.
pub(super) fn answer(header: &[u8], letters: [u8; 2], error: [u8; 2], data: &[u8]) -> Vec<u8> {
    let next = match letters[1] {
        b'Z' => b'A',
        b'9' => b'0',
        other => other + 1,
    };
    let body = [header, &[letters[0], next], &error, data].concat();
    let length = u16::try_from(body.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes(), body.as_slice()].concat()
}

#[test]
fn commands_are_cut_and_answers_made() {
    let mut input = b"\x00\x061234NC\x00\x08ABCDB2".to_vec();
    let first = take(&mut input, 4).unwrap().unwrap();
    assert_eq!((first.header, first.letters), (b"1234".to_vec(), *b"NC"));
    assert!(take(&mut input, 4).unwrap().is_none());
    input.extend(b"xy");
    assert_eq!(take(&mut input, 4).unwrap().unwrap().data, b"xy");
    assert!(input.is_empty());
    assert!(take(&mut b"\x00\x05".to_vec(), 4).is_err());
    assert_eq!(answer(b"1234", *b"NC", *b"00", b"ok"), b"\x00\x0A1234ND00ok");
}

//! The bytes of the bench's messages: requests from prepared frames, and as much of an answer as
//! tells whether it is the right one. Must share no code with the switch.

pub(crate) mod answer;
pub(crate) mod request;
pub(crate) mod signed;

/// ISO 8583:1987 in ASCII, two bytes of length in front: the number of bytes that follow.
pub(crate) const LENGTH: usize = 2;

/// The first whole frame in `input`, without its length, and how many bytes it takes.
pub(crate) fn first_frame(input: &[u8]) -> Option<(&[u8], usize)> {
    let (length, rest) = input.split_first_chunk::<LENGTH>()?;
    let size = usize::from(u16::from_be_bytes(*length));
    Some((rest.get(..size)?, size + LENGTH))
}

//! BER-TLV of field 55, as much of it as a terminal needs: writing a list, finding a tag. Must read
//! whatever comes without going past its end.

/// Adds an element of a tag of one or two bytes and at most 127 bytes.
pub(super) fn put(list: &mut Vec<u8>, tag: u16, value: &[u8]) {
    let [high, low] = tag.to_be_bytes();
    if high != 0 {
        list.push(high);
    }
    list.push(low);
    let length = value.len().min(127);
    list.push(u8::try_from(length).unwrap_or_default());
    list.extend(value.iter().take(length));
}

/// The value of the first element of this tag, on the outermost level; `None` where there is none
/// or the list cannot be read so far.
pub(super) fn find(list: &[u8], wanted: u32) -> Option<&[u8]> {
    find_all(list, wanted).next()
}

/// The values of all elements of this tag, as far as the list can be read.
pub(super) fn find_all(list: &[u8], wanted: u32) -> impl Iterator<Item = &[u8]> {
    let mut rest = list;
    let elements = std::iter::from_fn(move || {
        let (tag, behind) = take_tag(rest)?;
        let (length, behind) = take_length(behind)?;
        let (value, behind) = behind.split_at_checked(length)?;
        rest = behind;
        Some((tag, value))
    });
    elements.filter(move |(tag, _)| *tag == wanted).map(|(_, value)| value)
}

fn take_tag(list: &[u8]) -> Option<(u32, &[u8])> {
    let (first, mut rest) = list.split_first()?;
    let mut tag = u32::from(*first);
    if first & 0x1F == 0x1F {
        loop {
            let (next, behind) = rest.split_first()?;
            tag = tag.checked_mul(256)? | u32::from(*next);
            rest = behind;
            if next & 0x80 == 0 {
                break;
            }
        }
    }
    Some((tag, rest))
}

fn take_length(list: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = list.split_first()?;
    let more = match first {
        0..=0x7F => return Some((usize::from(*first), rest)),
        0x81 => 1,
        0x82 => 2,
        _ => return None,
    };
    let (bytes, rest) = rest.split_at_checked(more)?;
    Some((bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest))
}

//! The station header of interchanges in the manner of BASE I, from public descriptions of it:
//!
//! | bytes | content |
//! | --- | --- |
//! | 1 | length of the header, 22; more in front of a message that is sent back |
//! | 2, 3 | formats of header and text |
//! | 4-5 | total length, header included, big-endian |
//! | 6-8 | destination station, six digits packed |
//! | 9-11 | source station, six digits packed |
//! | 12-22 | round-trip control, flags, status, batch, reserved, user information: given back |
//! | 23-24, 25-26 | of a message that is sent back only: bits, and the reason, four digits packed |
//!
//! Must change nothing but the total length and the two stations.

/// Bytes of the usual header.
pub(super) const LEN: usize = 22;
/// Least bytes of a header that sends a message back.
const REJECT_LEN: usize = 26;

const TOTAL: usize = 3;
const DESTINATION: usize = 5;
const SOURCE: usize = 8;
const STATION: usize = 3;
const REJECT_CODE: usize = 24;

/// Bytes that the header in front of this content says it has; `None` where it can be no header.
pub(super) fn announced(content: &[u8]) -> Option<usize> {
    let len = usize::from(*content.first()?);
    (len == LEN || (REJECT_LEN..=super::Header::MAX).contains(&len)).then_some(len)
}

/// Exchanges destination and source.
pub(super) fn exchange_stations(header: &mut [u8]) {
    for index in 0..STATION {
        header.swap(DESTINATION.saturating_add(index), SOURCE.saturating_add(index));
    }
}

/// Says how long header and message are together.
pub(super) fn set_total(header: &mut [u8], total: usize) {
    let total = u16::try_from(total).unwrap_or(u16::MAX).to_be_bytes();
    for (slot, byte) in header.iter_mut().skip(TOTAL).zip(total) {
        *slot = byte;
    }
}

/// Why a message was sent back.
pub(super) fn reject_code(header: &[u8]) -> Option<u16> {
    if header.len() < REJECT_LEN {
        return None;
    }
    let digits = header.get(REJECT_CODE..REJECT_LEN)?;
    Some(digits.iter().fold(0u16, |code, byte| {
        let pair = u16::from(byte >> 4).wrapping_mul(10).wrapping_add(u16::from(byte & 0x0F));
        code.wrapping_mul(100).wrapping_add(pair)
    }))
}

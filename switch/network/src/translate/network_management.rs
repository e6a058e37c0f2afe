//! x800: sign-on, sign-off, key change, cut-over and echo, by DE70 of 1987 and DE24 of the later
//! editions. It owns the codes; what they do to a link is the link's affair.

use codecs::iso8583::{Message, Version};

use super::FieldFault;
use super::fault::number;

const CODE_1987: u8 = 70;
const FUNCTION: u8 = 24;

/// What a network management message asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NetworkRequest {
    /// 001, 801.
    SignOn,
    /// 002, 802.
    SignOff,
    /// 101, 811: the peer sends a new key.
    KeyChange,
    /// 201, 821: the business day ends.
    CutOver,
    /// 301, 831.
    Echo,
    /// Anything else.
    Unknown,
}

/// Reads what is asked for.
pub(crate) fn network_management(message: &Message<'_>) -> Result<NetworkRequest, FieldFault> {
    let earlier = message.dialect().version() == Version::V1987;
    let field = if earlier { CODE_1987 } else { FUNCTION };
    let code = number(message, field, "a network management code")?;
    Ok(match (earlier, code) {
        (true, 1) | (false, 801) => NetworkRequest::SignOn,
        (true, 2) | (false, 802) => NetworkRequest::SignOff,
        (true, 101) | (false, 811) => NetworkRequest::KeyChange,
        (true, 201) | (false, 821) => NetworkRequest::CutOver,
        (true, 301) | (false, 831) => NetworkRequest::Echo,
        _ => NetworkRequest::Unknown,
    })
}

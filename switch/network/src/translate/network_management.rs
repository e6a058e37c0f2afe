//! 0800: sign-on, sign-off and echo, by DE70. It owns the codes; what they do to a link is the
//! link's affair.

use codecs::iso8583::Message;

use super::FieldFault;
use super::fault::number;

const CODE: u8 = 70;

/// What a network management message asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NetworkRequest {
    /// 001.
    SignOn,
    /// 002.
    SignOff,
    /// 301.
    Echo,
    /// Anything else.
    Unknown,
}

/// Reads what is asked for.
pub(crate) fn network_management(message: &Message<'_>) -> Result<NetworkRequest, FieldFault> {
    Ok(match number(message, CODE, "a network management code")? {
        1 => NetworkRequest::SignOn,
        2 => NetworkRequest::SignOff,
        301 => NetworkRequest::Echo,
        _ => NetworkRequest::Unknown,
    })
}

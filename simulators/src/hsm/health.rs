//! NO, NC and B2 of a simulated unit. Must say of itself what its settings say.

use super::fields::{Code, INVALID};
use super::settings::Settings;

/// An error code, or the data of an answer.
pub(super) type Answered = Result<Vec<u8>, Code>;

pub(super) fn status(settings: &Settings, data: &[u8]) -> Answered {
    if data != b"00" {
        return Err(INVALID);
    }
    // Buffers of 32 KiB, TCP, 64 connections, the software, and what is reserved.
    Ok([b"3164".as_slice(), settings.firmware.as_bytes(), b"00000"].concat())
}

pub(super) fn diagnostics(settings: &Settings, check_value: &str, data: &[u8]) -> Answered {
    if !data.is_empty() {
        return Err(INVALID);
    }
    let check = format!("{check_value}0000000000");
    Ok([check.as_bytes(), settings.firmware.as_bytes()].concat())
}

pub(super) fn echo(data: &[u8]) -> Answered {
    let (length, rest) = data.split_at_checked(4).ok_or(INVALID)?;
    let length = std::str::from_utf8(length).map_err(|_| INVALID)?;
    let length = usize::from_str_radix(length, 16).map_err(|_| INVALID)?;
    if rest.len() == length { Ok(rest.to_vec()) } else { Err(INVALID) }
}

#[test]
fn a_unit_says_what_it_is() {
    let settings = Settings::default();
    assert_eq!(status(&settings, b"00").unwrap(), b"31641500-002600000");
    let said = diagnostics(&settings, "268604", b"").unwrap();
    assert_eq!(said, b"26860400000000001500-0026");
    assert_eq!(echo(b"0003abc").unwrap(), b"abc");
    for wrong in [b"".as_slice(), b"0004abc", b"0002abc", b"xyz", b"zzzzabc"] {
        assert_eq!(echo(wrong), Err(INVALID));
    }
}

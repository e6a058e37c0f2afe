//! M6 and M8 of a simulated unit: messages in binary that fit into one command.

use switch_security::{KeyHandle, MacPadding, MacScheme, SecurityModule};

use super::fields::{Code, Fields, INVALID, NOT_VERIFIED};
use super::keys::Keys;

/// What both have in common.
struct Asked<'a> {
    key: KeyHandle,
    scheme: MacScheme,
    bytes: usize,
    message: &'a [u8],
}

impl<'a> Asked<'a> {
    fn read(keys: &Keys, fields: &mut Fields<'a>) -> Result<Self, Code> {
        fields.is(b"00")?; // the only block, in binary
        let bytes = match fields.number(1)? {
            0 => 4,
            1 => 8,
            _ => return Err(INVALID),
        };
        let algorithm = fields.number(1)?;
        let padding = match fields.number(1)? {
            1 => MacPadding::Zeros,
            0 | 2 => MacPadding::OneThenZeros,
            _ => return Err(INVALID),
        };
        let scheme = match algorithm {
            1 => MacScheme::CbcMac(padding),
            3 => MacScheme::RetailMac(padding),
            6 => MacScheme::Cmac,
            _ => return Err(INVALID),
        };
        fields.bytes(3)?; // the type of the key, which its block says again
        let key = keys.handle(fields.key()?, scheme.algorithm().usage())?;
        let length = fields.hex_number(4)?;
        Ok(Self { key, scheme, bytes, message: fields.bytes(length)? })
    }
}

/// `M6`.
pub(super) fn generate(keys: &Keys, mut fields: Fields<'_>) -> Result<Vec<u8>, Code> {
    let asked = Asked::read(keys, &mut fields)?;
    fields.end()?;
    let made = keys.module().generate_mac(asked.key, asked.scheme, asked.message);
    let mac = made.map_err(|_| INVALID)?;
    let code = mac.shortened(asked.bytes).ok_or(INVALID)?;
    Ok(code.iter().flat_map(|byte| format!("{byte:02X}").into_bytes()).collect())
}

/// `M8`.
pub(super) fn verify(keys: &Keys, mut fields: Fields<'_>) -> Result<Vec<u8>, Code> {
    let asked = Asked::read(keys, &mut fields)?;
    let claimed = fields.hex(asked.bytes)?;
    fields.end()?;
    let verified = keys.module().verify_mac(asked.key, asked.scheme, asked.message, &claimed);
    verified.map_err(|_| NOT_VERIFIED)?;
    Ok(Vec::new())
}

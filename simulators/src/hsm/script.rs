//! KU and KY of a simulated unit: commands to chips, by the software module. They bring a message
//! as bytes, and it wants to know which command that is: the bytes have to be those of one that it
//! makes. Must give out no PIN but encrypted for a chip.

use switch_security::{
    CardSecurity, EncryptedPin, EncryptedPinBlock, KeyUsage, PinBlockFormat, ProfileName,
    ProtectScript, Script, ScriptCommand, ScriptKeys,
};

use super::emv::Card;
use super::fields::{Code, FORMAT, Fields, INVALID};
use super::keys::{Keys, now};
use super::pin;

/// Class, instruction, parameters and length of PIN CHANGE/UNBLOCK, with a code and nothing else.
const UNBLOCK_PIN: &[u8] = &[0x84, 0x24, 0x00, 0x00, 0x08];
/// The same with a new PIN: its block alone, or with length and padding.
const CHANGE_PIN: &[u8] = &[0x84, 0x24, 0x00, 0x02, 0x10];
const CHANGE_PADDED_PIN: &[u8] = &[0x84, 0x24, 0x00, 0x02, 0x18];
const HEADER: usize = UNBLOCK_PIN.len();
const CODE: usize = 8;

/// The cards of a scheme: a profile that has its commands protected so, the command of a new PIN,
/// and the form that it is in.
struct Scheme {
    profile: &'static str,
    change: &'static [u8],
    form: &'static [u8; 2],
}

const VISA: Scheme = Scheme { profile: "visa-10", change: CHANGE_PADDED_PIN, form: b"41" };
const M_CHIP: Scheme = Scheme { profile: "mchip-14", change: CHANGE_PIN, form: b"34" };
const COMMON: Scheme = Scheme { profile: "visa-22", change: CHANGE_PADDED_PIN, form: b"34" };

/// What a command is protected with, and behind which request.
struct Occasion<'a> {
    scheme: Scheme,
    integrity: &'a str,
    card: Card,
    session: [u8; 8],
    atc: u16,
    cryptogram: [u8; 8],
}

/// Modes 0 and 4.
pub(super) fn protect(
    keys: &Keys,
    mut fields: Fields<'_>,
    letters: [u8; 2],
) -> Result<Vec<u8>, Code> {
    let with_pin = match fields.bytes(1)? {
        b"0" => false,
        b"4" => true,
        _ => return Err(INVALID),
    };
    let occasion = Occasion::read(&mut fields, letters, with_pin)?;
    if with_pin { change_pin(keys, fields, &occasion) } else { unblock(keys, &fields, &occasion) }
}

impl<'a> Occasion<'a> {
    fn read(fields: &mut Fields<'a>, letters: [u8; 2], with_pin: bool) -> Result<Self, Code> {
        let number = fields.bytes(1)?;
        let integrity = fields.key()?;
        let (scheme, card) = match (&letters, number) {
            (b"KU", b"0") => (VISA, Card::formatted(fields)?),
            (b"KU", b"1") => (M_CHIP, Card::formatted(fields)?),
            (b"KY", b"3") => (COMMON, Card::whole(fields)?),
            _ => return Err(INVALID),
        };
        let session: [u8; 8] = fields.array()?;
        let length = fields.hex_number(4)?;
        let mut message = Fields::new(fields.bytes(length)?);
        fields.is(b";")?;
        message.is(if with_pin { scheme.change } else { UNBLOCK_PIN })?;
        let atc = u16::from_be_bytes(message.array()?);
        let cryptogram = message.array()?;
        message.end()?;
        let by_counter = scheme.profile == VISA.profile;
        let expected = if by_counter { u64::from(atc).to_be_bytes() } else { cryptogram };
        if session != expected {
            return Err(INVALID);
        }
        Ok(Self { scheme, integrity, card, session, atc, cryptogram })
    }

    fn made(
        &self,
        keys: &Keys,
        script_keys: ScriptKeys,
        command: ScriptCommand<'_>,
    ) -> Result<Script, Code> {
        now(keys.module().protect_script(ProtectScript {
            profile: ProfileName::new(self.scheme.profile).ok_or(INVALID)?,
            keys: script_keys,
            pan: &self.card.pan,
            sequence: self.card.sequence,
            atc: self.atc,
            cryptogram: self.cryptogram,
            position: 0,
            command,
        }))
    }
}

fn unblock(keys: &Keys, fields: &Fields<'_>, occasion: &Occasion<'_>) -> Result<Vec<u8>, Code> {
    fields.end()?;
    let (confidentiality, cryptogram) = keys.own_script_keys();
    let integrity = keys.handle(occasion.integrity, KeyUsage::E2)?;
    let all = ScriptKeys { integrity, confidentiality, cryptogram };
    let script = occasion.made(keys, all, ScriptCommand::UnblockPin)?;
    Ok(script.bytes()[HEADER..].to_vec())
}

fn change_pin(
    keys: &Keys,
    mut fields: Fields<'_>,
    occasion: &Occasion<'_>,
) -> Result<Vec<u8>, Code> {
    let confidentiality = keys.handle(fields.key()?, KeyUsage::E1)?;
    fields.is(&occasion.session)?;
    // The encrypted PIN goes behind header, counter and cryptogram.
    if fields.hex_number(4)? != HEADER + 2 + occasion.cryptogram.len() {
        return Err(INVALID);
    }
    // A zone's key: those of terminals are for others to speak of.
    fields.is(b"0")?;
    let block = pin::Block::of_zone(keys, &mut fields)?;
    let scheme = &occasion.scheme;
    if fields.bytes(2)? != scheme.form {
        return Err(FORMAT);
    }
    let account = block.account(&mut fields)?;
    let cryptogram = match scheme.form {
        b"41" => keys.handle(fields.key()?, KeyUsage::E0)?,
        _ => keys.own_script_keys().1,
    };
    fields.end()?;
    let integrity = keys.handle(occasion.integrity, KeyUsage::E2)?;
    // Bound to the account that came, and then read with the card's number: another one's PIN does
    // not come out right.
    let own = keys.own_pin_key();
    let bound = pin::carry_over(keys, &block, &account.pan, PinBlockFormat::Iso0, own)?;
    let bound = EncryptedPinBlock::new(&bound).ok_or(INVALID)?;
    let new = EncryptedPin { block: &bound, format: PinBlockFormat::Iso0, key: own };
    let all = ScriptKeys { integrity, confidentiality, cryptogram };
    let script = occasion.made(keys, all, ScriptCommand::ChangePin { new, current: None })?;
    let behind = &script.bytes()[HEADER..];
    let (data, code) = behind.split_at(behind.len() - CODE);
    Ok([code, format!("{:04X}", data.len()).as_bytes(), data].concat())
}

//! CW and CY of a simulated unit: the service code says which value it is, as in a real one.

use switch_domain::Expiry;
use switch_security::{
    CardSecurity, CardValue, CardValueKind, GenerateCardValue, KeyUsage, ServiceCode,
    VerifyCardValue,
};

use super::fields::{Code, Fields, INVALID};
use super::keys::{Keys, now};

/// `CW`.
pub(super) fn generate(keys: &Keys, mut fields: Fields<'_>) -> Result<Vec<u8>, Code> {
    let key = keys.handle(fields.key()?, KeyUsage::C0)?;
    let pan = fields.pan()?;
    let (expiry, kind) = expiry_and_kind(&mut fields)?;
    fields.end()?;
    let command = GenerateCardValue { key, pan: &pan, expiry, kind };
    let value = now(keys.module().generate_card_value(command))?;
    Ok(value.digits_for_card().to_vec())
}

/// `CY`.
pub(super) fn verify(keys: &Keys, mut fields: Fields<'_>) -> Result<Vec<u8>, Code> {
    let key = keys.handle(fields.key()?, KeyUsage::C0)?;
    let claimed = CardValue::from_digits(fields.digits(3)?).ok_or(INVALID)?;
    let pan = fields.pan()?;
    let (expiry, kind) = expiry_and_kind(&mut fields)?;
    fields.end()?;
    let command = VerifyCardValue { key, pan: &pan, expiry, kind, claimed: &claimed };
    now(keys.module().verify_card_value(command))?;
    Ok(Vec::new())
}

/// Four digits go into the value as they are. The software module wants a month among them: where
/// the last two are none, the card's date is written the other way round, as CVV2 may be.
fn expiry_and_kind(fields: &mut Fields<'_>) -> Result<(Expiry, CardValueKind<'static>), Code> {
    let [first, second] = [fields.number(2)?, fields.number(2)?];
    let service_code = u16::try_from(fields.number(3)?).map_err(|_| INVALID)?;
    let service_code = ServiceCode::new(service_code).map_err(|_| INVALID)?;
    let yymm = |year: usize, month: usize| {
        u16::try_from(year * 100 + month).ok().and_then(|yymm| Expiry::from_yymm(yymm).ok())
    };
    if let Some(expiry) = yymm(first, second) {
        return Ok((expiry, CardValueKind::Cvv { service_code }));
    }
    let order = switch_security::ExpiryOrder::MonthYear;
    let expiry = yymm(second, first).ok_or(INVALID)?;
    if service_code == ServiceCode::PRINTED {
        Ok((expiry, CardValueKind::Cvv2 { order }))
    } else {
        Err(INVALID)
    }
}

//! Card values by CW and CY. It owns which service code and date stand for which value; dynamic
//! values are not asked of units (docs/hsm.md says why).

use switch_domain::{Expiry, Pan};
use switch_security::{
    CardValueKind, ExpiryOrder, GenerateCardValue, KeyUsage, SecurityError, ServiceCode,
    VerifyCardValue,
};

use super::{HsmModule, expiry_digits};
use crate::client::Answer;
use crate::commands::{GenerateCvv, VerifyCvv};
use crate::hsm_key::HsmKey;

pub(super) fn verify(
    module: &HsmModule,
    command: &VerifyCardValue<'_>,
) -> Result<Answer<()>, SecurityError> {
    let VerifyCardValue { key, pan, expiry, kind, claimed } = *command;
    let key = module.keys.get(key, KeyUsage::C0, "verify_card_value")?;
    let of = of_card(key, pan, expiry, kind)?;
    // A value of another length is another value.
    let claimed = claimed.digits_for_card().try_into().map_err(|_| SecurityError::Incorrect)?;
    Ok(module.client.call(&VerifyCvv { of, claimed }))
}

pub(super) fn generate(
    module: &HsmModule,
    command: &GenerateCardValue<'_>,
) -> Result<Answer<[u8; 3]>, SecurityError> {
    let GenerateCardValue { key, pan, expiry, kind } = *command;
    let key = module.keys.get(key, KeyUsage::C0, "generate_card_value")?;
    Ok(module.client.call(&of_card(key, pan, expiry, kind)?))
}

fn of_card<'a>(
    key: &'a HsmKey,
    pan: &'a Pan,
    expiry: Expiry,
    kind: CardValueKind<'_>,
) -> Result<GenerateCvv<'a>, SecurityError> {
    let (service_code, order) = match kind {
        CardValueKind::Cvv { service_code } => (service_code, ExpiryOrder::YearMonth),
        CardValueKind::Icvv => (ServiceCode::CHIP, ExpiryOrder::YearMonth),
        CardValueKind::Cvv2 { order } => (ServiceCode::PRINTED, order),
        CardValueKind::Dcvv { .. } | CardValueKind::Cvc3 { .. } => {
            return Err(SecurityError::Prohibited("the hardware module has no dynamic values"));
        }
    };
    let expiry = expiry_digits(expiry, order);
    Ok(GenerateCvv { key, pan, expiry, service_code: service_code.digits() })
}

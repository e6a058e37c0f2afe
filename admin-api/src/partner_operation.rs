//! Operations on partners: their names, whether their cards are served, and from which amount on a
//! part of a purchase is approved. It owns how these are read; deciding is the engine's affair.

use serde_json::{Value, json};
use switch_domain::{PartnerId, PartnerState};

use crate::operation::{Caller, Operation, amount_of, currency_of, done, text};
use crate::{Problem, Services};

pub(crate) async fn partner(
    services: &Services,
    caller: Caller,
    operation: Operation,
) -> Result<Value, Problem> {
    let Caller { actor, key } = caller;
    match operation {
        Operation::PartnerCreate { name } => {
            let id = services.define_partner(key, actor, text("name", &name)?).await?;
            Ok(json!({ "partner": id.0 }))
        }
        Operation::PartnerSuspend { partner } => {
            let (partner, state) = (PartnerId(partner), PartnerState::Suspended);
            done(services.set_partner_state(key, actor, partner, state).await)
        }
        Operation::PartnerResume { partner } => {
            let (partner, state) = (PartnerId(partner), PartnerState::Active);
            done(services.set_partner_state(key, actor, partner, state).await)
        }
        Operation::PartnerPartialMinimum { partner, currency, minimum } => {
            let (partner, currency) = (PartnerId(partner), currency_of(&currency)?);
            let minimum = minimum.map(|amount| amount_of(&amount, currency)).transpose()?;
            done(services.set_partial_minimum(key, actor, partner, currency, minimum).await)
        }
        _ => Err(Problem::invalid("not an operation on partners")),
    }
}

//! What is asked for of cards, as JSON. It owns the names of members; the services own their rules.

use serde::Deserialize;
use switch_domain::{LockCode, ProgrammeId};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::Problem;
use crate::service::cards::NewVirtual;
use crate::service::programmes::SaidProgramme;

/// A virtual card to be issued.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "balanceId": "5b0e6d1c-0c6e-4f0a-9d3b-000000000002", "holderName": "ADA LOVELACE"
}))]
pub(in crate::routes) struct NewVirtualCard {
    /// The account that it spends from.
    balance_id: Uuid,
    /// The product, where it is said: that of the account.
    #[schema(minimum = 1)]
    programme_id: Option<i64>,
    /// The same by its configuration id.
    #[schema(pattern = "^[A-Za-z0-9._-]{1,40}$")]
    configuration_id: Option<String>,
    /// The currency, where it is said: that of the product.
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: Option<String>,
    /// As it stands on the card.
    #[schema(pattern = "^[A-Za-z .'/-]{2,26}$")]
    holder_name: Option<String>,
    /// A name for it that the caller chooses.
    #[schema(pattern = "^[!-~]{1,64}$")]
    reference: Option<String>,
}

impl NewVirtualCard {
    /// For an employee of a corporation: the name on it, and what the partner calls them.
    pub(in crate::routes) fn of_employee(
        balance_id: Uuid,
        (programme_id, configuration_id): (Option<i64>, Option<String>),
        (name, reference): (String, String),
    ) -> Self {
        let (holder_name, reference) = (Some(name), Some(reference));
        let currency = None;
        Self { balance_id, programme_id, configuration_id, currency, holder_name, reference }
    }
}

impl From<NewVirtualCard> for NewVirtual {
    fn from(new: NewVirtualCard) -> Self {
        Self {
            balance: new.balance_id,
            programme: SaidProgramme {
                number: new.programme_id.map(ProgrammeId),
                configuration_id: new.configuration_id,
            },
            currency: new.currency,
            holder_name: new.holder_name,
            reference: new.reference,
        }
    }
}

/// Which cards.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::routes) struct Listing {
    /// What the page before gave.
    pub(super) cursor: Option<String>,
    /// How many of a page, 1 to 200; 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    pub(super) limit: Option<u32>,
}

/// Why a card is to be locked.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "reasonCode": 1 }))]
pub(in crate::routes) struct LockReason {
    /// 1 lost, 2 stolen, 3 query, 4 consolidation, 5 no more in use, 6 wrong PINs, 7 fraud,
    /// 8 replaced, 11 wrong PINs at the chip. `reason` and `codeNo` are other names for it.
    #[serde(alias = "reason", alias = "codeNo")]
    #[schema(minimum = 1, maximum = 11)]
    reason_code: u8,
}

impl LockReason {
    pub(super) fn code(&self) -> Result<LockCode, Problem> {
        let unknown = || Problem::field("reasonCode", "1 to 8, or 11");
        LockCode::from_number(self.reason_code).ok_or_else(unknown)
    }
}

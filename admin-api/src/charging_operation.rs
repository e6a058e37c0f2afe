//! Operations on fees that are due and on months, as data: what comes over the control socket, one
//! JSON object each. It owns the names and shapes of their members.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use switch_domain::PartnerId;

use crate::Problem;
use crate::fees::{Fees, InvoiceMonth};
use crate::http::now;

/// One operation on what is due, or on a month.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs)] // the members are the documentation; `cardswitch help` says each in words
pub enum ChargingOperation {
    /// Charges what was over when this day began, as `2026-12-01`; today where it is not said.
    ChargingRun { on: Option<String> },
    ChargingInvoiceShow {
        partner: i64,
        month: String,
        /// To be printed; else as a table.
        html: bool,
    },
}

/// Does an operation and gives its result.
///
/// # Errors
/// See [`Problem`].
pub async fn perform(fees: &Fees, operation: ChargingOperation) -> Result<Value, Problem> {
    match operation {
        ChargingOperation::ChargingRun { on } => {
            let what = || Problem::field("on", "a day as 2026-12-01");
            let day = on.map(|day| day.parse::<Date>().map_err(|_| what())).transpose()?;
            let ran = fees.run_on(day, now()).await?;
            Ok(json!({ "periods": ran.periods, "owed": ran.owed, "settled": ran.settled }))
        }
        ChargingOperation::ChargingInvoiceShow { partner, month, html } => {
            let what = || Problem::field("month", "a month as 2026-11");
            let month = InvoiceMonth::named(&month).ok_or_else(what)?;
            let invoice = fees.invoice(PartnerId(partner), month, now()).await?;
            let text = if html { invoice.html() } else { invoice.csv() };
            Ok(json!({ "invoice": text }))
        }
    }
}

//! Operations on fees as data: what comes over the control socket, one JSON object each. It owns the
//! names and shapes of their members; a schedule has the form that it has over the API.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use switch_domain::{PartnerId, ProgrammeId};

use crate::Problem;
use crate::fees::{Fees, InvoiceMonth};
use crate::http::now;
use crate::operation::Caller;
use crate::programmes::{Programmes, SetUpBy};
use crate::routes::FeesBody;

/// One operation on fees.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs)] // the members are the documentation; `cardswitch help` says each in words
pub enum FeeOperation {
    FeesShow {
        programme: i64,
    },
    FeesSet {
        programme: i64,
        fees: Value,
    },
    FeesClear {
        programme: i64,
    },
    /// Charges what was over when this day began, as `2026-12-01`; today where it is not said.
    FeesRun {
        on: Option<String>,
    },
    FeesInvoiceShow {
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
pub async fn perform(
    (programmes, fees): (&Programmes, &Fees),
    caller: Caller,
    operation: FeeOperation,
) -> Result<Value, Problem> {
    let by = SetUpBy { key: caller.key, actor: caller.actor, now: now() };
    match operation {
        FeeOperation::FeesShow { programme } => {
            Ok(programmes.fees(ProgrammeId(programme), None)?.noted())
        }
        FeeOperation::FeesSet { programme, fees } => {
            let id = ProgrammeId(programme);
            let before = programmes.fees(id, None)?;
            let body: FeesBody = serde_json::from_value(fees)
                .map_err(|error| Problem::invalid(format!("not fees: {error}")))?;
            let wanted = Some(body.schedule(before.programme.currency)?);
            let (set, _) = programmes.set_fees(id, wanted, (before.version(), by)).await?;
            Ok(set.noted())
        }
        FeeOperation::FeesClear { programme } => {
            let id = ProgrammeId(programme);
            let seen = programmes.fees(id, None)?.version();
            let (set, _) = programmes.set_fees(id, None, (seen, by)).await?;
            Ok(set.noted())
        }
        FeeOperation::FeesRun { on } => {
            let what = || Problem::field("on", "a day as 2026-12-01");
            let day = on.map(|day| day.parse::<Date>().map_err(|_| what())).transpose()?;
            let ran = fees.run_on(day, by.now).await?;
            Ok(json!({ "periods": ran.periods, "owed": ran.owed, "settled": ran.settled }))
        }
        FeeOperation::FeesInvoiceShow { partner, month, html } => {
            let what = || Problem::field("month", "a month as 2026-11");
            let month = InvoiceMonth::named(&month).ok_or_else(what)?;
            let invoice = fees.invoice(PartnerId(partner), month, by.now).await?;
            let text = if html { invoice.html() } else { invoice.csv() };
            Ok(json!({ "invoice": text }))
        }
    }
}

//! Operations on whose processor makes the cards of a programme, as data: what comes over the
//! control socket, one JSON object each. It owns the names and shapes of their members.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use switch_domain::{ProgrammeId, Timestamp};

use crate::Problem;
use crate::cards::Cards;
use crate::cards::processor::Choice;
use crate::http::now;
use crate::operation::Caller;

/// One operation on the processor of a programme.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs)] // the members are the documentation; `cardswitch help` says each in words
pub enum ProcessorOperation {
    ProgrammeProcessorShow { programme: i64 },
    ProgrammeProcessorSet { programme: i64, processor: String },
    ProgrammeProcessorClear { programme: i64 },
}

/// Does an operation and gives its result.
///
/// # Errors
/// See [`Problem`].
pub async fn perform(
    cards: &Cards,
    caller: Caller,
    operation: ProcessorOperation,
) -> Result<Value, Problem> {
    let by = (caller.actor, now());
    let (programme, choice) = match operation {
        ProcessorOperation::ProgrammeProcessorShow { programme } => {
            (programme, cards.processor_choice(ProgrammeId(programme)).await?)
        }
        ProcessorOperation::ProgrammeProcessorSet { programme, processor } => {
            let chosen = cards.choose_processor(ProgrammeId(programme), Some(&processor), by);
            (programme, chosen.await?)
        }
        ProcessorOperation::ProgrammeProcessorClear { programme } => {
            (programme, cards.choose_processor(ProgrammeId(programme), None, by).await?)
        }
    };
    Ok(shown(programme, &choice))
}

fn shown(programme: i64, choice: &Choice) -> Value {
    let time =
        |at: Timestamp| jiff::Timestamp::from_microsecond(at.0).ok().map(|at| at.to_string());
    let changed = choice.changed.as_ref();
    json!({
        "programme": programme,
        "processor": choice.processor,
        "configured": choice.is_configured,
        "changed_at": changed.and_then(|(at, _)| time(*at)),
        "changed_by": changed.map(|(_, by)| by),
    })
}

//! Commands about blocked merchants as data: what comes over the control socket, one JSON object
//! each. It owns the names and shapes of their members; the watch does what is asked, and what was
//! done is kept with who asked.

use std::sync::Arc;

use admin_api::{Problem, Services};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use switch_attacks::{Block, Kind, Limits, Mode, Pair, Watch};
use switch_domain::{Acquirer, AsciiText, Bin, LinkId, Timestamp};

use crate::clock::now;

/// The most events that are told at once.
const MOST_EVENTS: u32 = 1_000;

/// One command. Their names all begin with `attack-`, and those of no other do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "operation", deny_unknown_fields)]
pub(crate) enum AttackOperation {
    /// Who is blocked, and by which limits.
    #[serde(rename = "attack-list")]
    List,
    /// Block a merchant no longer.
    #[serde(rename = "attack-lift")]
    Lift {
        /// The BIN, as `attack-list` has it.
        bin: u32,
        /// DE32 of the merchant's acquirer.
        acquirer: Option<String>,
        /// The link, where its messages name no acquirer.
        link: Option<u16>,
        /// DE42.
        merchant: String,
    },
    /// What happened lately.
    #[serde(rename = "attack-events")]
    Events {
        /// How much of it.
        most: u32,
    },
}

/// Does what is asked and gives the result.
///
/// # Errors
/// Nothing is counted, nobody is blocked so, or the database.
pub(crate) async fn perform(
    (watch, services): (Option<&Arc<Watch>>, &Services),
    actor: &str,
    operation: AttackOperation,
) -> Result<Value, Problem> {
    match operation {
        AttackOperation::Events { most } => services.attack_events(most.min(MOST_EVENTS)).await,
        AttackOperation::List => Ok(list(watch)),
        AttackOperation::Lift { bin, acquirer, link, merchant } => {
            let acquirer = match (acquirer, link) {
                (Some(number), None) => AsciiText::new(number.as_bytes())
                    .map(Acquirer::Institution)
                    .map_err(|error| Problem::invalid(format!("acquirer: {error}")))?,
                (None, Some(link)) => Acquirer::Link(LinkId(link)),
                _ => return Err(Problem::invalid("acquirer or link: one of the two")),
            };
            let merchant = AsciiText::new(merchant.as_bytes())
                .map_err(|error| Problem::invalid(format!("merchant: {error}")))?;
            let pair = Pair { bin: Bin(bin), acquirer, merchant };
            lift(watch, services, actor, pair).await
        }
    }
}

/// Kept first, then done: what is in the table and was not done ends with the next start at the
/// latest, and the other way round a block would come back.
async fn lift(
    watch: Option<&Arc<Watch>>,
    services: &Services,
    actor: &str,
    pair: Pair,
) -> Result<Value, Problem> {
    let blocks = |watch: &Arc<Watch>| watch.blocks(now());
    let found = watch.and_then(|watch| blocks(watch).into_iter().find(|one| one.pair == pair));
    let (Some(watch), Some(block)) = (watch, found) else {
        return Err(Problem::not_found("no such merchant and BIN are blocked"));
    };
    services.note_lifted(&block, actor, now()).await?;
    let lifted = watch.lift(&pair).unwrap_or(block);
    tracing::warn!(
        target: "security", event = "attack", what = "lifted", actor, bin = pair.bin.0,
        merchant = %pair.merchant, met = lifted.met, "a block was taken back"
    );
    Ok(json!({ "lifted": view(&lifted) }))
}

fn list(watch: Option<&Arc<Watch>>) -> Value {
    let Some(watch) = watch else { return json!({ "mode": "off", "blocks": [] }) };
    let settings = watch.settings();
    let mode = match settings.mode {
        Mode::Shadow => "shadow",
        Mode::Block => "block",
    };
    let limits = Kind::ALL.into_iter().zip(settings.limits).map(|(kind, limits)| {
        let Limits { pair, pair_in_alarm, merchant, bin, acquirer } = limits;
        let limits = json!({
            "pair": pair, "pair_in_alarm": pair_in_alarm, "merchant": merchant, "bin": bin,
            "acquirer": acquirer,
        });
        (kind.name().to_owned(), limits)
    });
    let limits: Value = limits.collect();
    let blocks: Vec<Value> = watch.blocks(now()).iter().map(view).collect();
    json!({ "mode": mode, "window_s": settings.window_s, "limits": limits, "blocks": blocks })
}

fn view(block: &Block) -> Value {
    let Block { pair, kind, count, limit, since, until, shadow, met } = *block;
    let (acquirer, link) = match pair.acquirer {
        Acquirer::Institution(number) => (Some(number.to_string()), None),
        Acquirer::Link(link) => (None, Some(link.0)),
    };
    json!({
        "bin": pair.bin.0, "acquirer": acquirer, "link": link,
        "merchant": pair.merchant.to_string(), "kind": kind.name(), "count": count, "limit": limit,
        "since": moment(since), "until": moment(until), "shadow": shadow, "met": met,
    })
}

fn moment(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0).map(|at| at.to_string()).unwrap_or_default()
}

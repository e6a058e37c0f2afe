//! Faults one after the other in one run, healed between. It owns which ones can follow each other;
//! each is made and seen as it is alone.

use anyhow::{Context, Result};
use rand::seq::IndexedRandom;

use super::faults::inject;
use super::stage::Stage;
use crate::kinds::{self, Fault, Kind, PutIn};

/// Makes so many faults, each another draw.
pub(super) async fn soak(stage: &mut Stage<'_>, faults: usize) -> Result<()> {
    let kinds: Vec<Kind> =
        kinds::all().into_iter().filter(|kind| can_follow(stage, kind)).collect();
    for turn in 1..=faults {
        let kind = kinds.choose(&mut stage.random).context("a kind of fault")?;
        stage.note(format!("fault {turn}: {}", kind.name));
        stage.begin_fault(kind.survival);
        Box::pin(inject(stage, &kind.fault)).await.context(kind.name)?;
        if !stage.outcome.counts() || turn == faults {
            break;
        }
        stage.heal().await.with_context(|| format!("healing after {}", kind.name))?;
    }
    Ok(())
}

/// What needs no switch of its own sort, and no disk of its own.
fn can_follow(stage: &Stage<'_>, kind: &Kind) -> bool {
    let plain = matches!(kind.put_in, PutIn::Nothing);
    let possible = match kind.fault {
        Fault::Soak { .. }
        | Fault::FullDisk { .. }
        | Fault::ClockJumps { .. }
        | Fault::ClockDrifts { .. } => false,
        Fault::SlowDisk { .. } | Fault::FailingDisk { .. } => stage.cluster.shim().is_ok(),
        _ => true,
    };
    plain && possible
}

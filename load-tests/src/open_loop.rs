//! The open loop: sends on schedule, whatever the switch does. Must never let a slow answer move a
//! request.

use std::time::Duration;

use anyhow::Result;
use simulators::acquirer::{Acquirer, NetworkCode};
use simulators::traffic::Slot;
use tokio::sync::mpsc;

use crate::purchases::Purchases;
use crate::result::LoadResult;
use crate::run::Run;

/// Signs on, then sends one purchase for every slot over the connections in turn.
///
/// # Errors
/// When the link cannot be signed on or a request cannot be made; what happens later is counted.
pub async fn open_loop(
    mut acquirer: Acquirer,
    purchases: Purchases,
    patience: Duration,
    start_slots: impl FnOnce() -> mpsc::UnboundedReceiver<Slot>,
) -> Result<LoadResult> {
    acquirer.network_management(NetworkCode::SignOn).await?;
    let mut run = Run::new(acquirer, purchases, patience);
    let mut slots = start_slots();
    let mut connection = 0;
    loop {
        tokio::select! {
            arrival = run.acquirer.next_arrival() => match arrival {
                Some(arrival) => { run.take(arrival); }
                None => break,
            },
            slot = slots.recv() => match slot {
                Some(slot) => {
                    connection = run.open_from((connection + 1) % run.acquirer.connections());
                    run.send(connection, slot.intended)?;
                }
                None => break,
            },
        }
    }
    Ok(run.settle().await)
}

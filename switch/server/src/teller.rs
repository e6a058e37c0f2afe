//! Answers the mini-statement inquiries of all links, one after the other, each within the deadline
//! of its link: beside the shards, from the tables. It owns that what is not known in time is told
//! to be unknown; what moved is the management services'.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use admin_api::Services;
use switch_domain::Timestamp;
use switch_network::AskedStatement;
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

/// Runs until it is stopped; movements of before `reaches_back` are not told.
pub(crate) async fn run(
    services: Services,
    reaches_back: Duration,
    mut asked: Receiver<AskedStatement>,
    stop: CancellationToken,
) {
    loop {
        let next = tokio::select! {
            next = asked.recv() => next,
            () = stop.cancelled() => return,
        };
        let Some(asked) = next else { return };
        let since = SystemTime::now().checked_sub(reaches_back);
        let since = since.and_then(|since| since.duration_since(UNIX_EPOCH).ok());
        let since = since.and_then(|since| i64::try_from(since.as_micros()).ok());
        let since = Timestamp(since.unwrap_or(0));
        let known = services.latest_movements(asked.balance, since, u32::from(asked.most));
        // What is wrong with the database is in the log; dropped, the inquiry is told that nothing
        // can be told.
        if let Ok(Ok(movements)) = tokio::time::timeout_at(asked.deadline, known).await {
            asked.answer(movements);
        }
    }
}

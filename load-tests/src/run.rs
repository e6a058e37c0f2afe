//! What both loops share: the requests in flight and the counting of what comes back. Must decide
//! nothing about when to send.

use std::time::Duration;

use anyhow::Result;
use simulators::acquirer::{Acquirer, Arrival, Incoming, Matched, Matcher};
use tokio::time::{Instant, sleep_until};

use crate::purchases::Purchases;
use crate::result::LoadResult;

/// A run in progress.
pub(crate) struct Run {
    pub acquirer: Acquirer,
    purchases: Purchases,
    matcher: Matcher<Instant>,
    open: Vec<bool>,
    patience: Duration,
    result: LoadResult,
}

impl Run {
    pub(crate) fn new(acquirer: Acquirer, purchases: Purchases, patience: Duration) -> Run {
        Run {
            open: vec![true; acquirer.connections()],
            acquirer,
            purchases,
            matcher: Matcher::new(patience),
            patience,
            result: LoadResult::default(),
        }
    }

    /// Sends the next purchase on a connection.
    pub(crate) fn send(&mut self, connection: usize, intended: Instant) -> Result<()> {
        let request = self.purchases.next(self.acquirer.numbers())?;
        self.result.sent(intended);
        self.acquirer.send(connection, &request)?;
        self.matcher.sent(connection, &request, Instant::now(), intended)
    }

    /// The first open connection from this one on; the same when none is open.
    pub(crate) fn open_from(&self, connection: usize) -> usize {
        let count = self.open.len();
        (0..count)
            .map(|step| (connection + step) % count)
            .find(|index| self.open[*index])
            .unwrap_or(connection)
    }

    /// Counts what came. The connection that has room for another request now, if this made some.
    pub(crate) fn take(&mut self, arrival: Arrival) -> Option<usize> {
        let Arrival { connection, at, incoming } = arrival;
        let error = match incoming {
            Incoming::Message(answer, _) => match self.matcher.answered(connection, &answer, at) {
                Matched::InTime(intended) if answer.mti() == "0110" => {
                    self.result.answered(answer.text(39), intended, at);
                    return Some(connection);
                }
                Matched::InTime(_) => {
                    self.result.error("wrong message type", 1);
                    return Some(connection);
                }
                Matched::Late(..) => {
                    self.result.error("late", 1);
                    return Some(connection);
                }
                Matched::Duplicate => "duplicate",
                Matched::Unmatched => "unmatched",
            },
            Incoming::Unreadable(_) => "unreadable",
            Incoming::Closed(_) => {
                self.open[connection] = false;
                "connection closed"
            }
        };
        self.result.error(error, 1);
        None
    }

    /// Waits for what is in flight, as long as patience lasts.
    pub(crate) async fn settle(mut self) -> LoadResult {
        let end = Instant::now() + self.patience;
        while self.matcher.in_flight() > 0 {
            tokio::select! {
                biased;
                arrival = self.acquirer.next_arrival() => match arrival {
                    Some(arrival) => { self.take(arrival); }
                    None => break,
                },
                () = sleep_until(end) => break,
            }
        }
        self.result.error("unanswered", self.matcher.give_up().len() as u64);
        self.result
    }
}

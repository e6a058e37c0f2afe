//! Ends holds that lived their life, one at a time, as the sweep asks for them. It owns that nobody
//! is told of an end before its record is committed; whether it was time is the sweep's affair.

use switch_domain::Hold;
use switch_engine::{Answer, Command, HoldEnd, Outcome};
use tokio::sync::oneshot;

use super::Worker;

impl Worker {
    /// Decides the end of a hold. Where that fails by a defect nobody is told, and it is asked for
    /// again.
    pub(super) fn take_hold(&mut self, hold: Hold, reply: oneshot::Sender<HoldEnd>) {
        self.inbox.waiting.leave();
        let outcome = self.decide(&Command::Expire(hold));
        let Some(Outcome { answer: Answer::HoldEnded(end), record }) = outcome else {
            self.metrics.malfunctions.increment(1);
            return;
        };
        if let Some(record) = record
            && !self.adopt(record)
        {
            return;
        }
        self.open.reads.push(Box::new(move || {
            let _ = reply.send(end);
        }));
    }
}

//! Carries transfers between shards (W-17): what is debited to the shard of the account that gets
//! it, and what that shard said back. It owns that nothing is carried before its record is
//! committed, and that everything which is open is carried again after a start. It keeps nothing of
//! its own: what is open stands in the state, and how much that may be is a setting.

use switch_domain::{BalanceId, Event, Record, Transfer, TransferId};
use switch_engine::{Answer, Command, Outcome};
use switch_store::fault_points::{KillPoint, reach};

use super::Worker;
use crate::batch::Receipt;
use crate::mailbox::{Envelope, Mailbox};
use crate::metrics;

/// What one shard's courier brings another.
pub(crate) enum Parcel {
    /// Money for an account of the shard it comes to.
    Money {
        /// The transfer.
        transfer: Transfer,
        /// What the source minted before this is closed.
        settled_below: TransferId,
    },
    /// What the other shard said to a transfer of the shard it comes to.
    Receipt(Receipt),
}

impl Parcel {
    fn command(&self) -> Command {
        match self {
            Self::Money { transfer, settled_below } => {
                Command::Receive { transfer: transfer.clone(), settled_below: *settled_below }
            }
            Self::Receipt(Receipt { transfer, outcome, .. }) => {
                Command::Close { transfer: *transfer, outcome: *outcome }
            }
        }
    }
}

impl Worker {
    /// Carries everything that is open, after a start or a takeover: what of it arrived before, the
    /// target knows.
    pub(super) fn carry_open(&self) {
        for transfer in self.state.open_transfers() {
            self.carry(transfer);
        }
        self.metrics.open_transfers.set(self.state.open_transfer_count() as f64);
    }

    /// Carries what the records of a committed row sent.
    pub(super) fn carry_sent(&self, records: &[Record]) {
        let mut changed = false;
        for record in records {
            match &record.event {
                Event::TransferSent(transfer) => {
                    reach(KillPoint::Debited);
                    self.carry(transfer);
                    changed = true;
                }
                Event::TransferClosed { outcome, .. } => {
                    metrics::transferred(outcome.is_credited());
                    changed = true;
                }
                _ => {}
            }
        }
        if changed {
            self.metrics.open_transfers.set(self.state.open_transfer_count() as f64);
        }
    }

    fn carry(&self, transfer: &Transfer) {
        let oldest = self.state.open_transfers().next();
        let settled_below = oldest.map_or(transfer.id, |oldest| oldest.id.min(transfer.id));
        let Some(mailbox) = self.mailbox_of(transfer.to) else {
            tracing::error!(
                transfer = transfer.id.0,
                to = transfer.to.0,
                "no shard to carry it to"
            );
            return;
        };
        let parcel = Parcel::Money { transfer: transfer.clone(), settled_below };
        // As many as may be open: no more than its own limit.
        mailbox.put_always(Envelope::Parcel(parcel));
    }

    fn mailbox_of(&self, balance: BalanceId) -> Option<&Mailbox> {
        self.shared.of_shard(&self.mailboxes, self.shared.placement.of_balance(balance))
    }

    /// Decides what was brought; gives it back where its account is busy until the next commit.
    pub(super) fn take_parcel(&mut self, parcel: Parcel) -> Option<Envelope> {
        let Some(Outcome { answer, record }) = self.decide(&parcel.command()) else {
            self.inbox.waiting.leave();
            self.metrics.malfunctions.increment(1);
            return None;
        };
        if answer == Answer::Busy {
            return Some(Envelope::Parcel(parcel));
        }
        self.inbox.waiting.leave();
        if let Some(record) = record
            && !self.adopt(record)
        {
            return None;
        }
        if let (Parcel::Money { transfer, .. }, Answer::Transferred(outcome)) = (parcel, answer) {
            let (id, from) = (transfer.id, transfer.from);
            self.open.receipts.push(Receipt { transfer: id, from, outcome });
        }
        None
    }

    /// Sends receipts back, once what they say is committed.
    pub(super) fn send_receipts(&self, receipts: Vec<Receipt>) {
        for receipt in receipts {
            if let Some(mailbox) = self.mailbox_of(receipt.from) {
                mailbox.put_always(Envelope::Parcel(Parcel::Receipt(receipt)));
            }
        }
    }
}

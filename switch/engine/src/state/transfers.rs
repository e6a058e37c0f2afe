//! What a shard remembers of transfers (W-17): its own that are not closed, and what it said to
//! those of others that may come again. It owns the bounds of both: what is closed goes, and what a
//! source has closed goes when the next of that source comes.

use std::collections::BTreeMap;

use switch_domain::{Transfer, TransferId, TransferOutcome, TransferReceived};

use super::State;

/// A transfer of this shard that is not closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenTransfer {
    /// What was sent.
    pub transfer: Transfer,
    /// Its end is decided and not yet committed.
    pub closing: bool,
}

/// Transfers, in the order of their identifiers.
#[derive(Clone, Debug, Default)]
pub(super) struct Transfers {
    pub(super) open: BTreeMap<TransferId, OpenTransfer>,
    pub(super) received: BTreeMap<TransferId, TransferOutcome>,
}

impl Transfers {
    pub(super) fn send(&mut self, transfer: Transfer) {
        self.open.insert(transfer.id, OpenTransfer { transfer, closing: false });
    }

    /// Its end is decided: another must not be. False where there is no such transfer.
    pub(super) fn closing(&mut self, id: TransferId) -> bool {
        let open = self.open.get_mut(&id);
        open.map(|open| open.closing = true).is_some()
    }

    pub(super) fn closed(&mut self, id: TransferId) {
        self.open.remove(&id);
    }

    pub(super) fn receive(&mut self, one: &TransferReceived) {
        let (id, below) = (one.transfer.id, one.settled_below);
        self.received.retain(|known, _| known.shard() != id.shard() || *known >= below);
        self.received.insert(id, one.outcome);
    }
}

impl State {
    /// Transfers of this shard that are not closed, the oldest first.
    pub fn open_transfers(&self) -> impl Iterator<Item = &Transfer> {
        self.transfers.open.values().map(|open| &open.transfer)
    }

    /// How many those are.
    #[must_use]
    pub fn open_transfer_count(&self) -> usize {
        self.transfers.open.len()
    }

    /// A transfer of this shard that is not closed.
    #[must_use]
    pub fn open_transfer(&self, id: TransferId) -> Option<&OpenTransfer> {
        self.transfers.open.get(&id)
    }

    /// What this shard said to a transfer, as far as that may be asked again.
    pub(crate) fn received(&self, id: TransferId) -> Option<TransferOutcome> {
        self.transfers.received.get(&id).copied()
    }

    /// Whether money of an account is on its way: it may have to come back.
    pub(crate) fn has_open_transfers(&self, from: switch_domain::BalanceId) -> bool {
        self.transfers.open.values().any(|open| open.transfer.from == from)
    }
}

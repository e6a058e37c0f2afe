//! The rows that a shard has at hand for when PostgreSQL goes back in time (W-24): all that the
//! tables do not have for good, and some more behind. It owns how many, and that they get into a
//! file when it happens; who looks at that file is not its business.

use std::collections::VecDeque;

use switch_domain::{Seq, ShardId};
use switch_store::JournalRow;

use super::Worker;
use crate::running::Fatal;

/// What is kept although the tables have it: a standby that takes over may be some seconds behind.
const KEPT_BYTES: usize = 16 << 20;
/// More than this is not kept, even if the tables lag so far: the oldest go first.
const MOST_BYTES: usize = 256 << 20;

/// The latest rows, as they were sent. Their bodies are shared with the append, not copied.
#[derive(Default)]
pub(super) struct Recent {
    rows: VecDeque<JournalRow>,
    bytes: usize,
}

impl Recent {
    /// A row is about to be sent.
    pub(super) fn sent(&mut self, row: JournalRow) {
        self.bytes = self.bytes.saturating_add(size(&row));
        self.rows.push_back(row);
    }

    /// Lets the oldest go, given what the tables have for good.
    pub(super) fn trim(&mut self, durable: Seq) {
        while let Some(first) = self.rows.front() {
            let spare = self.bytes > KEPT_BYTES && first.seq <= durable;
            if !spare && self.bytes <= MOST_BYTES {
                break;
            }
            self.bytes = self.bytes.saturating_sub(size(first));
            self.rows.pop_front();
        }
    }
}

fn size(row: &JournalRow) -> usize {
    row.records.len().saturating_add(size_of::<JournalRow>())
}

impl Worker {
    /// At the end of a node whose journal went back in time, in whichever shard that was noticed:
    /// writes what this one has sent to a file, so that it can be told what the database lacks.
    pub(super) fn rescue(&mut self) {
        let went_back = matches!(*self.shared.fatal.borrow(), Some(Fatal::JournalWentBack { .. }));
        if !went_back || self.recent.rows.is_empty() {
            return;
        }
        let ShardId(shard) = self.shard;
        let rows = self.recent.rows.make_contiguous();
        let Some(directory) = &self.shared.settings.lost_dir else {
            tracing::error!(shard, rows = rows.len(), "no directory is set for lost rows");
            return;
        };
        let (confirmed, owner) = (self.head.seq, self.head.owner);
        match switch_store::write_lost_rows(directory, rows, confirmed, owner) {
            Ok(path) => tracing::error!(
                shard, rows = rows.len(), confirmed = confirmed.0, file = %path.display(),
                "what PostgreSQL may have lost is in this file: see `cardswitch journal reconcile`"
            ),
            Err(error) => tracing::error!(
                shard, rows = rows.len(), %error, directory = %directory.display(),
                "what PostgreSQL may have lost cannot be written"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use switch_domain::{Epoch, OwnerId};
    use switch_store::Hash;

    use super::*;

    fn row(seq: i64, bytes: usize) -> JournalRow {
        let owner = OwnerId([1; 16]);
        let row = JournalRow::seal(ShardId(1), Seq(seq), Epoch(1), owner, Hash([0; 32]), &[]);
        JournalRow { records: vec![0; bytes].into(), ..row }
    }

    #[test]
    fn what_the_tables_lack_stays_and_the_rest_is_bounded() {
        let mut recent = Recent::default();
        for seq in 0..40 {
            recent.sent(row(seq, 1 << 20));
            recent.trim(Seq::NONE);
        }
        assert_eq!(recent.rows.len(), 40, "none of it is in the tables");
        recent.trim(Seq(39));
        assert_eq!(recent.rows.len(), 15);
        assert!(recent.rows.back().is_some_and(|last| last.seq == Seq(39)));
        for seq in 40..400 {
            recent.sent(row(seq, 1 << 20));
            recent.trim(Seq(39));
        }
        assert_eq!(recent.rows.len(), 255, "not without end");
    }
}

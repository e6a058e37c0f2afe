//! Clearing files: records that settle, as advices of a link do (x220, x420). It owns the way of a
//! line from its text to what it came to: read, noted under its file and number, submitted as the
//! same command as a message of a link, noted again. It never moves money by itself.

mod carry;
mod line;
mod members;
mod message;
mod noted;
mod record;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use switch_domain::{Bin, Reason, Tolerances};
use switch_shard::fault_points::{KillPoint, reach};

use self::carry::Item;
use self::members::BadLine;
use self::message::FoundCard;
use self::record::{CardName, Record};
use super::Services;
use super::vault::open_pan;
use crate::Problem;

pub use line::ClearingLine;
pub use record::FileId;

/// Limits of an import.
#[derive(Clone, Debug)]
pub struct ClearingSettings {
    /// Bytes of a file; a larger one is not begun.
    pub max_file_bytes: u64,
    /// Bytes of a line; a longer one is rejected by itself.
    pub max_line_bytes: usize,
    /// Records of one import that wait for their commit at a time.
    pub in_flight: usize,
    /// How long numbers and contents of records are kept after they came.
    pub kept: Duration,
    /// For how long records that get silence are sent again.
    pub patience: Duration,
    /// How far merchants may go above what was authorized.
    pub tolerances: Arc<Tolerances>,
}

/// What a record came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Settled, without an authorization that it completes.
    Posted,
    /// Settled out of the hold of an authorization, or after it had ended.
    Completed,
    /// Given back to the customer.
    Refunded,
    /// What it names was taken back.
    Reversed,
    /// A reversal of what is not here; should that come, it does not stand.
    Unmatched,
    /// Its reversal had come before it: nothing moves.
    ReversedBefore,
    /// Kept for people to look at; nothing moves.
    Suspense(Reason),
    /// It came before.
    Duplicate,
    /// Another content came under its number.
    Refused,
    /// The shard could not take it.
    NotTaken,
    /// It cannot be read, or names a card that there is not.
    Rejected,
}

impl Outcome {
    /// The stable name, as in the summary of an import, in metrics and in the table.
    const fn name(self) -> &'static str {
        match self {
            Self::Posted => "posted",
            Self::Completed => "completed",
            Self::Refunded => "refunds",
            Self::Reversed => "reversed",
            Self::Unmatched => "unmatched",
            Self::ReversedBefore => "reversed_before",
            Self::Suspense(_) => "suspense",
            Self::Duplicate => "duplicates",
            Self::Refused => "refused",
            Self::NotTaken | Self::Rejected => "rejected",
        }
    }

    /// What people should do about it, where they should do something.
    const fn advice(self) -> Option<&'static str> {
        match self {
            Self::Unmatched => Some(
                "see whether what it names is missing, or named wrongly; if it comes later it \
                 will not stand",
            ),
            Self::Suspense(_) => Some(
                "it is kept in card_authorization with stand_in = 'suspense' and has moved no \
                 money: settle it by hand with the sender",
            ),
            Self::Refused => Some(
                "ask the sender which of the two is right; to post this one too, give it a \
                 number of its own",
            ),
            Self::NotTaken => Some("see the log of the switch, and import the file again"),
            Self::Rejected => Some("correct the line and import the file again"),
            _ => None,
        }
    }
}

/// A line that people should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedLine {
    /// Its number in the file, from 1.
    pub line: u64,
    /// The number of its record, where it has one.
    pub record: Option<u64>,
    /// What became of it.
    pub outcome: &'static str,
    /// Why, without anything of its content.
    pub reason: String,
    /// What to do.
    pub advice: &'static str,
}

/// What some lines of a file came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ClearedLines {
    /// How many, by outcome.
    pub counts: BTreeMap<&'static str, u64>,
    /// Those that people should look at, in their order.
    pub listed: Vec<ListedLine>,
}

impl ClearedLines {
    fn add(&mut self, line: u64, record: Option<u64>, outcome: Outcome, reason: String) {
        let name = outcome.name();
        metrics::counter!("cardswitch_clearing_records_total", "outcome" => name).increment(1);
        let count = self.counts.entry(name).or_default();
        *count = count.saturating_add(1);
        if let Some(advice) = outcome.advice() {
            self.listed.push(ListedLine { line, record, outcome: name, reason, advice });
        }
    }
}

/// A line that was read and noted, with its command.
struct Ready {
    line: u64,
    number: u64,
    item: Item,
}

impl Services {
    /// Prepares for an import: numbers of records that are kept no longer are let go.
    ///
    /// # Errors
    /// The database.
    pub async fn begin_clearing(&self, settings: &ClearingSettings) -> Result<(), Problem> {
        let gone = noted::forget(self.store.pool(), settings.kept).await?;
        if gone > 0 {
            tracing::info!(gone, "records of clearing files are kept no longer");
        }
        Ok(())
    }

    /// Takes lines of a file, in the order in which they stand in it. Done again with any of them
    /// it changes nothing.
    ///
    /// # Errors
    /// There are more lines than may be in flight; the database; or the shards have no room for
    /// longer than there is patience. What of the lines was taken then is committed or will be;
    /// they are to be sent again.
    pub async fn clear_lines(
        &self,
        settings: &ClearingSettings,
        file: &FileId,
        lines: &[ClearingLine],
    ) -> Result<ClearedLines, Problem> {
        if lines.len() > settings.in_flight {
            let most = settings.in_flight;
            return Err(Problem::invalid(format!("at most {most} lines at a time")));
        }
        let mut cleared = ClearedLines::default();
        let read = self.read_lines(settings, lines, &mut cleared).await?;
        let ready = self.note_lines(settings, file, read, &mut cleared).await?;
        reach(KillPoint::K17);
        let (places, items): (Vec<_>, Vec<_>) =
            ready.into_iter().map(|ready| ((ready.line, ready.number), ready.item)).unzip();
        let decided = carry::carry(&self.node, &items, settings.patience).await?;
        reach(KillPoint::K17);
        let outcomes = carry::outcomes(&self.node, &decided).await;
        let mut done = Vec::new();
        for ((line, number), outcome) in places.into_iter().zip(outcomes) {
            let reason = match outcome {
                Outcome::Suspense(reason) => reason.name().to_string(),
                Outcome::Unmatched => "what it takes back is not here".into(),
                Outcome::Refused => "another record was posted under this file and number".into(),
                _ => "the shard did not take it".into(),
            };
            if outcome != Outcome::NotTaken {
                done.push((number, outcome.name()));
            }
            cleared.add(line, Some(number), outcome, reason);
        }
        noted::came_to(self.store.pool(), file, &done).await?;
        cleared.listed.sort_by_key(|listed| listed.line);
        Ok(cleared)
    }

    /// Reads lines and finds their cards; those with a fault are counted and listed.
    async fn read_lines(
        &self,
        settings: &ClearingSettings,
        lines: &[ClearingLine],
        cleared: &mut ClearedLines,
    ) -> Result<Vec<(u64, Record, FoundCard)>, Problem> {
        let mut good = Vec::with_capacity(lines.len());
        for line in lines {
            let most = settings.max_line_bytes;
            let read = if line.text().len() > most {
                Err((None, BadLine(format!("it has more than {most} bytes"))))
            } else {
                record::read(line.text())
            };
            let record = match read {
                Ok(record) => record,
                Err((number, BadLine(reason))) => {
                    cleared.add(line.line, number, Outcome::Rejected, reason);
                    continue;
                }
            };
            match self.card_of(&record.card).await? {
                Some(found) => good.push((line.line, record, found)),
                None => {
                    let reason = "there is no card with this identifier".into();
                    cleared.add(line.line, Some(record.number), Outcome::Rejected, reason);
                }
            }
        }
        Ok(good)
    }

    /// A card by its number, which may be of no card of ours, or by its identifier.
    async fn card_of(&self, name: &CardName) -> Result<Option<FoundCard>, Problem> {
        let opened;
        let (pan, card) = match name {
            CardName::Pan(pan) => (pan, None),
            CardName::Id(id) => {
                let Some(card) = self.node.card(*id).await else { return Ok(None) };
                let sealed = self.store.vault().fetch(card.vault).await;
                let sealed =
                    sealed.map_err(|error| Problem::internal("reading a card number", &error))?;
                opened = open_pan(&*self.security, card.vault.row, &sealed)
                    .map_err(|error| Problem::internal("opening the vault", &error))?;
                (&opened, Some(*id))
            }
        };
        let fingerprint = self.security.fingerprint(pan);
        let found = || self.node.directory().find(&fingerprint).map(|entry| entry.card);
        Ok(Some(FoundCard { fingerprint, bin: Bin(pan.bin()), card: card.or_else(found) }))
    }

    /// Notes what was read, and keeps what is to be submitted: not what came before, nor what is
    /// another record under a known number.
    async fn note_lines(
        &self,
        settings: &ClearingSettings,
        file: &FileId,
        read: Vec<(u64, Record, FoundCard)>,
        cleared: &mut ClearedLines,
    ) -> Result<Vec<Ready>, Problem> {
        let digests: Vec<(u64, [u8; 32])> = read
            .iter()
            .map(|(_, record, found)| (record.number, record.digest(&found.fingerprint)))
            .collect();
        let known = noted::note(self.store.pool(), file, &digests).await?;
        let (mut ready, mut seen) = (Vec::with_capacity(read.len()), HashSet::new());
        for ((line, record, found), (number, digest)) in read.into_iter().zip(digests) {
            let Some(known) = known.get(&number) else {
                return Err(Problem::internal("noting clearing records", &"a row is missing"));
            };
            if known.digest != digest {
                let reason = "another record came under this file and number".into();
                cleared.add(line, Some(number), Outcome::Refused, reason);
            } else if known.done || !seen.insert(number) {
                cleared.add(line, Some(number), Outcome::Duplicate, String::new());
            } else {
                let command = message::command(file, &record, found, &settings.tolerances);
                ready.push(Ready { line, number, item: Item { command, card: found.fingerprint } });
            }
        }
        Ok(ready)
    }
}

//! The audit across a resharding (W-12): new shards name the last rows of the sealed ones, and have
//! together what those had. It owns that comparison; what each shard's own rows give is replayed by
//! others.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher};

use switch_domain::{Estate, Event, Founded, Placement, PoolId, SealedHead, ShardId, ShardImage};
use switch_engine::State;
use switch_store::JournalRow;

/// What one shard's rows say of reshardings.
#[derive(Debug, Default)]
pub(crate) struct Handed {
    /// Its first row, where that was among them.
    founded: Option<Founded>,
    inherited: Tally,
    /// Its last row, and what it had before.
    sealed: Option<(Placement, SealedHead, Tally)>,
}

impl Handed {
    /// Takes note of a record, given the state before it.
    pub(crate) fn note(
        &mut self,
        row: &JournalRow,
        event: &Event,
        before: &State,
    ) -> Result<(), String> {
        if self.sealed.is_some() {
            return Err("a row behind the last of a sealed shard".into());
        }
        match event {
            Event::Founded(founded) => {
                expect_here(row, founded.shard)?;
                self.founded = Some(founded.clone());
            }
            Event::Inherited(estate) => self.inherited.add(estate),
            Event::Sealed(sealed) => {
                expect_here(row, sealed.shard)?;
                let mut left = Tally::default();
                left.add(&estate(before.image(row.seq)));
                let head = SealedHead { shard: row.shard, seq: row.seq, hash: row.hash.0 };
                self.sealed = Some((sealed.heirs, head, left));
            }
            _ => {}
        }
        Ok(())
    }
}

fn expect_here(row: &JournalRow, shard: ShardId) -> Result<(), String> {
    let here = row.shard == shard;
    here.then_some(()).ok_or_else(|| format!("it is a row of shard {shard}"))
}

/// What a shard has that is not history.
pub(crate) fn estate(image: ShardImage) -> Estate {
    let ShardImage {
        balances,
        customers,
        cards,
        spend_controls,
        usage,
        counters,
        shares,
        authorizations,
        ..
    } = image;
    let cards = cards.into_iter().map(|(card, _)| card).collect();
    Estate { balances, customers, cards, spend_controls, usage, counters, shares, authorizations }
}

/// A sum of estates, in which equal rows count alike wherever they stand.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    rows: u64,
    digest: u64,
    /// A row for each shard that knows of it; blocked in one is blocked in all heirs.
    customers: BTreeSet<i64>,
    /// Shares are shared out anew: their sums stay. Level and held.
    pools: BTreeMap<PoolId, (i128, i128)>,
}

impl Tally {
    fn add(&mut self, estate: &Estate) {
        estate.balances.iter().for_each(|one| self.row(one));
        estate.cards.iter().for_each(|one| self.row(one));
        estate.spend_controls.iter().for_each(|one| self.row(one));
        estate.usage.iter().for_each(|one| self.row(one));
        estate.counters.iter().for_each(|one| self.row(one));
        estate.authorizations.iter().for_each(|one| self.row(one));
        self.customers.extend(estate.customers.iter().map(|(id, _)| id.0));
        for (pool, share) in &estate.shares {
            let sum = self.pools.entry(*pool).or_default();
            sum.0 = sum.0.saturating_add(share.level.0.into());
            sum.1 = sum.1.saturating_add(share.held.0.into());
        }
    }

    fn row(&mut self, row: &impl Debug) {
        let mut hasher = DefaultHasher::new();
        format!("{row:?}").hash(&mut hasher);
        self.rows = self.rows.saturating_add(1);
        self.digest = self.digest.wrapping_add(hasher.finish());
    }

    fn join(&mut self, other: Self) {
        self.rows = self.rows.saturating_add(other.rows);
        self.digest = self.digest.wrapping_add(other.digest);
        self.customers.extend(other.customers);
        for (pool, (level, held)) in other.pools {
            let sum = self.pools.entry(pool).or_default();
            *sum = (sum.0.saturating_add(level), sum.1.saturating_add(held));
        }
    }
}

/// One resharding, from both sides.
#[derive(Debug, Default)]
struct Change {
    heads: Vec<SealedHead>,
    left: Tally,
    founded: Vec<Founded>,
    inherited: Tally,
}

/// All reshardings, by the first shard that was founded in each.
#[derive(Debug, Default)]
pub(super) struct Generations {
    changes: BTreeMap<ShardId, (Placement, Change)>,
}

impl Generations {
    /// Adds what one shard's rows say; shards come in the order of their numbers.
    pub(super) fn add(&mut self, handed: Handed) {
        let Handed { founded, inherited, sealed } = handed;
        if let Some(founded) = founded {
            let change = self.of(founded.heirs);
            change.founded.push(founded);
            change.inherited.join(inherited);
        }
        if let Some((heirs, head, left)) = sealed {
            let change = self.of(heirs);
            change.heads.push(head);
            change.left.join(left);
        }
    }

    fn of(&mut self, heirs: Placement) -> &mut Change {
        let none = || (heirs, Change::default());
        &mut self.changes.entry(heirs.first()).or_insert_with(none).1
    }

    /// Everything that one side says otherwise than the other.
    pub(super) fn findings(&self) -> Vec<String> {
        let mut findings = Vec::new();
        for (first, (heirs, change)) in &self.changes {
            for founded in &change.founded {
                if founded.from != change.heads || founded.heirs != *heirs {
                    findings.push(format!(
                        "shard {}: its first row names other sealed shards, or other rows of \
                         them, than the journal has",
                        founded.shard
                    ));
                }
            }
            // Where a founding is in the archive, its rows are followed there and not here.
            let all = change.founded.len() == usize::from(heirs.data_shards());
            if all && change.left != change.inherited {
                findings.push(format!(
                    "the {} shard(s) from {first} on began with something else than the sealed \
                     ones had: {:?} against {:?}",
                    heirs.data_shards(),
                    change.inherited,
                    change.left
                ));
            }
        }
        findings
    }
}

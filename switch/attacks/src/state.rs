//! Everything that is counted, and what comes of it. It owns the rule of T-13: a merchant/BIN pair
//! that reaches its limit is blocked; BINs, merchants and acquirers that reach theirs are named,
//! and meanwhile pairs of theirs are blocked sooner.

use std::collections::{BTreeSet, VecDeque};

use switch_domain::{Acquirer, Bin, Timestamp};

use crate::block::Block;
use crate::kind::{Kind, Kinds};
use crate::news::{News, Subject, What};
use crate::settings::{Mode, Settings, minute};
use crate::table::Table;
use crate::window::Column;
use crate::{MerchantId, Pair};

/// All counts and blocks.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) pairs: Table<Pair>,
    pub(crate) merchants: Table<(Acquirer, MerchantId)>,
    pub(crate) bins: Table<Bin>,
    pub(crate) acquirers: Table<Acquirer>,
    /// Blocks by when they end.
    blocked: BTreeSet<(Timestamp, Pair)>,
    news: VecDeque<News>,
    /// News that nobody will hear, for want of room or since there were too many.
    pub(crate) untold: u64,
    minute: (i64, u32),
    pub(crate) counted: [u64; Kind::COUNT],
    pub(crate) met: u64,
    pub(crate) shadowed: u64,
}

/// A count that reached its limit, or did not.
struct Reached {
    limit: u32,
    count: u32,
    is_news: bool,
}

/// One of a kind, at a moment.
#[derive(Clone, Copy)]
struct One {
    kind: Kind,
    now: Timestamp,
    slot: i64,
}

impl State {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            pairs: Table::new(settings.entries),
            merchants: Table::new(settings.entries),
            bins: Table::new(settings.entries),
            acquirers: Table::new(settings.entries),
            blocked: BTreeSet::new(),
            news: VecDeque::new(),
            untold: 0,
            minute: (i64::MIN, 0),
            counted: [0; Kind::COUNT],
            met: 0,
            shadowed: 0,
        }
    }

    /// Counts what an attempt was.
    pub(crate) fn count(&mut self, settings: &Settings, pair: &Pair, kinds: Kinds, now: Timestamp) {
        let slot = settings.slot(now);
        if let Some(entry) = self.pairs.touch(*pair, slot) {
            entry.window.add(slot, Column::Attempts);
        }
        for kind in kinds.iter() {
            if let Some(count) = self.counted.get_mut(kind.index()) {
                *count = count.saturating_add(1);
            }
            let one = One { kind, now, slot };
            let in_alarm = self.count_around(settings, pair, one);
            self.count_pair(settings, pair, one, in_alarm);
        }
    }

    /// Counts it of BIN, merchant and acquirer; whether one of them has reached its limit.
    fn count_around(&mut self, settings: &Settings, pair: &Pair, one: One) -> bool {
        let limits = settings.of(one.kind);
        let (acquirer, merchant) = (pair.acquirer, pair.merchant);
        let until = settings.after_window(one.now);
        let reached = [
            (Subject::Bin(pair.bin), add(&mut self.bins, pair.bin, one, (limits.bin, until))),
            (
                Subject::Merchant(acquirer, merchant),
                add(&mut self.merchants, (acquirer, merchant), one, (limits.merchant, until)),
            ),
            (
                Subject::Acquirer(acquirer),
                add(&mut self.acquirers, acquirer, one, (limits.acquirer, until)),
            ),
        ];
        let mut in_alarm = false;
        for (subject, reached) in reached {
            let Some(Reached { limit, count, is_news }) = reached else { continue };
            in_alarm = true;
            if is_news {
                let (at, kind) = (one.now, one.kind);
                self.alarm(settings, News { at, subject, kind, count, limit, what: What::Alarm });
            }
        }
        in_alarm
    }

    fn count_pair(&mut self, settings: &Settings, pair: &Pair, one: One, in_alarm: bool) {
        let One { kind, now, slot } = one;
        let Some((count, entry)) = self.pairs.count(*pair, slot, kind) else { return };
        let limits = settings.of(kind);
        let usual = Some(limits.pair).filter(|limit| *limit > 0);
        let lower = Some(limits.pair_in_alarm).filter(|limit| in_alarm && *limit > 0);
        let Some(limit) = usual.into_iter().chain(lower).min().filter(|limit| count >= *limit)
        else {
            return;
        };
        let attempts = u64::from(entry.window.sum(slot, Column::Attempts));
        let share = u64::from(count).saturating_mul(100);
        if share < attempts.saturating_mul(settings.share_percent.into()) {
            return;
        }
        match entry.block.as_deref().map(|block| block.until) {
            Some(until) if until > now => return,
            Some(_) => self.end(settings, pair, now),
            None => {}
        }
        self.block(settings, pair, (one, count, limit));
    }

    fn block(&mut self, settings: &Settings, pair: &Pair, (one, count, limit): (One, u32, u32)) {
        let One { kind, now, .. } = one;
        let (shadow, until) = (settings.mode == Mode::Shadow, settings.after_block(now));
        let is_full = self.blocked.len() >= settings.blocks;
        let Some(entry) = self.pairs.get_mut(pair) else { return };
        let subject = Subject::Pair(*pair);
        let news = |what| News { at: now, subject, kind, count, limit, what };
        if is_full {
            if entry.is_news(kind, now, settings.after_window(now)) {
                self.alarm(settings, news(What::NotBlocked));
            }
            return;
        }
        let block = Block { pair: *pair, kind, count, limit, since: now, until, shadow, met: 0 };
        self.put(block);
        self.tell(settings, news(What::Blocked { until, shadow }));
    }

    /// Puts a block in force.
    fn put(&mut self, block: Block) {
        let Some(entry) = self.pairs.get_mut(&block.pair) else { return };
        entry.block = Some(Box::new(block));
        self.pairs.keep(&block.pair);
        self.blocked.insert((block.until, block.pair));
    }

    /// Puts a block of before in force again, as far as there is room.
    pub(crate) fn restore(&mut self, settings: &Settings, block: Block) {
        let slot = settings.slot(block.since);
        let has = self.block_of(&block.pair).is_some();
        if has || self.blocked.len() >= settings.blocks {
            return;
        }
        if self.pairs.touch(block.pair, slot).is_some() {
            self.put(block);
        }
    }

    /// Takes a block out of force.
    pub(crate) fn take(&mut self, pair: &Pair) -> Option<Block> {
        let block = *self.pairs.get_mut(pair)?.block.take()?;
        self.blocked.remove(&(block.until, *pair));
        self.pairs.release(pair);
        Some(block)
    }

    /// The block of a pair, whether or not its time is over.
    pub(crate) fn block_of(&mut self, pair: &Pair) -> Option<&mut Block> {
        self.pairs.get_mut(pair)?.block.as_deref_mut()
    }

    /// Those in force, the first to end first.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let pairs = self.blocked.iter().map(|(_, pair)| pair);
        pairs.filter_map(|pair| self.pairs.get(pair)?.block.as_deref().copied()).collect()
    }

    pub(crate) fn block_count(&self) -> usize {
        self.blocked.len()
    }

    /// Ends blocks whose time is over, and forgets what counts no more.
    pub(crate) fn tidy(&mut self, settings: &Settings, now: Timestamp) {
        while let Some((until, pair)) = self.blocked.first().copied() {
            if until > now {
                break;
            }
            let Some(block) = self.take(&pair) else {
                self.blocked.remove(&(until, pair));
                continue;
            };
            self.tell(settings, ended(&block, now));
        }
        let slot = settings.slot(now);
        self.pairs.forget_old(slot);
        self.merchants.forget_old(slot);
        self.bins.forget_old(slot);
        self.acquirers.forget_old(slot);
    }

    /// Everything that is to be told.
    pub(crate) fn news(&mut self) -> Vec<News> {
        self.news.drain(..).collect()
    }

    /// Ends a block whose time is over before that was seen.
    fn end(&mut self, settings: &Settings, pair: &Pair, now: Timestamp) {
        if let Some(block) = self.take(pair) {
            self.tell(settings, ended(&block, now));
        }
    }

    /// Tells of a limit, unless there were too many in this minute.
    fn alarm(&mut self, settings: &Settings, news: News) {
        let minute = minute(news.at);
        if self.minute.0 != minute {
            self.minute = (minute, 0);
        }
        self.minute.1 = self.minute.1.saturating_add(1);
        if self.minute.1 > settings.alarms_a_minute {
            self.untold = self.untold.saturating_add(1);
        } else {
            self.tell(settings, news);
        }
    }

    fn tell(&mut self, settings: &Settings, news: News) {
        if self.news.len() < settings.untold {
            self.news.push_back(news);
        } else {
            self.untold = self.untold.saturating_add(1);
        }
    }
}

fn ended(block: &Block, at: Timestamp) -> News {
    let Block { pair, kind, count, limit, met, .. } = *block;
    News { at, subject: Subject::Pair(pair), kind, count, limit, what: What::Ended { met } }
}

/// Counts one of a subject; `None` below its limit.
fn add<K: Copy + Eq + std::hash::Hash>(
    table: &mut Table<K>,
    key: K,
    one: One,
    (limit, quiet_until): (u32, Timestamp),
) -> Option<Reached> {
    let (count, entry) = table.count(key, one.slot, one.kind)?;
    if limit == 0 || count < limit {
        return None;
    }
    let is_news = entry.is_news(one.kind, one.now, quiet_until);
    Some(Reached { limit, count, is_news })
}

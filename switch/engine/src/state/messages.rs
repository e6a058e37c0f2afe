//! What a shard remembers of messages: authorizations and reversals, each once, in the order of
//! their identifiers. It owns how they are found and in which order they are let go.

use std::collections::BTreeMap;

use switch_domain::{
    AnsweredReversal, Authorization, AuthorizationId, MessageKey, MinorUnits, OriginalReference,
    Timestamp,
};

use super::Map;
use super::pages::{PagedQueue, PartedMap};

/// A message that was answered.
#[derive(Clone, Debug)]
pub(super) enum Kept {
    Authorization(Authorization),
    Reversal(AnsweredReversal),
}

/// A message, and its place among the others.
#[derive(Clone, Debug)]
struct Entry {
    kept: Kept,
    /// When anything about it was decided last: the tables must have that before it is let go.
    touched: Timestamp,
    /// The place of the message before it that has the same origin.
    before: Option<u64>,
}

/// A reversal that came before what it speaks of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Early {
    /// The reversal.
    pub(super) id: AuthorizationId,
    pub(super) reference: OriginalReference,
    /// What it leaves standing: zero where it is of all.
    pub(super) standing: MinorUnits,
    /// The request of it has come, and was not granted: an advice of it may still come.
    pub(super) of_declined: bool,
}

impl Early {
    pub(super) const fn of(reversal: &AnsweredReversal, of_declined: bool) -> Self {
        let AnsweredReversal { id, reference, standing, .. } = *reversal;
        Self { id, reference, standing, of_declined }
    }
}

/// Authorizations and reversals of one shard.
#[derive(Clone, Debug, Default)]
pub(super) struct Messages {
    /// In the order of their identifiers, which is that of the journal.
    entries: PagedQueue<Entry>,
    /// How many have left `entries`: the place of its first.
    gone: u64,
    /// The place of the latest message of each origin (`OriginalKey::origin`).
    latest: PartedMap<u64>,
    /// What was let go and is spoken of again, until the tables have what came of that.
    recalled: BTreeMap<AuthorizationId, Entry>,
    /// The same, by its name alone: others with its key may not be here, so that a message which
    /// has to be told among those does not see it.
    alone: BTreeMap<AuthorizationId, Entry>,
    /// Reversals whose original has not come, by the origin that they name.
    early: Map<i64, Vec<Early>>,
    /// True once anything is not here that the tables may have.
    incomplete: bool,
}

impl Kept {
    pub(super) const fn id(&self) -> AuthorizationId {
        match self {
            Self::Authorization(authorization) => authorization.id,
            Self::Reversal(reversal) => reversal.id,
        }
    }

    pub(super) const fn key(&self) -> &MessageKey {
        match self {
            Self::Authorization(authorization) => &authorization.facts.key,
            Self::Reversal(reversal) => &reversal.key,
        }
    }

    const fn authorization(&self) -> Option<&Authorization> {
        match self {
            Self::Authorization(authorization) => Some(authorization),
            Self::Reversal(_) => None,
        }
    }

    /// A reversal, and the origin that it names.
    const fn reversal(&self) -> Option<(AuthorizationId, i64)> {
        match self {
            Self::Authorization(_) => None,
            Self::Reversal(reversal) => Some((reversal.id, reversal.reference.key.origin())),
        }
    }
}

impl Messages {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) const fn is_complete(&self) -> bool {
        !self.incomplete
    }

    pub(super) const fn set_incomplete(&mut self) {
        self.incomplete = true;
    }

    /// Adds the newest message. False where its identifier is not above all others.
    pub(super) fn push(&mut self, kept: Kept, at: Timestamp) -> bool {
        if self.entries.back().is_some_and(|last| last.kept.id() >= kept.id()) {
            return false;
        }
        let place = self.gone.saturating_add(self.entries.len() as u64);
        let before = self.latest.insert(kept.key().as_original().origin(), place);
        self.entries.push_back(Entry { kept, touched: at, before });
        true
    }

    /// An authorization that is remembered.
    pub(super) fn get(&self, id: AuthorizationId) -> Option<&Authorization> {
        let entry = match self.index(id) {
            Some(index) => self.entries.get(index),
            None => self.recalled.get(&id).or_else(|| self.alone.get(&id)),
        };
        entry?.kept.authorization()
    }

    /// An authorization that something is decided about at `at`.
    pub(super) fn touch(
        &mut self,
        id: AuthorizationId,
        at: Timestamp,
    ) -> Option<&mut Authorization> {
        let entry = match self.index(id) {
            Some(index) => self.entries.get_mut(index)?,
            None => match self.recalled.get_mut(&id) {
                Some(entry) => entry,
                None => self.alone.get_mut(&id)?,
            },
        };
        entry.touched = entry.touched.max(at);
        match &mut entry.kept {
            Kept::Authorization(authorization) => Some(authorization),
            Kept::Reversal(_) => None,
        }
    }

    /// Where an identifier stands: most often it is the last.
    fn index(&self, id: AuthorizationId) -> Option<usize> {
        let last = self.entries.len().checked_sub(1)?;
        if self.entries.get(last).is_some_and(|entry| entry.kept.id() == id) {
            return Some(last);
        }
        self.entries.find_by_key(&id, |entry| entry.kept.id())
    }

    /// All messages of an origin, the latest first; recalled ones, which are older, come last.
    pub(super) fn of_origin(&self, origin: i64) -> impl Iterator<Item = &Kept> {
        let entry_at = |place: u64| {
            let index = usize::try_from(place.checked_sub(self.gone)?).ok()?;
            self.entries.get(index)
        };
        let latest = self.latest.get(origin).copied();
        let first = latest.and_then(entry_at);
        let chain = std::iter::successors(first, move |entry| entry.before.and_then(entry_at));
        let recalled = self.recalled.values().rev();
        chain
            .chain(recalled)
            .map(|entry| &entry.kept)
            .filter(move |kept| kept.key().as_original().origin() == origin)
    }

    /// The message with this key: the latest, where it was forgotten and came again.
    pub(super) fn find(&self, key: &MessageKey) -> Option<&Kept> {
        self.of_origin(key.as_original().origin()).find(|kept| kept.key() == key)
    }

    /// All authorizations, in no order.
    pub(super) fn authorizations(&self) -> impl Iterator<Item = &Authorization> {
        let recalled = self.recalled.values().chain(self.alone.values());
        let entries = self.entries.iter().chain(recalled);
        entries.filter_map(|entry| entry.kept.authorization())
    }

    /// Notes a reversal whose original has not come.
    pub(super) fn add_early(&mut self, early: Early) {
        self.early.entry(early.reference.key.origin()).or_default().push(early);
    }

    /// The reversals that came before a message of this origin.
    pub(super) fn early(&self, origin: i64) -> impl Iterator<Item = &Early> {
        self.early.get(&origin).into_iter().flatten()
    }

    /// The same, to be changed.
    pub(super) fn early_mut(&mut self, origin: i64) -> impl Iterator<Item = &mut Early> {
        self.early.get_mut(&origin).into_iter().flatten()
    }

    /// Keeps of an origin's early reversals those that `keep` wants.
    pub(super) fn retain_early(&mut self, origin: i64, keep: impl Fn(&Early) -> bool) {
        let Some(references) = self.early.get_mut(&origin) else { return };
        references.retain(keep);
        if references.is_empty() {
            self.early.remove(&origin);
        }
    }

    /// Lets go of the oldest: those from before `window_start` and those past `most`, as far as
    /// everything about them was decided before `projected`. How many went.
    pub(super) fn forget(
        &mut self,
        window_start: Timestamp,
        most: usize,
        projected: Timestamp,
    ) -> usize {
        self.forget_recalled(projected);
        let mut forgotten: usize = 0;
        while let Some(first) = self.entries.front() {
            let decided_at = match &first.kept {
                Kept::Authorization(authorization) => authorization.decided_at,
                Kept::Reversal(reversal) => reversal.decided_at,
            };
            let outside = decided_at < window_start || self.entries.len() > most;
            if !outside || first.touched >= projected {
                break;
            }
            self.forget_first();
            forgotten = forgotten.saturating_add(1);
        }
        forgotten
    }

    /// Lets go of every message that is closed: nothing can happen to its money any more.
    pub(super) fn keep_open(&mut self) {
        let old = std::mem::take(self);
        self.incomplete = old.incomplete || !old.entries.is_empty();
        // In the order of their identifiers, or the later are not taken.
        let mut recalled = old.recalled;
        recalled.extend(old.alone);
        for entry in recalled.into_values().chain(old.entries) {
            if entry.kept.authorization().is_some_and(|one| !one.closed) {
                self.push(entry.kept, entry.touched);
            }
        }
    }

    fn forget_first(&mut self) {
        let Some(Entry { kept, .. }) = self.entries.front() else { return };
        let (origin, reversal) = (kept.key().as_original().origin(), kept.reversal());
        if self.latest.get(origin) == Some(&self.gone) {
            self.latest.remove(origin);
        }
        self.entries.drop_front();
        self.gone = self.gone.saturating_add(1);
        self.incomplete = true;
        self.forget_early(reversal);
    }

    /// A reversal goes: it stops its original no more.
    fn forget_early(&mut self, reversal: Option<(AuthorizationId, i64)>) {
        if let Some((id, origin)) = reversal {
            self.retain_early(origin, |one| one.id != id);
        }
    }

    /// Lets go of what was looked up, once the tables have what came of it.
    fn forget_recalled(&mut self, projected: Timestamp) {
        if !self.alone.is_empty() {
            self.alone.retain(|_, entry| entry.touched >= projected);
        }
        if self.recalled.is_empty() {
            return;
        }
        let gone = self.recalled.extract_if(.., |_, entry| entry.touched < projected);
        let gone: Vec<_> = gone.map(|(_, entry)| entry.kept.reversal()).collect();
        gone.into_iter().for_each(|reversal| self.forget_early(reversal));
    }

    /// Takes back what was looked up at `now`, unless it is here: what is here is newer.
    pub(super) fn recall(&mut self, kept: Kept, now: Timestamp) {
        let id = kept.id();
        if self.index(id).is_none() {
            let known = self.alone.remove(&id);
            let entry = known.unwrap_or(Entry { kept, touched: now, before: None });
            self.recalled.entry(id).or_insert(entry);
        }
    }

    /// Takes back one authorization that was looked up at `now` by its name, unless it is here.
    pub(super) fn recall_alone(&mut self, authorization: Authorization, now: Timestamp) {
        let id = authorization.id;
        if self.index(id).is_none() && !self.recalled.contains_key(&id) {
            let kept = Kept::Authorization(authorization);
            self.alone.entry(id).or_insert(Entry { kept, touched: now, before: None });
        }
    }

    /// Takes back an early reversal that was looked up at `now` and whose original has not come, or
    /// not as an advice.
    pub(super) fn recall_early(
        &mut self,
        reversal: AnsweredReversal,
        of_declined: bool,
        now: Timestamp,
    ) {
        let early = Early::of(&reversal, of_declined);
        let known = self.early(early.reference.key.origin()).any(|one| one.id == early.id);
        self.recall(Kept::Reversal(reversal), now);
        if !known {
            self.add_early(early);
        }
    }
}

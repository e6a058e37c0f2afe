//! What a shard remembers of messages: authorizations and reversals, each once, in the order of
//! their identifiers. It owns how they are found and in which order they are let go.

use std::collections::BTreeMap;

use switch_domain::{
    AnsweredReversal, Authorization, AuthorizationId, Fingerprint, MessageKey, MinorUnits,
    NetworkTrace, OriginalReference, Timestamp,
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
    /// The place of the message before it that has the same origin; [`NOWHERE`] where none has.
    before: u64,
    /// The same of the authorization before it that has the same network trace.
    before_traced: u64,
}

/// The place of no message.
const NOWHERE: u64 = u64::MAX;

impl Entry {
    /// One that was looked up: it leads to no other.
    const fn alone(kept: Kept, touched: Timestamp) -> Self {
        Self { kept, touched, before: NOWHERE, before_traced: NOWHERE }
    }
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
    /// The place of the latest authorization of each network trace ([`traced`]), if it has one.
    latest_traced: PartedMap<u64>,
    /// What was let go and is spoken of again, until the tables have what came of that.
    recalled: BTreeMap<AuthorizationId, Entry>,
    /// The same, by its name alone: others with its key may not be here, so that a message which
    /// has to be told among those does not see it.
    alone: BTreeMap<AuthorizationId, Entry>,
    /// Reversals whose original has not come, by the origin that they name, and once more by the
    /// network trace where they name one.
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

    /// A reversal, and what it says of its original.
    const fn reversal(&self) -> Option<(AuthorizationId, OriginalReference)> {
        match self {
            Self::Authorization(_) => None,
            Self::Reversal(reversal) => Some((reversal.id, reversal.reference)),
        }
    }

    /// The number of an authorization's network trace, where it has one.
    fn traced(&self) -> Option<i64> {
        let facts = &self.authorization()?.facts;
        traced(facts.key.card, facts.network_trace)
    }
}

/// A number for a network trace of a card; `None` where there is none. Only for maps in memory: who
/// finds anything by it compares card and trace.
pub(super) fn traced(card: Fingerprint, trace: NetworkTrace) -> Option<i64> {
    if trace.is_none() {
        return None;
    }
    let card = u128::from_le_bytes(card.0) as u64;
    // Each byte moves all bits above it; the card's are a keyed hash, which nobody outside knows.
    let mix = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    Some(trace.as_bytes().iter().fold(card | 1, mix).cast_signed())
}

/// Under which numbers an early reversal is kept.
fn numbers(reference: &OriginalReference) -> impl Iterator<Item = i64> + use<> {
    let traced = traced(reference.key.card, reference.network_trace);
    std::iter::once(reference.key.origin()).chain(traced)
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
        let same_trace = kept.traced().and_then(|number| self.latest_traced.insert(number, place));
        let (before, before_traced) = (before.unwrap_or(NOWHERE), same_trace.unwrap_or(NOWHERE));
        self.entries.push_back(Entry { kept, touched: at, before, before_traced });
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
        let chain = self.chain(self.latest.get(origin), |entry| entry.before);
        let recalled = self.recalled.values().rev();
        chain
            .chain(recalled)
            .map(|entry| &entry.kept)
            .filter(move |kept| kept.key().as_original().origin() == origin)
    }

    /// All authorizations of a card that have this network trace, in no order; also those that were
    /// recalled by their names alone.
    pub(super) fn of_trace(
        &self,
        card: Fingerprint,
        trace: NetworkTrace,
    ) -> impl Iterator<Item = &Authorization> {
        let recalled = self.recalled.values().chain(self.alone.values());
        let recalled = recalled.filter(move |_| !trace.is_none());
        let recalled = recalled
            .filter_map(|entry| entry.kept.authorization())
            .filter(move |one| one.facts.key.card == card && one.facts.network_trace == trace);
        self.decided_of_trace(card, trace).chain(recalled)
    }

    /// Those of them that were decided here, and not looked up.
    pub(super) fn decided_of_trace(
        &self,
        card: Fingerprint,
        trace: NetworkTrace,
    ) -> impl Iterator<Item = &Authorization> {
        let latest = traced(card, trace).and_then(|number| self.latest_traced.get(number));
        self.chain(latest, |entry| entry.before_traced)
            .filter_map(|entry| entry.kept.authorization())
            .filter(move |one| one.facts.key.card == card && one.facts.network_trace == trace)
    }

    /// The entry at a place, and those before it that it leads to.
    fn chain(
        &self,
        latest: Option<&u64>,
        before: fn(&Entry) -> u64,
    ) -> impl Iterator<Item = &Entry> {
        let entry_at = |place: u64| {
            let index = usize::try_from(place.checked_sub(self.gone)?).ok()?;
            self.entries.get(index)
        };
        let first = latest.copied().and_then(entry_at);
        std::iter::successors(first, move |entry| entry_at(before(entry)))
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
        for number in numbers(&early.reference) {
            self.early.entry(number).or_default().push(early);
        }
    }

    /// The reversals that came before a message of this origin, or of the trace with this number.
    pub(super) fn early(&self, number: i64) -> impl Iterator<Item = &Early> {
        self.early.get(&number).into_iter().flatten()
    }

    /// The request of an early reversal has come, and its advice may still.
    pub(super) fn wait_for_advice(&mut self, early: &Early) {
        for number in numbers(&early.reference) {
            let all = self.early.get_mut(&number).into_iter().flatten();
            all.filter(|one| one.id == early.id).for_each(|one| one.of_declined = true);
        }
    }

    /// An early reversal stops nothing any more.
    pub(super) fn drop_early(&mut self, id: AuthorizationId, reference: &OriginalReference) {
        for number in numbers(reference) {
            let Some(all) = self.early.get_mut(&number) else { continue };
            all.retain(|one| one.id != id);
            if all.is_empty() {
                self.early.remove(&number);
            }
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
        if let Some(number) = kept.traced()
            && self.latest_traced.get(number) == Some(&self.gone)
        {
            self.latest_traced.remove(number);
        }
        self.entries.drop_front();
        self.gone = self.gone.saturating_add(1);
        self.incomplete = true;
        self.forget_early(reversal);
    }

    /// A reversal goes: it stops its original no more.
    fn forget_early(&mut self, reversal: Option<(AuthorizationId, OriginalReference)>) {
        if let Some((id, reference)) = reversal {
            self.drop_early(id, &reference);
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
            let entry = known.unwrap_or_else(|| Entry::alone(kept, now));
            self.recalled.entry(id).or_insert(entry);
        }
    }

    /// Takes back one authorization that was looked up at `now` by its name, unless it is here.
    pub(super) fn recall_alone(&mut self, authorization: Authorization, now: Timestamp) {
        let id = authorization.id;
        if self.index(id).is_none() && !self.recalled.contains_key(&id) {
            let kept = Kept::Authorization(authorization);
            self.alone.entry(id).or_insert_with(|| Entry::alone(kept, now));
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

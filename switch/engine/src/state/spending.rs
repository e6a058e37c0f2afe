//! Spend controls of a shard's cards and accounts, and what was used of limits. It owns that a
//! change of a control restricts when it is decided and relaxes when it is committed: in between,
//! old and new both apply.

use std::collections::{BTreeMap, BTreeSet};

use switch_domain::{ControlId, ControlSubject, ShardId, SpendControl, Usage, UsageDelta};

use super::{Map, State};

/// Controls and usage.
#[derive(Clone, Debug, Default)]
pub(super) struct Spending {
    /// In the order of their names for us; a change that is on its way stands behind what it
    /// changes.
    controls: Map<ControlSubject, Vec<SpendControl>>,
    /// Those that are in `controls`.
    known: BTreeSet<ControlId>,
    pub(super) usage: Map<(ControlId, i64), Usage>,
}

impl Spending {
    /// A control as it will be: it applies beside what it was.
    pub(super) fn decide(&mut self, control: SpendControl) {
        let controls = self.controls.entry(control.terms.subject).or_default();
        let at = controls.partition_point(|one| one.id <= control.id);
        self.known.insert(control.id);
        controls.insert(at, control);
    }

    /// A control as it is from now on.
    pub(super) fn commit(&mut self, control: SpendControl) {
        self.remove(control.terms.subject, control.id);
        self.decide(control);
    }

    /// A control that is no more.
    pub(super) fn remove(&mut self, subject: ControlSubject, id: ControlId) {
        self.known.remove(&id);
        if let Some(controls) = self.controls.get_mut(&subject) {
            controls.retain(|one| one.id != id);
            if controls.is_empty() {
                self.controls.remove(&subject);
            }
        }
    }

    /// What was used of a control that is no more is of no use.
    pub(super) fn forget(&mut self, id: ControlId) {
        self.usage.retain(|(control, _), _| *control != id);
    }

    /// What counts more, or less. What begins to count towards a control that was removed meanwhile
    /// is of no use; controls of programmes are not this shard's to know.
    pub(super) fn add(&mut self, delta: &UsageDelta) {
        let control = delta.counted.control;
        let key = (control, delta.counted.holder);
        if delta.oldest.is_some() {
            if control.shard() != ShardId::CONTROL && !self.known.contains(&control) {
                return;
            }
            self.usage.entry(key).or_default().add(delta);
        } else if let Some(usage) = self.usage.get_mut(&key) {
            usage.add(delta);
        }
    }

    /// All controls as they are, by their names for us.
    pub(super) fn all(&self) -> BTreeMap<ControlId, &SpendControl> {
        self.controls.values().flatten().map(|one| (one.id, one)).collect()
    }
}

impl State {
    /// The spend controls of a card or an account.
    #[must_use]
    pub fn spend_controls_of(&self, subject: ControlSubject) -> &[SpendControl] {
        if self.spending.controls.is_empty() {
            return &[];
        }
        self.spending.controls.get(&subject).map_or(&[], Vec::as_slice)
    }

    /// All spend controls of cards and accounts, by their names for us.
    pub fn spend_controls(&self) -> impl Iterator<Item = &SpendControl> {
        self.spending.all().into_values()
    }

    /// What a card or an account used of a limit.
    #[must_use]
    pub fn usage(&self, control: ControlId, holder: i64) -> Option<&Usage> {
        self.spending.usage.get(&(control, holder))
    }

    /// Everything that was used of limits, in no order.
    pub fn usages(&self) -> impl Iterator<Item = ((ControlId, i64), &Usage)> {
        self.spending.usage.iter().map(|(key, usage)| (*key, usage))
    }
}

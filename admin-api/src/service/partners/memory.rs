//! By which rule answers are encrypted, in memory: a function of what was read and of the time. It
//! reads no table and asks no clock. What has changed is never learnt from a reading that began
//! before.

use std::collections::HashMap;

use switch_domain::{PartnerId, Timestamp};

use crate::jwe::PartnerRule;

/// What is known of partners, bounded.
#[derive(Debug)]
pub(super) struct Memory {
    rules: HashMap<PartnerId, (PartnerRule, Timestamp)>,
    room: usize,
    refresh: i64,
    /// Counts what was forgotten because it had changed.
    age: u64,
}

impl Memory {
    pub(super) fn new(room: usize, refresh: i64) -> Self {
        Self { rules: HashMap::new(), room, refresh, age: 0 }
    }

    /// A rule that is young enough. A clock that went back has gone too far.
    pub(super) fn rule(&self, partner: PartnerId, now: Timestamp) -> Option<PartnerRule> {
        let (rule, read) = self.rules.get(&partner)?;
        (0..self.refresh).contains(&now.0.saturating_sub(read.0)).then(|| rule.clone())
    }

    /// To be asked for before a reading, and shown with what was read.
    pub(super) const fn age(&self) -> u64 {
        self.age
    }

    pub(super) fn learn(
        &mut self,
        partner: PartnerId,
        rule: PartnerRule,
        now: Timestamp,
        age: u64,
    ) {
        if age != self.age {
            return;
        }
        if self.rules.len() >= self.room && !self.rules.contains_key(&partner) {
            // All at once: they come back one by one, and it happens to nobody whose limit fits.
            self.rules.clear();
        }
        self.rules.insert(partner, (rule, now));
    }

    pub(super) fn forget(&mut self, partner: PartnerId) {
        self.rules.remove(&partner);
        self.age = self.age.wrapping_add(1);
    }

    pub(super) fn len(&self) -> usize {
        self.rules.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: PartnerRule = PartnerRule::RegisteredOnly(Vec::new());

    #[test]
    fn a_rule_is_known_for_so_long_and_no_more_once_it_changed() {
        let mut memory = Memory::new(4, 10);
        let (one, at) = (PartnerId(1), Timestamp);
        assert_eq!(memory.rule(one, at(100)), None);
        memory.learn(one, NONE, at(100), memory.age());
        assert_eq!(memory.rule(one, at(109)), Some(NONE));
        assert_eq!(memory.rule(one, at(110)), None, "too old");
        assert_eq!(memory.rule(one, at(99)), None, "a clock that went back");
        let before = memory.age();
        memory.forget(one);
        assert_eq!(memory.rule(one, at(100)), None);
        memory.learn(one, NONE, at(100), before);
        assert_eq!(memory.rule(one, at(100)), None, "what was read before the change");
        memory.learn(one, PartnerRule::KeyInRequest, at(100), memory.age());
        assert_eq!(memory.rule(one, at(100)), Some(PartnerRule::KeyInRequest));
    }

    #[test]
    fn memory_is_bounded() {
        let mut memory = Memory::new(4, 10);
        for number in 0..20 {
            memory.learn(PartnerId(number), NONE, Timestamp(0), 0);
            assert!(memory.len() <= 4);
            assert_eq!(memory.rule(PartnerId(number), Timestamp(0)), Some(NONE));
        }
    }
}

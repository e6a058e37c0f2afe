//! Compares two states of one shard, such as one rebuilt from the journal and one loaded from the
//! tables. It owns which parts must be equal: everything about money and cards, and the open
//! authorizations; not what is remembered for a window only.

use std::collections::BTreeMap;
use std::fmt::Debug;

use switch_domain::{Authorization, AuthorizationId};

use super::State;

/// One thing that two states disagree on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {here} in the one, {there} in the other")]
pub struct Difference {
    /// Which thing.
    pub what: String,
    /// As this state has it.
    pub here: String,
    /// As the other state has it.
    pub there: String,
}

impl State {
    /// Everything that the two disagree on, in a stable order.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let mut found = Vec::new();
        if self.control != other.control {
            found.push(Difference {
                what: "programmes, partners, pools and rates".into(),
                here: format!("{:?}", self.control),
                there: format!("{:?}", other.control),
            });
        }
        compare(&mut found, "balance", &self.balances, &other.balances);
        compare(&mut found, "customer", &self.customers, &other.customers);
        compare(&mut found, "card", &self.cards, &other.cards);
        compare(&mut found, "share of pool", &self.shares, &other.shares);
        let controls = |state: &Self| -> super::Map<_, _> {
            state.spend_controls().map(|one| (one.id, one.clone())).collect()
        };
        compare(&mut found, "spend control", &controls(self), &controls(other));
        compare(&mut found, "usage", &self.spending.usage, &other.spending.usage);
        let counted = |state: &Self| -> super::Map<_, _> {
            state.counters().map(|(card, one)| (card, one.clone())).collect()
        };
        compare(&mut found, "counters of card", &counted(self), &counted(other));
        let sent = |state: &Self| -> super::Map<_, _> {
            state.open_transfers().map(|one| (one.id, one.clone())).collect()
        };
        compare(&mut found, "open transfer", &sent(self), &sent(other));
        let received = |state: &Self| -> super::Map<_, _> {
            state.transfers.received.iter().map(|(id, said)| (*id, *said)).collect()
        };
        compare(&mut found, "transfer received", &received(self), &received(other));
        compare(&mut found, "open authorization", &self.open(other), &other.open(self));
        found
    }

    /// The open authorizations that `other` can be asked about: all, unless it has let some go.
    fn open(&self, other: &Self) -> super::Map<AuthorizationId, &Authorization> {
        let known = |id| other.messages.is_complete() || other.messages.get(id).is_some();
        let open = self.messages.authorizations().filter(|a| a.held().is_positive());
        open.filter(|a| known(a.id))
            .map(|authorization| (authorization.id, authorization))
            .collect()
    }
}

fn compare<K: Ord + Copy + Debug + std::hash::Hash, V: PartialEq + Debug>(
    found: &mut Vec<Difference>,
    kind: &str,
    here: &super::Map<K, V>,
    there: &super::Map<K, V>,
) {
    let mut both: BTreeMap<K, (Option<&V>, Option<&V>)> = BTreeMap::new();
    for (key, value) in here {
        both.entry(*key).or_default().0 = Some(value);
    }
    for (key, value) in there {
        both.entry(*key).or_default().1 = Some(value);
    }
    for (key, (one, other)) in both {
        if one != other {
            found.push(Difference {
                what: format!("{kind} {key:?}"),
                here: one.map_or("nothing".into(), |value| format!("{value:?}")),
                there: other.map_or("nothing".into(), |value| format!("{value:?}")),
            });
        }
    }
}

//! Places for readings of history, each of which takes a connection for as long as it may last. It
//! owns that nobody keeps the others from reading: who asks has one at a time, a partner and its
//! holders together half of all, and operators one of their own. Nobody waits for one: who waits
//! would hold what others could have.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use switch_domain::{CustomerId, PartnerId};

/// Who asks for history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asker {
    /// Any operator.
    Operator,
    /// A partner's system.
    Partner(PartnerId),
    /// The app of a partner's customer.
    Holder(PartnerId, CustomerId),
}

impl Asker {
    const fn partner(self) -> Option<PartnerId> {
        match self {
            Self::Operator => None,
            Self::Partner(partner) | Self::Holder(partner, _) => Some(partner),
        }
    }
}

/// The places, operators' own aside.
#[derive(Debug)]
pub(super) struct Places {
    most: usize,
    taken: Mutex<HashMap<Asker, ()>>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Reading {
    places: Arc<Places>,
    asker: Asker,
}

impl Places {
    pub(super) fn new(most: usize) -> Self {
        Self { most, taken: Mutex::default() }
    }

    /// A place, now or not at all.
    pub(super) fn take(self: &Arc<Self>, asker: Asker) -> Option<Reading> {
        let mut taken = self.taken();
        if taken.contains_key(&asker) {
            return None;
        }
        if let Some(partner) = asker.partner() {
            let of_partners = || taken.keys().filter_map(|asker| asker.partner());
            let own = of_partners().filter(|other| *other == partner).count();
            if of_partners().count() >= self.most || own >= self.most.div_ceil(2) {
                return None;
            }
        }
        taken.insert(asker, ());
        Some(Reading { places: Arc::clone(self), asker })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<Asker, ()>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.places.taken().remove(&self.asker);
    }
}

#[test]
fn nobody_keeps_the_others_from_reading() {
    let places = Arc::new(Places::new(4));
    let (one, other, third) = (PartnerId(1), PartnerId(2), PartnerId(3));
    let holder = |partner, id| Asker::Holder(partner, CustomerId(id));
    let first = places.take(Asker::Partner(one)).expect("a place");
    assert!(places.take(Asker::Partner(one)).is_none(), "one at a time");
    let second = places.take(holder(one, 1)).expect("beside it");
    assert!(places.take(holder(one, 2)).is_none(), "half of all is its");
    let others = [Asker::Partner(other), holder(other, 1)].map(|asker| places.take(asker));
    assert!(others.iter().all(Option::is_some));
    assert!(places.take(Asker::Partner(third)).is_none(), "there are no more");
    let operator = places.take(Asker::Operator).expect("its own");
    assert!(places.take(Asker::Operator).is_none());
    drop((first, second, operator));
    assert!(places.take(Asker::Partner(third)).is_some() && places.take(Asker::Operator).is_some());
}

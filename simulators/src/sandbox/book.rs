//! The simulations that are remembered: what was sent of each, and what was answered. Must forget
//! the oldest where there is no room, and play none twice at a time.

use std::collections::{HashMap, VecDeque};

use crate::iso::Message;

/// A simulation.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) owner: String,
    /// What the switch calls the card.
    pub(super) card: String,
    pub(super) request: Message,
    pub(super) answer: Option<Message>,
}

/// What a simulation is when it is asked for.
#[derive(Debug)]
pub(super) enum Claimed {
    /// Nothing yet.
    New,
    /// It was sent before; with its answer, if there was one.
    Before(Box<Kept>),
    /// It is on its way.
    Busy,
    /// Somebody else's.
    Foreign,
}

#[derive(Debug)]
enum Entry {
    /// On its way, for this owner.
    Claimed(String),
    Kept(Box<Kept>),
}

/// All that are remembered.
#[derive(Debug)]
pub(super) struct Book {
    most: usize,
    entries: HashMap<String, Entry>,
    /// The oldest first.
    order: VecDeque<String>,
}

impl Book {
    pub(super) fn new(most: usize) -> Self {
        Self { most: most.max(1), entries: HashMap::new(), order: VecDeque::new() }
    }

    /// Takes a simulation for who asks; it is on its way until it is kept or withdrawn.
    pub(super) fn claim(&mut self, simulation: &str, owner: &str) -> Claimed {
        match self.entries.get(simulation) {
            Some(Entry::Claimed(other)) if other == owner => return Claimed::Busy,
            Some(Entry::Claimed(_)) => return Claimed::Foreign,
            Some(Entry::Kept(kept)) if kept.owner != owner => return Claimed::Foreign,
            Some(Entry::Kept(kept)) => {
                let before = kept.clone();
                let claimed = Entry::Claimed(owner.to_owned());
                // Answered ones are never sent again, and so on nobody's way.
                if before.answer.is_none() {
                    self.entries.insert(simulation.to_owned(), claimed);
                }
                return Claimed::Before(before);
            }
            None => {}
        }
        while self.order.len() >= self.most {
            if let Some(oldest) = self.order.pop_front() {
                self.entries.remove(&oldest);
            }
        }
        self.order.push_back(simulation.to_owned());
        self.entries.insert(simulation.to_owned(), Entry::Claimed(owner.to_owned()));
        Claimed::New
    }

    /// Keeps it, unless it was forgotten meanwhile.
    pub(super) fn keep(&mut self, simulation: &str, kept: Kept) {
        if let Some(entry) = self.entries.get_mut(simulation) {
            *entry = Entry::Kept(Box::new(kept));
        }
    }

    /// Nothing was sent of it.
    pub(super) fn withdraw(&mut self, simulation: &str) {
        if self.entries.remove(simulation).is_some() {
            self.order.retain(|known| known != simulation);
        }
    }

    /// One that was answered, by its name.
    pub(super) fn find(&self, simulation: &str, owner: &str) -> Option<Kept> {
        match self.entries.get(simulation)? {
            Entry::Kept(kept) if kept.owner == owner => Some((**kept).clone()),
            Entry::Kept(_) | Entry::Claimed(_) => None,
        }
    }
}

#[test]
fn the_oldest_is_forgotten_and_nobody_elses_is_found() {
    let kept = |owner: &str| Kept {
        owner: owner.to_owned(),
        card: "1".to_owned(),
        request: Message::new("0100").expect("a type"),
        answer: Some(Message::new("0110").expect("a type")),
    };
    let mut book = Book::new(2);
    assert!(matches!(book.claim("a", "one"), Claimed::New));
    assert!(matches!(book.claim("a", "one"), Claimed::Busy));
    assert!(matches!(book.claim("a", "two"), Claimed::Foreign));
    book.keep("a", kept("one"));
    assert!(matches!(book.claim("a", "one"), Claimed::Before(_)));
    assert!(matches!(book.claim("a", "two"), Claimed::Foreign));
    assert!(book.find("a", "one").is_some() && book.find("a", "two").is_none());
    assert!(matches!(book.claim("b", "two"), Claimed::New));
    book.withdraw("b");
    assert!(matches!(book.claim("b", "two"), Claimed::New));
    book.keep("b", kept("two"));
    assert!(matches!(book.claim("c", "two"), Claimed::New));
    assert!(book.find("a", "one").is_none(), "it was the oldest");
    assert!(book.find("b", "two").is_some());
}

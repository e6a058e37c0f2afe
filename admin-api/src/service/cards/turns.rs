//! Turns: of what changes one card only one asks for a connection at a time. A row of the database
//! makes them take turns too, between all switches over it, but whoever waits for a row has a
//! connection meanwhile, and a card whose processor is slow would have all of them. It decides
//! nothing, and keeps nothing of a card that nobody waits for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::{counter, describe_counter};
use switch_domain::CardId;
use tokio::sync::OwnedMutexGuard;

use crate::Problem;

const REFUSED: &str = "cardswitch_card_turns_refused_total";

type Waiting = Arc<tokio::sync::Mutex<()>>;

/// Whose turn it is, by card.
pub(super) struct Turns {
    /// How many have one card's turn or wait for it.
    most: usize,
    cards: Mutex<HashMap<CardId, Waiting>>,
}

/// One card's turn, until it is dropped.
pub(super) struct Turn {
    turns: Arc<Turns>,
    card: CardId,
    /// Taken out to be dropped before it is seen who still waits.
    held: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    pub(super) fn new(most: usize) -> Self {
        describe_counter!(REFUSED, "Changes of a card that too many others waited for");
        Self { most, cards: Mutex::default() }
    }

    /// A card's turn, once those before have had it.
    ///
    /// # Errors
    /// `OVERLOADED`: as many wait for it as may.
    pub(super) async fn take(self: &Arc<Self>, card: CardId) -> Result<Turn, Problem> {
        let waiting = {
            let mut cards = self.cards();
            let waiting = cards.entry(card).or_default();
            // Beside the map, each who waits or is served holds it.
            if Arc::strong_count(waiting) > self.most {
                counter!(REFUSED).increment(1);
                let what = "too many changes of this card wait for each other; try again later";
                return Err(Problem::new("OVERLOADED", what));
            }
            Arc::clone(waiting)
        };
        // Who goes away while it waits leaves as one who was served.
        let mut turn = Turn { turns: Arc::clone(self), card, held: None };
        turn.held = Some(waiting.lock_owned().await);
        Ok(turn)
    }

    fn cards(&self) -> MutexGuard<'_, HashMap<CardId, Waiting>> {
        self.cards.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        drop(self.held.take());
        let mut cards = self.turns.cards();
        if cards.get(&self.card).is_some_and(|waiting| Arc::strong_count(waiting) == 1) {
            cards.remove(&self.card);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Waker};

    use super::*;

    fn waits(taking: &mut Pin<Box<impl Future<Output = Result<Turn, Problem>>>>) -> bool {
        taking.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    #[tokio::test]
    async fn of_one_card_one_at_a_time_and_of_all_that_end_nothing_stays() {
        let turns = Arc::new(Turns::new(2));
        let (one, other) = (CardId(1), CardId(2));
        let first = turns.take(one).await.expect("its turn");
        let _beside = turns.take(other).await.expect("another card's");
        let mut second = Box::pin(turns.take(one));
        assert!(waits(&mut second));
        let third = turns.take(one).await;
        assert_eq!(third.err().expect("too many").code, "OVERLOADED");
        drop(first);
        let second = second.await.expect("its turn");
        // Who stops waiting leaves its place.
        let mut gone = Box::pin(turns.take(one));
        assert!(waits(&mut gone));
        drop(gone);
        let mut next = Box::pin(turns.take(one));
        assert!(waits(&mut next));
        drop(second);
        drop(next.await.expect("its turn"));
        assert_eq!(turns.cards().len(), 1, "the other card's");
    }
}

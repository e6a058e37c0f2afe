//! What a shard leaves to others when it is sealed (W-12): all that concerns money and cards, and
//! what is still open; what is closed is history and stays where it is. It owns the shape only.

use crate::{
    Authorization, Balance, Card, CardCounters, CardId, ControlId, CustomerId, CustomerState,
    PoolId, PoolShare, SpendControl, Usage,
};

/// Rows that go to one shard, each whole, as it stands in that shard from then on (W-8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Estate {
    /// Accounts.
    pub balances: Vec<Balance>,
    /// Customers whose state is not the default.
    pub customers: Vec<(CustomerId, CustomerState)>,
    /// Cards.
    pub cards: Vec<Card>,
    /// Spend controls of these cards and accounts.
    pub spend_controls: Vec<SpendControl>,
    /// What these cards and accounts used of limits.
    pub usage: Vec<((ControlId, i64), Usage)>,
    /// Counters of these cards.
    pub counters: Vec<(CardId, CardCounters)>,
    /// Shares of pools.
    pub shares: Vec<(PoolId, PoolShare)>,
    /// Authorizations that are not closed, by identifier.
    pub authorizations: Vec<Authorization>,
}

impl Estate {
    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        [
            self.balances.len(),
            self.customers.len(),
            self.cards.len(),
            self.spend_controls.len(),
            self.usage.len(),
            self.counters.len(),
            self.shares.len(),
            self.authorizations.len(),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }

    /// The same rows in pieces of at most `most`, in order.
    #[must_use]
    pub fn pieces(mut self, most: usize) -> Vec<Self> {
        let mut pieces = Vec::new();
        while self.rows() > 0 {
            let mut room = most.max(1);
            pieces.push(Self {
                balances: first(&mut self.balances, &mut room),
                customers: first(&mut self.customers, &mut room),
                cards: first(&mut self.cards, &mut room),
                spend_controls: first(&mut self.spend_controls, &mut room),
                usage: first(&mut self.usage, &mut room),
                counters: first(&mut self.counters, &mut room),
                shares: first(&mut self.shares, &mut room),
                authorizations: first(&mut self.authorizations, &mut room),
            });
        }
        pieces
    }
}

/// Takes as many as there is room for from the front.
fn first<T>(rows: &mut Vec<T>, room: &mut usize) -> Vec<T> {
    let rest = rows.split_off(rows.len().min(*room));
    let taken = std::mem::replace(rows, rest);
    *room = room.saturating_sub(taken.len());
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_hold_everything_in_order() {
        let customers: Vec<_> = (0..5).map(|id| (CustomerId(id), CustomerState::Blocked)).collect();
        let shares: Vec<_> = (0..4).map(|id| (PoolId(id), PoolShare::default())).collect();
        let whole = Estate { customers, shares, ..Estate::default() };
        let pieces = whole.clone().pieces(2);
        assert_eq!(pieces.iter().map(Estate::rows).collect::<Vec<_>>(), [2, 2, 2, 2, 1]);
        let together = pieces.into_iter().fold(Estate::default(), |mut sum, piece| {
            sum.customers.extend(piece.customers);
            sum.shares.extend(piece.shares);
            sum
        });
        assert_eq!(together, whole);
        assert_eq!(Estate::default().pieces(2), []);
    }
}

//! Reconciliation: what one side says was settled over a link in a business day, beside what the
//! other has. It owns the four kinds of sums and when two of them agree; where they come from, and
//! the fields that carry them, are known elsewhere.

use crate::{AsciiText, Currency, LinkId};

/// Kinds of financial messages that are summed up, in the order of their fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Settled {
    /// Money to customers: refunds.
    Credits,
    /// Refunds taken back.
    CreditReversals,
    /// Money from customers: purchases, cash.
    Debits,
    /// Purchases taken back, in whole or in part.
    DebitReversals,
}

impl Settled {
    /// Every one once, in their order.
    pub const ALL: [Self; 4] =
        [Self::Credits, Self::CreditReversals, Self::Debits, Self::DebitReversals];
}

/// What was settled: how often and how much of each kind, in minor units of one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReconciliationTotals {
    /// How many messages of each kind.
    pub numbers: [u64; 4],
    /// How much they settled.
    pub amounts: [u64; 4],
}

impl ReconciliationTotals {
    /// Adds messages of a kind.
    pub fn add(&mut self, kind: Settled, number: u64, amount: u64) {
        let place = kind as usize;
        for (sums, more) in [(&mut self.numbers, number), (&mut self.amounts, amount)] {
            if let Some(sum) = sums.get_mut(place) {
                *sum = sum.saturating_add(more);
            }
        }
    }

    /// Credits less debits, each less its reversals: below zero where customers paid more than they
    /// got. `None` past the range of an i64.
    #[must_use]
    pub fn net(&self) -> Option<i64> {
        let [credits, credits_back, debits, debits_back] = self.amounts;
        let up = i128::from(credits).saturating_add(debits_back.into());
        let down = i128::from(credits_back).saturating_add(debits.into());
        i64::try_from(up.saturating_sub(down)).ok()
    }
}

/// What a peer says was settled; `None` where it does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReconciliationClaim {
    /// Messages of each kind.
    pub numbers: [Option<u64>; 4],
    /// What they settled.
    pub amounts: [Option<u64>; 4],
    /// The net amount.
    pub net: Option<i64>,
}

impl ReconciliationClaim {
    /// Whether all that is said is so; `None` where nothing is.
    #[must_use]
    pub fn agrees(&self, ours: &ReconciliationTotals) -> Option<bool> {
        let numbers = self.numbers.iter().zip(ours.numbers);
        let amounts = self.amounts.iter().zip(ours.amounts);
        let said = numbers.chain(amounts).filter_map(|(said, ours)| Some((*said)? == ours));
        let net = self.net.map(|net| Some(net) == ours.net());
        said.chain(net).reduce(|all, one| all && one)
    }
}

/// Which business day is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedDay {
    /// None is named: the day that it is.
    Current,
    /// A day without its year: the last such.
    MonthDay(u8, u8),
    /// Year, month and day.
    Date(u16, u8, u8),
}

/// A reconciliation request or advice (x500, x520).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReconciliationAsk {
    /// The link it came by.
    pub link: LinkId,
    /// The same when it comes again.
    pub key: AsciiText<40>,
    /// Which day.
    pub day: AskedDay,
    /// Of what currency, where it says.
    pub currency: Option<Currency>,
    /// What the peer has.
    pub claim: ReconciliationClaim,
}

/// What came of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReconciliationAnswer {
    /// These totals were compared with the claim.
    Totals {
        /// Ours.
        ours: ReconciliationTotals,
        /// Of which currency; `None` where nothing was settled and none was named.
        currency: Option<Currency>,
        /// Whether all that was claimed is so; `None` where nothing was.
        agrees: Option<bool>,
    },
    /// Another one came under the same key.
    Duplicate,
    /// They cannot be told: of that day, of several currencies, or not in time.
    NotAvailable,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_net_amount_is_credits_less_debits_each_less_its_reversals() {
        let mut totals = ReconciliationTotals::default();
        totals.add(Settled::Debits, 3, 1_000);
        totals.add(Settled::DebitReversals, 1, 100);
        totals.add(Settled::Credits, 1, 50);
        totals.add(Settled::CreditReversals, 1, 20);
        assert_eq!(totals.numbers, [1, 1, 3, 1]);
        assert_eq!(totals.net(), Some(50 - 20 - 1_000 + 100));
        totals.add(Settled::Debits, 1, u64::MAX);
        assert_eq!(totals.net(), None);
    }

    #[test]
    fn a_claim_agrees_where_everything_that_it_says_is_so() {
        let mut ours = ReconciliationTotals::default();
        ours.add(Settled::Debits, 2, 500);
        let nothing = ReconciliationClaim::default();
        assert_eq!(nothing.agrees(&ours), None);
        let net = ReconciliationClaim { net: Some(-500), ..nothing };
        assert_eq!(net.agrees(&ours), Some(true));
        let mut all = net;
        all.numbers = [Some(0), Some(0), Some(2), Some(0)];
        all.amounts = [Some(0), None, Some(500), None];
        assert_eq!(all.agrees(&ours), Some(true));
        all.numbers[2] = Some(3);
        assert_eq!(all.agrees(&ours), Some(false));
        assert_eq!(ReconciliationClaim { net: Some(500), ..nothing }.agrees(&ours), Some(false));
    }
}

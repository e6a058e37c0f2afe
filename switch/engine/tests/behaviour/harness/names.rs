//! The names that a table gives to what it makes. It owns the rule that a name never made before
//! fails its row, unless it begins with `no-`: then it is of something that does not exist.

use std::collections::BTreeMap;

use switch_domain::{
    AuthorizationId, BalanceId, CardId, ControlId, ControlSubject, Currency, CustomerId, PartnerId,
    PoolId, PoolKind, ProgrammeId,
};

use super::row::Row;

/// A number that no shard ever mints here.
const NOWHERE: i64 = (9 << 40) + 9;

#[derive(Default)]
pub(crate) struct Names {
    pub(crate) partners: BTreeMap<String, PartnerId>,
    pub(crate) pools: BTreeMap<String, (PoolId, PoolKind, Currency)>,
    pub(crate) programmes: BTreeMap<String, (ProgrammeId, Currency)>,
    pub(crate) balances: BTreeMap<String, (BalanceId, Currency)>,
    pub(crate) customers: BTreeMap<String, CustomerId>,
    pub(crate) cards: BTreeMap<String, (CardId, Currency)>,
    /// The latest authorization with a label: its `as`, or its STAN.
    pub(crate) authorizations: BTreeMap<String, AuthorizationId>,
    /// The card that a STAN was last used for.
    pub(crate) card_of_stan: BTreeMap<u32, String>,
    pub(crate) controls: BTreeMap<String, (ControlId, ControlSubject)>,
    pub(crate) last_partner: Option<PartnerId>,
    pub(crate) last_programme: Option<(ProgrammeId, Currency)>,
}

fn find<T: Copy>(map: &BTreeMap<String, T>, row: &Row<'_>, name: &str, nowhere: T) -> T {
    match map.get(name) {
        Some(found) => *found,
        None if name.starts_with("no-") => nowhere,
        None => row.fail(&format!("nothing is called {name}")),
    }
}

impl Names {
    pub(crate) fn partner(&self, row: &Row<'_>, name: &str) -> PartnerId {
        find(&self.partners, row, name, PartnerId(NOWHERE))
    }

    pub(crate) fn pool_with_kind(&self, row: &Row<'_>, name: &str) -> (PoolId, PoolKind, Currency) {
        let nowhere = (PoolId(NOWHERE), PoolKind::Deposit, super::currency("EUR"));
        find(&self.pools, row, name, nowhere)
    }

    pub(crate) fn pool(&self, row: &Row<'_>, name: &str) -> (PoolId, Currency) {
        let (id, _, currency) = self.pool_with_kind(row, name);
        (id, currency)
    }

    pub(crate) fn programme(&self, row: &Row<'_>, name: &str) -> (ProgrammeId, Currency) {
        find(&self.programmes, row, name, (ProgrammeId(NOWHERE), super::currency("EUR")))
    }

    pub(crate) fn balance(&self, row: &Row<'_>, name: &str) -> BalanceId {
        self.balance_and_currency(row, name).0
    }

    pub(crate) fn balance_and_currency(&self, row: &Row<'_>, name: &str) -> (BalanceId, Currency) {
        find(&self.balances, row, name, (BalanceId(NOWHERE), super::currency("EUR")))
    }

    /// A customer exists by being named.
    pub(crate) fn customer(&mut self, name: &str) -> CustomerId {
        let next = CustomerId(i64::try_from(self.customers.len()).expect("few") + 1);
        *self.customers.entry(name.to_owned()).or_insert(next)
    }

    pub(crate) fn card(&self, row: &Row<'_>, name: &str) -> CardId {
        find(&self.cards, row, name, (CardId(NOWHERE), super::currency("EUR"))).0
    }

    pub(crate) fn control(&self, row: &Row<'_>, name: &str) -> (ControlId, ControlSubject) {
        find(&self.controls, row, name, (ControlId(NOWHERE), ControlSubject::Card(CardId(NOWHERE))))
    }

    /// The label of an authorization; `nothing` where there is none.
    pub(crate) fn label(&self, id: Option<AuthorizationId>) -> String {
        let Some(id) = id else { return "nothing".to_owned() };
        let found = self.authorizations.iter().find(|(_, labelled)| **labelled == id);
        found.map_or_else(|| "unnamed".to_owned(), |(label, _)| label.clone())
    }
}

//! Holds whose life is over: what names one, and how long each may live. It owns which rule applies
//! to which purchase; it never looks at a clock, and ends nothing by itself.

use core::time::Duration;

use crate::{
    Authorization, AuthorizationId, BalanceId, LinkId, MinorUnits, OriginalKey, Timestamp,
    TransactionType,
};

/// An authorization whose hold is to end: how it is found in memory, in the tables, and among what
/// is being looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hold {
    /// The authorization.
    pub authorization: AuthorizationId,
    /// The account that it holds on: says which shard decides.
    pub balance: BalanceId,
    /// When it was decided: with its name, the key of its row.
    pub decided_at: Timestamp,
    /// What a reversal of it says, so that the two do not overtake each other.
    pub original: OriginalKey,
    /// What increments had added to it when its life was found to be over: where there is more by
    /// now, its life has begun again.
    pub incremented: MinorUnits,
}

impl Hold {
    /// That of an authorization; `None` where it has no account, and so holds nothing.
    #[must_use]
    pub fn of(authorization: &Authorization) -> Option<Self> {
        Some(Self {
            authorization: authorization.id,
            balance: authorization.balance?,
            decided_at: authorization.decided_at,
            original: authorization.facts.key.as_original(),
            incremented: authorization.totals.incremented,
        })
    }
}

/// Merchant category codes in a row (DE18, ISO 18245), the first and the last among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Categories {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

impl Categories {
    /// One category.
    #[must_use]
    pub const fn one(category: u16) -> Self {
        Self { first: category, last: category }
    }

    /// Whether a category is among them.
    #[must_use]
    pub const fn has(&self, category: u16) -> bool {
        self.first <= category && category <= self.last
    }
}

/// How long the holds of some purchases live. Where `links` or `categories` is empty, it does not
/// count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldRule {
    /// The links that their authorizations came by.
    pub links: Vec<LinkId>,
    /// The categories of their merchants.
    pub categories: Vec<Categories>,
    /// How long they hold.
    pub life: Duration,
}

/// Whether a rule for these links and categories is about a purchase. Where one of the two is
/// empty, it does not count.
pub(crate) fn applies(
    links: &[LinkId],
    categories: &[Categories],
    link: Option<LinkId>,
    category: u16,
) -> bool {
    let link_fits = links.is_empty() || link.is_some_and(|one| links.contains(&one));
    link_fits && (categories.is_empty() || categories.iter().any(|one| one.has(category)))
}

/// A category says more of a purchase than a link does, and both more than either.
pub(crate) const fn weight(links: &[LinkId], categories: &[Categories]) -> u8 {
    match (categories.is_empty(), links.is_empty()) {
        (false, false) => 3,
        (false, true) => 2,
        (true, false) => 1,
        (true, true) => 0,
    }
}

/// How long holds live: rules, and what goes for all that no rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldLives {
    default: Duration,
    /// That of an amount which is estimated, where it is another.
    estimated: Option<Duration>,
    /// The most specific first; among equals as they were given.
    rules: Vec<HoldRule>,
}

impl HoldLives {
    /// Rules in any order: one with links and categories goes before one with categories alone,
    /// that before one with links alone; among equals the first applies.
    #[must_use]
    pub fn new(default: Duration, mut rules: Vec<HoldRule>) -> Self {
        rules.sort_by_key(|rule| std::cmp::Reverse(weight(&rule.links, &rule.categories)));
        Self { default, estimated: None, rules }
    }

    /// The same, with a life for pre-authorizations that no rule by category is about.
    #[must_use]
    pub const fn with_estimated(mut self, life: Duration) -> Self {
        self.estimated = Some(life);
        self
    }

    /// How long a purchase holds; `link` where it is known which one it came by.
    #[must_use]
    pub fn of(&self, link: Option<LinkId>, category: u16, kind: TransactionType) -> Duration {
        let fits = |rule: &&HoldRule| applies(&rule.links, &rule.categories, link, category);
        let rule = self.rules.iter().find(fits);
        let by_category = rule.filter(|rule| !rule.categories.is_empty()).map(|rule| rule.life);
        let estimated = self.estimated.filter(|_| kind == TransactionType::Preauthorization);
        let life = by_category.or(estimated).or(rule.map(|rule| rule.life));
        life.unwrap_or(self.default)
    }

    /// Every life that there is, each once, the shortest first.
    #[must_use]
    pub fn all(&self) -> Vec<Duration> {
        let rules = self.rules.iter().map(|rule| rule.life);
        let mut lives: Vec<_> = rules.chain([self.default]).chain(self.estimated).collect();
        lives.sort_unstable();
        lives.dedup();
        lives
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn rule(links: &[u16], categories: &[(u16, u16)], days: u32) -> HoldRule {
        HoldRule {
            links: links.iter().map(|link| LinkId(*link)).collect(),
            categories: categories
                .iter()
                .map(|(first, last)| Categories { first: *first, last: *last })
                .collect(),
            life: DAY * days,
        }
    }

    #[test]
    fn the_most_specific_rule_applies_and_among_equals_the_first() {
        let lives = HoldLives::new(
            DAY * 7,
            vec![
                rule(&[2], &[], 5),
                rule(&[], &[(3000, 3299), (7011, 7011)], 30),
                rule(&[2, 3], &[(7011, 7011)], 20),
                rule(&[], &[(7011, 7999)], 1),
                rule(&[3], &[], 4),
                rule(&[3], &[], 6),
            ],
        );
        for (link, category, days) in [
            (Some(1), 5411, 7),
            (None, 5411, 7),
            (Some(2), 5411, 5),
            (Some(3), 5411, 4),
            (Some(1), 2999, 7),
            (Some(1), 3000, 30),
            (Some(2), 3299, 30),
            (Some(1), 3300, 7),
            (Some(1), 7011, 30),
            (None, 7011, 30),
            (Some(2), 7011, 20),
            (Some(3), 7011, 20),
            (Some(3), 7012, 1),
            (Some(3), 8000, 4),
        ] {
            let found = lives.of(link.map(LinkId), category, TransactionType::Purchase);
            assert_eq!(found, DAY * days, "link {link:?}, category {category}");
        }
        assert_eq!(lives.all(), [1, 4, 5, 6, 7, 20, 30].map(|days| DAY * days));
    }

    #[test]
    fn without_rules_all_live_alike() {
        let lives = HoldLives::new(DAY, Vec::new());
        let of = |lives: &HoldLives, kind| lives.of(Some(LinkId(1)), 3000, kind);
        let purchase = TransactionType::Purchase;
        assert_eq!((of(&lives, purchase), lives.all()), (DAY, vec![DAY]));
        let estimated = TransactionType::Preauthorization;
        assert_eq!(of(&lives, estimated), DAY);
        let lives = HoldLives::new(DAY, vec![rule(&[1], &[], 2)]).with_estimated(DAY * 30);
        assert_eq!((of(&lives, estimated), of(&lives, purchase)), (DAY * 30, DAY * 2));
        assert_eq!(lives.all(), [DAY, DAY * 2, DAY * 30]);
        let of_category = vec![rule(&[], &[(3000, 3000)], 5)];
        let lives = HoldLives::new(DAY, of_category).with_estimated(DAY * 30);
        assert_eq!(of(&lives, estimated), DAY * 5, "a category says more");
    }
}

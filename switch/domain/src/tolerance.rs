//! How far what is settled may go above what was authorized: tips, fuel, a day more of a car. It
//! owns which rule applies to which merchant, and what a rule allows; what becomes of more than
//! that is the engine's affair.

use crate::hold::{applies, weight};
use crate::{Categories, Channel, LinkId, MinorUnits};

/// What is allowed on top of what was authorized: a share of it or a fixed amount, whichever is
/// more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tolerance {
    /// Of what was authorized, in hundredths.
    pub percent: u16,
    /// In minor units of the currency of the authorization.
    pub minor: u32,
}

impl Tolerance {
    /// Nothing on top.
    pub const NONE: Self = Self { percent: 0, minor: 0 };

    /// A share alone.
    #[must_use]
    pub const fn percent(percent: u16) -> Self {
        Self { percent, minor: 0 }
    }

    /// The most that may be settled of this much: parts of a minor unit are nobody's. Of nothing,
    /// nothing.
    #[must_use]
    pub fn most(self, authorized: MinorUnits) -> MinorUnits {
        if !authorized.is_positive() {
            return MinorUnits::ZERO;
        }
        let of_it = i128::from(authorized.0).saturating_mul(self.percent.into()) / 100;
        let on_top = of_it.max(self.minor.into());
        let most = on_top.saturating_add(authorized.0.into());
        MinorUnits(i64::try_from(most).unwrap_or(i64::MAX))
    }
}

/// What is allowed to some merchants. Where `links` or `categories` is empty, it does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToleranceRule {
    /// The links that what is settled comes by.
    pub links: Vec<LinkId>,
    /// The categories of their merchants.
    pub categories: Vec<Categories>,
    /// What is allowed.
    pub tolerance: Tolerance,
}

/// What is allowed to whom: rules, and what goes for all that no rule is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tolerances {
    default: Tolerance,
    /// Where the card is not present, where that is another.
    remote: Option<Tolerance>,
    /// The most specific first; among equals as they were given.
    rules: Vec<ToleranceRule>,
}

impl Tolerances {
    /// Rules in any order: one with links and categories goes before one with categories alone,
    /// that before one with links alone; among equals the first applies.
    #[must_use]
    pub fn new(default: Tolerance, mut rules: Vec<ToleranceRule>) -> Self {
        rules.sort_by_key(|rule| std::cmp::Reverse(weight(&rule.links, &rule.categories)));
        Self { default, remote: None, rules }
    }

    /// The same, with a tolerance for purchases without the card, where no rule by category is
    /// about them.
    #[must_use]
    pub const fn with_remote(mut self, tolerance: Tolerance) -> Self {
        self.remote = Some(tolerance);
        self
    }

    /// What is allowed to a merchant of this category.
    #[must_use]
    pub fn of(&self, link: LinkId, category: u16, channel: Channel) -> Tolerance {
        let fits =
            |rule: &&ToleranceRule| applies(&rule.links, &rule.categories, Some(link), category);
        let rule = self.rules.iter().find(fits);
        let by_category = rule.filter(|rule| !rule.categories.is_empty());
        let remote = self.remote.filter(|_| channel == Channel::Ecommerce);
        let by_category = by_category.map(|rule| rule.tolerance);
        let of_rule = rule.map(|rule| rule.tolerance);
        by_category.or(remote).or(of_rule).unwrap_or(self.default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_or_an_amount_is_allowed_on_top_of_something() {
        for (percent, minor, authorized, most) in [
            (0, 0, 1_000, 1_000),
            (20, 0, 1_000, 1_200),
            (15, 0, 999, 1_148),
            (20, 500, 1_000, 1_500),
            (20, 500, 10_000, 12_000),
            (20, 500, 0, 0),
            (20, 500, -1, 0),
            (u16::MAX, u32::MAX, i64::MAX, i64::MAX),
        ] {
            let tolerance = Tolerance { percent, minor };
            assert_eq!(tolerance.most(MinorUnits(authorized)).0, most, "{tolerance:?}");
        }
    }

    #[test]
    fn the_most_specific_rule_applies() {
        let rule = |links: &[u16], categories: &[u16], percent| ToleranceRule {
            links: links.iter().map(|link| LinkId(*link)).collect(),
            categories: categories.iter().map(|one| Categories::one(*one)).collect(),
            tolerance: Tolerance::percent(percent),
        };
        let rules = vec![
            rule(&[2], &[], 5),
            rule(&[], &[5812, 5814], 20),
            rule(&[2], &[5812], 30),
            rule(&[], &[5812], 1),
        ];
        let tolerances = Tolerances::new(Tolerance::percent(2), rules);
        let of = |link, category| {
            let tolerance = tolerances.of(LinkId(link), category, Channel::Pos);
            tolerance.percent
        };
        assert_eq!([of(1, 5812), of(2, 5812), of(2, 5814), of(2, 5411)], [20, 30, 20, 5]);
        assert_eq!(of(1, 5411), 2);
        let tolerances = tolerances.clone().with_remote(Tolerance::percent(15));
        let remote = |link, category| {
            let tolerance = tolerances.of(LinkId(link), category, Channel::Ecommerce);
            tolerance.percent
        };
        assert_eq!([remote(1, 5411), remote(2, 5411), remote(2, 5812)], [15, 15, 30]);
        assert_eq!(tolerances.of(LinkId(1), 5411, Channel::Atm).percent, 2);
    }
}

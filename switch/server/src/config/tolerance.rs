//! `[tolerance]`: how far what is settled may go above what was authorized. It owns the names in
//! the file and what is shipped; which rule applies stands in the domain.

use std::collections::BTreeMap;

use serde::Deserialize;
use switch_domain::{Categories, LinkId, Tolerance, ToleranceRule, Tolerances};

use super::check::Faults;
use super::{Link, Mcc};

/// Ten times what was authorized: more than that is no tolerance.
const MOST_PERCENT: u16 = 1_000;
/// Rules that every financial message is held against.
const MOST_RULES: usize = 64;

/// How far what is settled may go above what was authorized.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClearingTolerance {
    /// For all that nothing else here is about, in hundredths of what was authorized.
    pub percent: u16,
    /// For purchases without the card, where no rule by category is about them.
    pub remote_percent: u16,
    /// What goes before these.
    pub rules: Vec<Rule>,
}

/// A rule; what it does not name does not count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// Links, by their names in `[links]`.
    pub links: Vec<String>,
    /// Categories of merchants.
    pub mcc: Vec<Mcc>,
    /// Hundredths of what was authorized.
    pub percent: u16,
    /// Minor units of the currency of the authorization, where that is more.
    pub minor: u32,
}

impl Default for ClearingTolerance {
    /// Who is given a tip, who bills what is used up later, and who authorizes a token amount
    /// before it is known how much is pumped.
    fn default() -> Self {
        let rule = |codes: &[(u16, u16)], percent, minor| {
            let mcc =
                codes.iter().map(|(first, last)| Mcc(Categories { first: *first, last: *last }));
            Rule { links: Vec::new(), mcc: mcc.collect(), percent, minor }
        };
        Self {
            percent: 0,
            remote_percent: 15,
            rules: vec![
                rule(&[(4121, 4121), (5812, 5814), (7230, 7230), (7298, 7298)], 20, 0),
                rule(
                    &[(3351, 3500), (3501, 3999), (4411, 4411), (7011, 7011), (7512, 7513)],
                    15,
                    0,
                ),
                rule(&[(5541, 5542)], 0, 12_500),
            ],
        }
    }
}

impl ClearingTolerance {
    /// As links and imports take them. Links that are not in the configuration are left out: it has
    /// been checked.
    #[must_use]
    pub fn settings(&self, links: &BTreeMap<String, Link>) -> Tolerances {
        let rule = |rule: &Rule| ToleranceRule {
            links: rule.links.iter().filter_map(|name| Some(LinkId(links.get(name)?.id))).collect(),
            categories: rule.mcc.iter().map(|code| code.0).collect(),
            tolerance: Tolerance { percent: rule.percent, minor: rule.minor },
        };
        let rules = self.rules.iter().map(rule).collect();
        Tolerances::new(Tolerance::percent(self.percent), rules)
            .with_remote(Tolerance::percent(self.remote_percent))
    }

    /// What cannot work in a configuration with these links.
    pub(super) fn check(&self, links: &BTreeMap<String, Link>, faults: &mut Faults) {
        let advice = format!("from 0 to {MOST_PERCENT}");
        for (key, percent) in [("percent", self.percent), ("remote_percent", self.remote_percent)] {
            faults.require(percent <= MOST_PERCENT, &["tolerance", key], advice.clone());
        }
        let path = ["tolerance", "rules"];
        faults.require(self.rules.len() <= MOST_RULES, &path, format!("at most {MOST_RULES}"));
        for (number, rule) in (1..).zip(&self.rules) {
            faults.require(
                !rule.links.is_empty() || !rule.mcc.is_empty(),
                &path,
                format!(
                    "rule {number} names neither links nor mcc: percent of [tolerance] is for all"
                ),
            );
            faults.require(
                rule.percent <= MOST_PERCENT,
                &path,
                format!("rule {number}: percent {advice}"),
            );
            for name in rule.links.iter().filter(|name| !links.contains_key(*name)) {
                faults.require(false, &path, format!("rule {number}: there is no [links.{name}]"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use switch_domain::{Channel, MinorUnits};

    use super::*;

    #[test]
    fn what_is_shipped_allows_tips_later_bills_and_fuel() {
        let tolerances = ClearingTolerance::default().settings(&BTreeMap::new());
        let most = |category, channel| {
            tolerances.of(LinkId(1), category, channel).most(MinorUnits(10_000)).0
        };
        let at_terminals = [5411, 5812, 5814, 4121, 7230, 7011, 7512, 3400, 5542];
        let found = at_terminals.map(|category| most(category, Channel::Pos));
        assert_eq!(found, [10_000, 12_000, 12_000, 12_000, 12_000, 11_500, 11_500, 11_500, 22_500]);
        assert_eq!([5411, 5812].map(|one| most(one, Channel::Ecommerce)), [11_500, 12_000]);
    }

    #[test]
    fn a_rule_for_a_link_and_a_category_goes_first() {
        let mut links = BTreeMap::new();
        links.insert("visa".to_owned(), Link { id: 9, ..Link::default() });
        let own = Rule {
            links: vec!["visa".into()],
            mcc: vec![Mcc(Categories::one(5812))],
            percent: 30,
            minor: 0,
        };
        let mut tolerance = ClearingTolerance::default();
        tolerance.rules.push(own);
        let tolerances = tolerance.settings(&links);
        let percent = |link| tolerances.of(LinkId(link), 5812, Channel::Pos).percent;
        assert_eq!([percent(9), percent(1)], [30, 20]);
    }
}

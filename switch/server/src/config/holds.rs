//! `[holds]`: how long approved amounts stay reserved where nothing more is heard of them, and how
//! the ends are looked for. It owns the names in the file and what is shipped; which rule applies
//! stands in the domain.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use switch_domain::{Categories, HoldLives, HoldRule, LinkId};
use switch_shard::SweepSettings;

use super::Link;
use super::check::Faults;

/// The longest life: a year, and a day where it is a leap year.
const LONGEST_S: u64 = 366 * 86_400;
/// Rules that every authorization is held against when it is looked at.
const MOST_RULES: usize = 64;

/// Who keeps a customer's money for weeks before the bill is known (ISO 18245): airlines, car
/// rental, lodging; cruises, airlines and car rental without a code of their own, travel agencies,
/// hotels, timeshares, camping sites; rental of cars, lorries and motor homes.
const TRAVEL: [Categories; 12] = [
    Categories { first: 3000, last: 3299 },
    Categories { first: 3351, last: 3500 },
    Categories { first: 3501, last: 3999 },
    Categories::one(4411),
    Categories::one(4511),
    Categories::one(4722),
    Categories::one(7011),
    Categories::one(7012),
    Categories::one(7033),
    Categories::one(7512),
    Categories::one(7513),
    Categories::one(7519),
];

/// How long holds live, and how those are found that have.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Holds {
    /// The life of a hold that no rule is about, in seconds.
    pub life_s: u64,
    /// That of a purchase for travel.
    pub travel_life_s: u64,
    /// What is travel, by the category of the merchant.
    pub travel_mcc: Vec<Mcc>,
    /// That of a pre-authorization, whose amount is an estimate, elsewhere.
    pub preauthorization_life_s: u64,
    /// What goes before these.
    pub rules: Vec<Rule>,
    /// How far apart the rows are looked through, in seconds.
    pub every_s: u64,
    /// Rows that are looked at in one statement.
    pub piece: u32,
    /// Ends that wait for their commit at a time.
    pub at_a_time: usize,
}

impl Default for Holds {
    fn default() -> Self {
        Self {
            life_s: 7 * 86_400,
            travel_life_s: 30 * 86_400,
            travel_mcc: TRAVEL.map(Mcc).to_vec(),
            preauthorization_life_s: 30 * 86_400,
            rules: Vec::new(),
            every_s: 60,
            piece: 2_000,
            at_a_time: 64,
        }
    }
}

/// A rule; what it does not name does not count.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// Links, by their names in `[links]`.
    pub links: Vec<String>,
    /// Categories of merchants.
    pub mcc: Vec<Mcc>,
    /// The life of the holds, in seconds.
    pub life_s: u64,
}

/// Merchant category codes: `"4411"`, or `"3000-3299"` for a row of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Mcc(pub Categories);

impl TryFrom<String> for Mcc {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let code = |digits: &str| {
            let four = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse::<u16>().ok().filter(|_| four)
        };
        let (first, last) = text.split_once('-').unwrap_or((&text, &text));
        match (code(first), code(last)) {
            (Some(first), Some(last)) if first <= last => Ok(Self(Categories { first, last })),
            _ => Err(format!(
                "{text:?} is no merchant category: write four digits, or the first and the last of \
                 a row of them: \"3000-3299\""
            )),
        }
    }
}

fn categories(codes: &[Mcc]) -> Vec<Categories> {
    codes.iter().map(|code| code.0).collect()
}

impl Holds {
    /// As the sweep takes them. Links that are not in the configuration are left out: it has been
    /// checked.
    #[must_use]
    pub fn settings(&self, links: &BTreeMap<String, Link>) -> SweepSettings {
        let rule = |rule: &Rule| HoldRule {
            links: rule.links.iter().filter_map(|name| Some(LinkId(links.get(name)?.id))).collect(),
            categories: categories(&rule.mcc),
            life: Duration::from_secs(rule.life_s),
        };
        let mut rules: Vec<HoldRule> = self.rules.iter().map(rule).collect();
        if !self.travel_mcc.is_empty() {
            // Behind the rules of the file: among equals the first applies.
            rules.push(HoldRule {
                links: Vec::new(),
                categories: categories(&self.travel_mcc),
                life: Duration::from_secs(self.travel_life_s),
            });
        }
        SweepSettings {
            lives: HoldLives::new(Duration::from_secs(self.life_s), rules)
                .with_estimated(Duration::from_secs(self.preauthorization_life_s)),
            every: Duration::from_secs(self.every_s),
            piece: self.piece,
            at_a_time: self.at_a_time,
        }
    }

    /// What cannot work in a configuration with these links and so many questions to the tables.
    pub(super) fn check(
        &self,
        links: &BTreeMap<String, Link>,
        lookup_limit: usize,
        faults: &mut Faults,
    ) {
        let lives = 1..=LONGEST_S;
        let advice = "from 1 to 31622400 (366 days); the networks' own rules say 5 to 30 days";
        faults.require(lives.contains(&self.life_s), &["holds", "life_s"], advice);
        faults.require(lives.contains(&self.travel_life_s), &["holds", "travel_life_s"], advice);
        let estimated = lives.contains(&self.preauthorization_life_s);
        faults.require(estimated, &["holds", "preauthorization_life_s"], advice);
        faults.require(
            (1..=86_400).contains(&self.every_s),
            &["holds", "every_s"],
            "from 1 to 86400",
        );
        faults.require(
            (1..=100_000).contains(&self.piece),
            &["holds", "piece"],
            "from 1 to 100000",
        );
        faults.require(
            (1..=lookup_limit.max(2) / 2).contains(&self.at_a_time),
            &["holds", "at_a_time"],
            "from 1 to half of lookup_limit: late reversals look things up too",
        );
        faults.require(
            self.rules.len() <= MOST_RULES,
            &["holds", "rules"],
            format!("at most {MOST_RULES}"),
        );
        for (number, rule) in (1..).zip(&self.rules) {
            rule.check(number, links, faults);
        }
    }
}

impl Rule {
    fn check(&self, number: usize, links: &BTreeMap<String, Link>, faults: &mut Faults) {
        let path = ["holds", "rules"];
        faults.require(
            !self.links.is_empty() || !self.mcc.is_empty(),
            &path,
            format!("rule {number} names neither links nor mcc: life_s of [holds] is for all"),
        );
        faults.require(
            (1..=LONGEST_S).contains(&self.life_s),
            &path,
            format!("rule {number}: life_s from 1 to {LONGEST_S} (366 days)"),
        );
        for name in self.links.iter().filter(|name| !links.contains_key(*name)) {
            let message = format!("rule {number}: there is no [links.{name}]");
            faults.require(false, &path, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use switch_domain::TransactionType;

    use super::*;

    #[test]
    fn categories_are_four_digits_or_a_row_of_them() {
        let read =
            |text: &str| Mcc::try_from(text.to_owned()).ok().map(|mcc| (mcc.0.first, mcc.0.last));
        for (text, expected) in [
            ("4411", Some((4411, 4411))),
            ("3000-3299", Some((3000, 3299))),
            ("0742", Some((742, 742))),
            ("3299-3000", None),
            ("441", None),
            ("44111", None),
            ("+441", None),
            ("3000-", None),
            ("3000-3100-3200", None),
            ("", None),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_shipped_gives_travel_thirty_days_and_all_else_seven() {
        let lives = Holds::default().settings(&BTreeMap::new()).lives;
        let day = |category| {
            lives.of(Some(LinkId(1)), category, TransactionType::Purchase).as_secs() / 86_400
        };
        let found = [5411, 3000, 3299, 3300, 3350, 3351, 3999, 4411, 4511, 4722, 7011, 7519];
        assert_eq!(found.map(day), [7, 30, 30, 7, 7, 30, 30, 30, 30, 30, 30, 30]);
    }

    #[test]
    fn a_rule_of_the_file_goes_before_what_is_shipped() {
        let mut links = BTreeMap::new();
        links.insert("visa".to_owned(), Link { id: 9, ..Link::default() });
        let mcc = vec![Mcc(Categories::one(7011))];
        let hotels = Rule { links: Vec::new(), mcc: mcc.clone(), life_s: 20 };
        let of_link = Rule { links: vec!["visa".into()], mcc: Vec::new(), life_s: 30 };
        let both = Rule { links: vec!["visa".into()], mcc, life_s: 10 };
        let holds = Holds { rules: vec![of_link, hotels, both], ..Holds::default() };
        let lives = holds.settings(&links).lives;
        let purchase = TransactionType::Purchase;
        let life = |link, category| lives.of(Some(LinkId(link)), category, purchase).as_secs();
        assert_eq!([life(9, 7011), life(1, 7011), life(9, 5411)], [10, 20, 30]);
        assert_eq!([life(1, 5411), life(9, 3000)], [7 * 86_400, 30 * 86_400]);
    }
}

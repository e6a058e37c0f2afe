//! `docs/coverage.md`: which test shows which demand on the management API. It is made of the
//! tests: one says what it shows by its name (`sr_101_a_39_...`) or in a line
//! `// covers: SR-101, A-39` just above its function. A test is a Rust function; what runs in
//! Python or Node is started by one.
//!
//! `CARDSWITCH_TEST_WRITE_COVERAGE=1 cargo test -p switch-server --test tidy coverage` writes it
//! anew.

mod claims;
mod demands;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use self::claims::{Claim, claims};
use self::demands::{DEMANDS, LATER, NOT_YET};
use super::assert_tidy;
use super::source::{SourceFile, project_files, root};

const DOCUMENT: &str = "docs/coverage.md";

/// Tests by what they show.
type Shown<'a> = BTreeMap<&'a str, BTreeSet<(&'a str, &'a str)>>;

fn shown(claims: &[Claim]) -> Shown<'_> {
    let mut shown = Shown::new();
    for claim in claims {
        for demand in &claim.demands {
            shown.entry(demand).or_default().insert((&claim.path, &claim.test));
        }
    }
    shown
}

/// What is wrong: demands without a test, lists that are not true, demands that there are not.
fn gaps(shown: &Shown<'_>, demands: &[(&str, &str)], not_yet: &[&str]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (id, words) in demands {
        match (shown.contains_key(id), not_yet.contains(id)) {
            (false, false) => wrong.push(format!("{id}: no test shows that {words}")),
            (true, true) => wrong.push(format!("{id} is shown: take it off the list NOT_YET")),
            _ => {}
        }
    }
    let known = |id: &str| demands.iter().any(|(known, _)| *known == id);
    let later = |id: &str| LATER.iter().any(|(_, ids)| ids.contains(&id));
    for id in not_yet.iter().chain(shown.keys()) {
        if !known(id) && !later(id) && !elsewhere(id) {
            wrong.push(format!("{id} is no demand"));
        }
    }
    wrong
}

/// Requirements of sections that other issues deliver: a test may show them already.
fn elsewhere(id: &str) -> bool {
    let number = id.strip_prefix("SR-").and_then(|number| number.parse::<u16>().ok());
    number.is_some_and(
        |number| matches!(number, 9..=26 | 35..=40 | 104..=136 | 141..=150 | 160..=212 | 220..=251),
    )
}

fn document(shown: &Shown<'_>) -> String {
    let mut text = String::from(
        "# Which test shows which demand on the management API\n\n\
         Made of the tests (`switch/server/tests/tidy/coverage/`): do not edit. A test claims what \
         it shows by its name\nor in a line `// covers:` above it. `SR-`: a requirement of the \
         seed; `A-`: a reading of one that is ambiguous;\n`API-`: a rule of safe APIs.\n\n\
         | Demand | What it says | Tests |\n|---|---|---|\n",
    );
    for (id, words) in DEMANDS {
        let tests = shown.get(id).map(|tests| {
            let named = tests.iter().map(|(path, test)| format!("`{path}`: `{test}`"));
            named.collect::<Vec<_>>().join("<br>")
        });
        let tests = tests.unwrap_or_else(|| "none yet".to_owned());
        writeln!(text, "| {id} | {words} | {tests} |").unwrap();
    }
    text.push_str("\n## Not of this part\n\n");
    for (whose, ids) in LATER {
        writeln!(text, "- {whose}: {}", ids.join(", ")).unwrap();
    }
    if !NOT_YET.is_empty() {
        writeln!(text, "\n## Not shown yet\n\n{}", NOT_YET.join(", ")).unwrap();
    }
    text
}

#[test]
fn each_demand_on_the_management_api_has_its_test() {
    let files = project_files();
    let (claims, wrong) = claims(&files);
    assert_tidy("a line of `covers` stands above a test", wrong);
    let shown = shown(&claims);
    assert_tidy("every demand has a test", gaps(&shown, DEMANDS, NOT_YET));
    let made = document(&shown);
    if std::env::var_os("CARDSWITCH_TEST_WRITE_COVERAGE").is_some() {
        std::fs::write(root().join(DOCUMENT), &made).unwrap();
    }
    let committed = std::fs::read_to_string(root().join(DOCUMENT)).unwrap_or_default();
    assert!(committed == made, "{DOCUMENT} is not what the tests say: write it anew");
}

#[test]
fn gaps_and_untrue_lists_are_caught() {
    let file = SourceFile::new(
        "p/tests/a.rs",
        "#[test]\nfn sr_101_is_shown() {}\n// covers: SR-999\n#[test]\nfn other() {}\n",
    );
    let (claims, wrong) = claims(&[file]);
    assert!(wrong.is_empty(), "{wrong:?}");
    let shown = shown(&claims);
    let demands = [("SR-101", "one"), ("SR-102", "two"), ("SR-103", "three")];
    let wrong = gaps(&shown, &demands, &["SR-101", "SR-103", "SR-998"]);
    let expected = ["SR-101 is shown", "SR-102: no test", "SR-998 is no", "SR-999 is no"];
    assert_eq!(wrong.len(), expected.len(), "{wrong:?}");
    for (wrong, expected) in wrong.iter().zip(expected) {
        assert!(wrong.starts_with(expected), "{wrong}");
    }
}

#[test]
fn each_demand_stands_once() {
    let later = LATER.iter().flat_map(|(_, ids)| ids.iter());
    let all: Vec<&str> = DEMANDS.iter().map(|(id, _)| id).chain(later).copied().collect();
    let unique: BTreeSet<_> = all.iter().collect();
    assert_eq!(unique.len(), all.len());
    for number in 1..=40 {
        assert!(all.contains(&format!("A-{number:02}").as_str()), "A-{number:02}");
    }
    for number in 1..=18 {
        assert!(all.contains(&format!("API-{number:02}").as_str()), "API-{number:02}");
    }
}

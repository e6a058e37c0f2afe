//! `docs/durability.md` names the test of each rule: those names must be tests, and no rule may be
//! missing.

use super::source::SourceFile;

const DOCUMENT: &str = "docs/durability.md";
const RULES: usize = 25;

/// Where the tests of a letter live.
const PLACES: [(&str, &str); 4] = [
    ("S", "switch/store/"),
    ("E", "switch/engine/"),
    ("W", "switch/shard/"),
    ("B", ""), // the whole switch: wherever its parts stand
];

/// What is wrong with the document.
pub(crate) fn untrue(files: &[SourceFile]) -> Vec<String> {
    let Some(document) = files.iter().find(|file| file.path == DOCUMENT) else {
        return vec![format!("{DOCUMENT} is missing")];
    };
    let mut wrong = Vec::new();
    for rule in 1..=RULES {
        let row = format!("| W-{rule} |");
        if document.text.lines().filter(|line| line.starts_with(&row)).count() != 1 {
            wrong.push(format!("{DOCUMENT}: W-{rule} has not one row"));
        }
    }
    let named =
        document.text.split('`').skip(1).step_by(2).filter_map(|name| name.split_once(": "));
    for (letter, test) in named {
        let Some((_, place)) = PLACES.iter().find(|(known, _)| *known == letter) else { continue };
        let function = format!("fn {test}(");
        let mut there = files.iter().filter(|file| file.is_rust() && file.path.starts_with(place));
        if !there.any(|file| file.text.contains(&function)) {
            wrong.push(format!("{DOCUMENT}: {letter}: {test} is no test below {place:?}"));
        }
    }
    wrong
}

#[test]
fn a_missing_rule_and_an_invented_test_are_caught() {
    assert_eq!(untrue(&[]).len(), 1);
    let rows: String = (1..RULES).map(|rule| format!("| W-{rule} | `S: real` |\n")).collect();
    let document = SourceFile::new(DOCUMENT, &format!("{rows}`S: invented`, `E: real`, `other`"));
    let test = SourceFile::new("switch/store/tests/a.rs", "#[test]\nfn real() {}\n");
    let wrong = untrue(&[document, test]);
    let expected = ["W-25 has not one row", "S: invented is no test", "E: real is no test"];
    assert_eq!(wrong.len(), expected.len(), "{wrong:?}");
    for (wrong, expected) in wrong.iter().zip(expected) {
        assert!(wrong.contains(expected), "{wrong}");
    }
}

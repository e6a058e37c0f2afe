//! Documents that name the tests of each rule or threat: those names must be tests, and no rule or
//! threat may be missing.

use super::source::SourceFile;

/// A document with a table, a row for each of its rules.
pub(crate) struct Document {
    path: &'static str,
    /// What the numbers of its rules begin with.
    prefix: &'static str,
    numbers: &'static [usize],
    digits: usize,
    /// Where the tests of a letter live.
    places: &'static [(&'static str, &'static str)],
}

const DURABILITY: Document = Document {
    path: "docs/durability.md",
    prefix: "W-",
    numbers: &[
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
    ],
    digits: 1,
    places: &[
        ("S", "switch/store/"),
        ("E", "switch/engine/"),
        ("W", "switch/shard/"),
        ("B", ""), // the whole switch: wherever its parts stand
    ],
};

const THREATS: Document = Document {
    path: "docs/threats.md",
    prefix: "T-",
    numbers: &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 22, 23, 24, 25, 26],
    digits: 2,
    places: &[
        ("B", "switch/server/tests/e2e/"),
        ("C", "codecs/"),
        ("E", "switch/engine/"),
        ("L", "switch/network/"),
        ("N", "simulators/"),
        ("W", "switch/shard/"),
        ("A", "switch/attacks/"),
    ],
};

/// All of them.
pub(crate) const DOCUMENTS: [Document; 2] = [DURABILITY, THREATS];

/// What is wrong with a document.
pub(crate) fn untrue(document: &Document, files: &[SourceFile]) -> Vec<String> {
    let Document { path, prefix, numbers, digits, places } = *document;
    let Some(document) = files.iter().find(|file| file.path == path) else {
        return vec![format!("{path} is missing")];
    };
    let mut wrong = Vec::new();
    for number in numbers {
        let row = format!("| {prefix}{number:0digits$} |");
        if document.text.lines().filter(|line| line.starts_with(&row)).count() != 1 {
            wrong.push(format!("{path}: {prefix}{number:0digits$} has not one row"));
        }
    }
    let named =
        document.text.split('`').skip(1).step_by(2).filter_map(|name| name.split_once(": "));
    for (letter, test) in named {
        let Some((_, place)) = places.iter().find(|(known, _)| *known == letter) else { continue };
        let function = format!("fn {test}(");
        let mut there = files.iter().filter(|file| file.is_rust() && file.path.starts_with(place));
        if !there.any(|file| file.text.contains(&function)) {
            wrong.push(format!("{path}: {letter}: {test} is no test below {place:?}"));
        }
    }
    wrong
}

#[test]
fn a_missing_rule_and_an_invented_test_are_caught() {
    for document in DOCUMENTS {
        assert_eq!(untrue(&document, &[]).len(), 1);
    }
    let rows: String = (1..25).map(|rule| format!("| W-{rule} | `S: real` |\n")).collect();
    let text = format!("{rows}`S: invented`, `E: real`, `other`");
    let document = SourceFile::new(DURABILITY.path, &text);
    let test = SourceFile::new("switch/store/tests/a.rs", "#[test]\nfn real() {}\n");
    let wrong = untrue(&DURABILITY, &[document, test]);
    let expected = ["W-25 has not one row", "S: invented is no test", "E: real is no test"];
    assert_eq!(wrong.len(), expected.len(), "{wrong:?}");
    for (wrong, expected) in wrong.iter().zip(expected) {
        assert!(wrong.contains(expected), "{wrong}");
    }
    let document = SourceFile::new(THREATS.path, "| T-1 | one digit |\n| T-01 | `B: real` |\n");
    let test = SourceFile::new("switch/server/tests/e2e/a.rs", "async fn real() {}\n");
    let wrong = untrue(&THREATS, &[document, test]);
    assert_eq!(wrong.len(), THREATS.numbers.len() - 1, "{wrong:?}");
}

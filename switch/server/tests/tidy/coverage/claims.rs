//! What tests say that they show. It reads names and `// covers:` lines; whether it is true is the
//! reviewer's affair.

use super::super::source::SourceFile;

/// A test that shows something.
pub(super) struct Claim {
    pub(super) path: String,
    pub(super) test: String,
    pub(super) demands: Vec<String>,
}

/// All claims, and what is wrong with lines of `covers`.
pub(super) fn claims(files: &[SourceFile]) -> (Vec<Claim>, Vec<String>) {
    let (mut claims, mut wrong) = (Vec::new(), Vec::new());
    // These checks' own tests have snippets.
    let read_here = |file: &&SourceFile| file.is_rust() && !file.path.contains("/tests/tidy/");
    for file in files.iter().filter(read_here) {
        read(file, &mut claims, &mut wrong);
    }
    (claims, wrong)
}

fn read(file: &SourceFile, claims: &mut Vec<Claim>, wrong: &mut Vec<String>) {
    let (mut demands, mut is_test) = (Vec::new(), false);
    for (number, line) in file.text.lines().enumerate() {
        let place = || format!("{}:{}", file.path, number + 1);
        let line = line.trim();
        if let Some(listed) = line.strip_prefix("// covers:") {
            for id in listed.split(',').map(str::trim) {
                match is_demand(id) {
                    true => demands.push(id.to_owned()),
                    false => wrong.push(format!("{}: {id:?} is no identifier", place())),
                }
            }
        } else if let Some(name) = function(line) {
            if is_test {
                demands.extend(in_name(name));
                let test = name.to_owned();
                let shown = std::mem::take(&mut demands);
                if !shown.is_empty() {
                    claims.push(Claim { path: file.path.clone(), test, demands: shown });
                }
            }
            if !demands.is_empty() {
                wrong.push(format!("{}: {name} is no test", place()));
            }
            (demands, is_test) = (Vec::new(), false);
        } else if line.starts_with("#[") {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        } else if !line.starts_with("//") {
            if !demands.is_empty() {
                wrong.push(format!("{}: no test stands below `covers`", place()));
            }
            (demands, is_test) = (Vec::new(), false);
        }
    }
}

/// The name of the function that a line begins.
fn function(line: &str) -> Option<&str> {
    let line = line.strip_prefix("async ").unwrap_or(line);
    let name = line.strip_prefix("fn ")?;
    name.split_once('(').map(|(name, _)| name.trim())
}

fn is_demand(id: &str) -> bool {
    let digits = |id: &str, prefix: &str, count: usize| {
        id.strip_prefix(prefix).is_some_and(|number| {
            number.len() == count && number.bytes().all(|digit| digit.is_ascii_digit())
        })
    };
    digits(id, "SR-", 3) || digits(id, "A-", 2) || digits(id, "API-", 2)
}

/// Those in a name: `sr_101` anywhere; `a_39` and `api_17`, which are words as well, at its
/// beginning or behind another.
fn in_name(name: &str) -> Vec<String> {
    let words: Vec<&str> = name.split('_').collect();
    let mut found = Vec::new();
    let mut follows = true;
    let mut at = 0;
    while at + 1 < words.len() {
        let id = format!("{}-{}", words[at].to_ascii_uppercase(), words[at + 1]);
        let counts = is_demand(&id) && (follows || words[at] == "sr");
        if counts {
            found.push(id);
        }
        (follows, at) = (counts, at + if counts { 2 } else { 1 });
    }
    found
}

#[test]
fn names_and_lines_are_read() {
    let text = "\
        // covers: SR-101, A-39\n#[tokio::test]\nasync fn first() {}\n\n\
        #[test]\n// covers: API-17\n/// Words.\nfn sr_102_a_05_of_a_12_digit_sr_103() {}\n\
        #[test]\nfn nothing_of_a_39() {}\n\
        // covers: SR-104\nfn helper() {}\n\
        // covers: SR-1O5, SR-105\nstruct S;\n";
    let (claims, wrong) = claims(&[SourceFile::new("p/tests/a.rs", text)]);
    let claims: Vec<_> = claims.iter().map(|it| (it.test.as_str(), it.demands.join(" "))).collect();
    assert_eq!(
        claims,
        [
            ("first", "SR-101 A-39".to_owned()),
            ("sr_102_a_05_of_a_12_digit_sr_103", "API-17 SR-102 A-05 SR-103".to_owned()),
        ]
    );
    let expected = ["12: helper is no test", "13: \"SR-1O5\" is no", "14: no test stands below"];
    assert_eq!(wrong.len(), expected.len(), "{wrong:?}");
    for (wrong, expected) in wrong.iter().zip(expected) {
        assert!(wrong.contains(expected), "{wrong}");
    }
}

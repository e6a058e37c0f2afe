//! Deciding is a function of its arguments: no clock, no chance, no I/O in the packages that
//! understand messages and decide about them.

use super::arrows::Package;
use super::rust_text::{code_only, has_word};
use super::source::SourceFile;

/// Sources that must give the same answer for the same input, always.
const PURE_SOURCES: [&str; 4] =
    ["codecs/src/", "switch/domain/src/", "switch/engine/src/", "switch/attacks/src/"];

/// The packages of these sources.
const PURE_PACKAGES: [&str; 4] = ["codecs", "switch-domain", "switch-engine", "switch-attacks"];

/// Words of clocks and of chance, in code.
const IMPURE_WORDS: [&str; 17] = [
    "SystemTime",
    "Instant",
    "std::time",
    "tokio::time",
    "jiff",
    "chrono",
    "rand",
    "thread_rng",
    "getrandom",
    "fastrand",
    "new_v4",
    "Timestamp::now",
    "Zoned::now",
    "now_v7",
    "RandomState",
    "std::net",
    "std::fs",
];

/// Dependencies that bring clocks, chance or I/O.
const IMPURE_DEPENDENCIES: [&str; 13] = [
    "aws-lc-rs",
    "chrono",
    "fastrand",
    "getrandom",
    "jiff",
    "mio",
    "rand",
    "rand_core",
    "socket2",
    "sqlx",
    "time",
    "tokio",
    "uuid",
];

/// What knows the calendars of time zones: it computes with the moments that it is given, from
/// rules that come with the program, and asks no clock.
const CALENDAR: &str = "switch/engine/src/calendar.rs";
const CALENDARS: (&str, &str) = ("switch-engine", "jiff");

/// Lines of the pure packages that ask a clock, chance or the system.
pub(crate) fn clock_or_chance(file: &SourceFile) -> Vec<String> {
    let pure = PURE_SOURCES.iter().any(|source| file.path.starts_with(source));
    if !pure || !file.is_rust() {
        return Vec::new();
    }
    let code = code_only(&file.text);
    let lines = code.lines().enumerate();
    lines
        .flat_map(|(number, line)| {
            let calendar = file.path == CALENDAR;
            let words = IMPURE_WORDS
                .iter()
                .filter(move |word| has_word(line, word) && !(calendar && **word == CALENDARS.1));
            words.map(move |word| format!("{}:{}: {word}", file.path, number + 1))
        })
        .collect()
}

/// Direct dependencies of the pure packages, those of their tests apart, that are not pure.
pub(crate) fn impure_dependencies(packages: &[Package]) -> Vec<String> {
    let pure = packages.iter().filter(|package| PURE_PACKAGES.contains(&package.name.as_str()));
    pure.flat_map(|package| {
        let dependencies = package.dependencies.iter().filter(|dependency| {
            let known = (package.name.as_str(), dependency.name.as_str()) == CALENDARS;
            !dependency.dev && !known && IMPURE_DEPENDENCIES.contains(&dependency.name.as_str())
        });
        dependencies.map(|dependency| format!("{} uses {}", package.name, dependency.name))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::super::arrows::Dependency;
    use super::*;

    #[test]
    fn a_clock_in_the_engine_is_caught() {
        for bad in [
            "let now = std::time::SystemTime::now();",
            "use std::time::Duration;",
            "let began = Instant::now();",
            "let id = Uuid::new_v4();",
            "let mut rng = rand::thread_rng();",
            "std::fs::read(path)",
        ] {
            for source in PURE_SOURCES {
                let file = SourceFile::new(&format!("{source}deep/a.rs"), bad);
                assert!(!clock_or_chance(&file).is_empty(), "{bad}");
            }
            let elsewhere = SourceFile::new("switch/shard/src/a.rs", bad);
            assert!(clock_or_chance(&elsewhere).is_empty());
        }
        for bad in
            ["use jiff::Timestamp as Moment;\nMoment::now(); Timestamp::now()", "Zoned::now()"]
        {
            let calendar = SourceFile::new(CALENDAR, bad);
            assert_eq!(clock_or_chance(&calendar).len(), 1, "{bad}");
        }
        let calendar = SourceFile::new(CALENDAR, "use jiff::tz::TimeZone;");
        assert!(clock_or_chance(&calendar).is_empty());
        let elsewhere = SourceFile::new("switch/engine/src/a.rs", "use jiff::tz::TimeZone;");
        assert!(!clock_or_chance(&elsewhere).is_empty());
        for good in ["// SystemTime::now() is the caller's", "let text = \"Instant\";", "operand"] {
            let file = SourceFile::new("switch/engine/src/a.rs", good);
            assert!(clock_or_chance(&file).is_empty(), "{good}");
        }
    }

    #[test]
    fn a_dependency_with_a_clock_is_caught() {
        let package = |name: &str, dependency: &str, dev| Package {
            name: name.to_owned(),
            dependencies: vec![Dependency { name: dependency.to_owned(), dev }],
        };
        assert_eq!(
            impure_dependencies(&[package("switch-engine", "tokio", false)]),
            ["switch-engine uses tokio"]
        );
        for good in [
            package("switch-engine", "proptest", true),
            package("switch-engine", "rand", true),
            package("switch-engine", "jiff", false),
            package("switch-shard", "tokio", false),
        ] {
            assert!(impure_dependencies(&[good]).is_empty());
        }
    }
}

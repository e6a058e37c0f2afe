//! The house rules that compiler and clippy do not know, checked over every file of the project.
//!
//! Each check is a function from files to a list of what is wrong, and has tests of its own that
//! show it catching a bad snippet. The tests here run them all over the real files.

mod arrows;
mod card_numbers;
mod contents;
mod coverage;
mod digit_readers;
mod lengths;
mod manifests;
mod named_tests;
mod names;
mod purity;
mod rust_text;
mod source;

use std::fmt::Write;

use source::{SourceFile, project_files, root};

/// Fails with one line for each thing that is wrong.
fn assert_tidy(rule: &str, wrong: Vec<String>) {
    let mut report = String::new();
    for line in &wrong {
        writeln!(report, "  {line}").unwrap();
    }
    assert!(wrong.is_empty(), "{rule}:\n{report}");
}

/// Runs a check over every file.
fn over_all(check: impl Fn(&SourceFile) -> Vec<String>) -> Vec<String> {
    project_files().iter().flat_map(check).collect()
}

#[test]
fn the_files_are_found() {
    let files = project_files();
    for path in ["Cargo.toml", "codecs/src/lib.rs", "switch/server/tests/tidy/main.rs"] {
        assert!(files.iter().any(|file| file.path == path), "{path} is not among the files");
    }
    assert!(files.iter().all(|file| !file.path.starts_with("target/")));
}

#[test]
fn lines_are_short() {
    assert_tidy("lines have at most 100 columns", over_all(lengths::long_lines));
}

#[test]
fn functions_are_short() {
    assert_tidy("functions fit a screen or two", over_all(lengths::long_functions));
}

#[test]
fn files_are_short() {
    assert_tidy("a file holds one idea", over_all(lengths::long_files));
}

#[test]
fn names_say_what_is_inside() {
    assert_tidy("a name says what is inside", over_all(names::empty_names));
}

#[test]
fn every_source_opens_with_its_purpose() {
    assert_tidy("a file says first what it owns", over_all(names::without_purpose));
}

#[test]
fn files_are_small_and_name_no_machine() {
    assert_tidy("what is committed is small", over_all(contents::oversized));
    assert_tidy("no path of one machine", over_all(contents::machine_paths));
}

#[test]
fn each_rule_of_the_journal_and_each_threat_has_its_tests() {
    let files = project_files();
    for document in named_tests::DOCUMENTS {
        assert_tidy("documents name real tests", named_tests::untrue(&document, &files));
    }
}

#[test]
fn card_numbers_come_from_test_ranges() {
    assert_tidy("card numbers are test numbers", over_all(card_numbers::outside_test_ranges));
}

#[test]
fn card_numbers_are_read_by_the_security_module_alone() {
    assert_tidy("digits are read in few places", over_all(digit_readers::elsewhere));
}

#[test]
fn deciding_knows_no_clock_and_no_chance() {
    assert_tidy("time and chance come in as arguments", over_all(purity::clock_or_chance));
    let packages = arrows::packages(&root());
    assert_tidy("nothing below brings them in", purity::impure_dependencies(&packages));
}

#[test]
fn versions_live_once() {
    assert_tidy("versions stand in the root manifest", over_all(manifests::own_versions));
    assert_tidy("the harness's features are off", over_all(manifests::harness_features));
    assert_tidy("lints stand in the root manifest", over_all(manifests::own_lints));
}

/// Prints every arrow between packages; the runner shows the output of this test always.
#[test]
fn arrows_between_packages_go_one_way() {
    let packages = arrows::packages(&root());
    let found = arrows::found(&packages);
    for arrow in &found {
        println!("{arrow}");
    }
    assert_tidy("only the arrows the design allows", arrows::not_allowed(&packages, &found));
}

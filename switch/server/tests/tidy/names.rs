//! What files are called and how they open.

use super::source::SourceFile;

/// Names that say nothing, so that anything ends up inside.
const EMPTY: [&str; 9] =
    ["util", "utils", "helper", "helpers", "common", "misc", "manager", "managers", "types"];

/// Rust files and directories of them with such a name.
pub(crate) fn empty_names(file: &SourceFile) -> Vec<String> {
    let Some(path) = file.path.strip_suffix(".rs") else { return Vec::new() };
    path.split('/')
        .filter(|part| EMPTY.contains(part))
        .map(|part| format!("{}: {part} names nothing; say what is inside", file.path))
        .collect()
}

/// Rust files that do not begin with a `//!` line.
pub(crate) fn without_purpose(file: &SourceFile) -> Vec<String> {
    let opening = file.text.lines().next().unwrap_or_default();
    let purpose = opening.strip_prefix("//!").unwrap_or_default().trim();
    let placeholder = purpose.trim_end_matches('.').eq_ignore_ascii_case("placeholder");
    if file.is_rust() && (purpose.is_empty() || placeholder) {
        vec![format!("{}: the first line must be `//!` and what the file owns", file.path)]
    } else {
        Vec::new()
    }
}

#[test]
fn a_name_that_says_nothing_is_caught() {
    for bad in ["a/src/utils.rs", "a/src/common/mod.rs", "a/tests/helpers/card.rs"] {
        assert_eq!(empty_names(&SourceFile::new(bad, "")).len(), 1, "{bad}");
    }
    for good in ["a/src/card_types.rs", "a/src/field.rs", "docs/common/a.md"] {
        assert!(empty_names(&SourceFile::new(good, "")).is_empty(), "{good}");
    }
}

#[test]
fn a_file_without_its_purpose_is_caught() {
    for bad in ["", "use std::fmt;\n", "// Not a doc comment.\n", "//!\n", "//! Placeholder.\n"] {
        assert_eq!(without_purpose(&SourceFile::new("a.rs", bad)).len(), 1, "{bad:?}");
    }
    assert!(without_purpose(&SourceFile::new("a.rs", "//! Cards.\n")).is_empty());
    assert!(without_purpose(&SourceFile::new("a.py", "")).is_empty());
}

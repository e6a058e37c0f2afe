//! Members' manifests take versions and lints from the root, where each stands once.

use toml::{Table, Value};

use super::source::SourceFile;

const DEPENDENCY_TABLES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Dependencies of a member that do not come from `[workspace.dependencies]`.
pub(crate) fn own_versions(file: &SourceFile) -> Vec<String> {
    let Some(manifest) = member(file) else { return Vec::new() };
    let mut tables: Vec<&Table> = dependency_tables(&manifest);
    for target in manifest.get("target").and_then(Value::as_table).into_iter().flatten() {
        tables.extend(target.1.as_table().map(dependency_tables).into_iter().flatten());
    }
    let dependencies = tables.into_iter().flatten();
    dependencies
        .filter(|(_, wanted)| {
            let inherited = wanted.get("workspace").and_then(Value::as_bool) == Some(true);
            let own = ["version", "git", "path"].iter().any(|key| wanted.get(key).is_some());
            !inherited || own
        })
        .map(|(name, _)| format!("{}: {name} must be `workspace = true`", file.path))
        .collect()
}

/// Members that do not take the workspace's lints and edition.
pub(crate) fn own_lints(file: &SourceFile) -> Vec<String> {
    let Some(manifest) = member(file) else { return Vec::new() };
    let inherits = |table: &str, key: Option<&str>| {
        let table = manifest.get(table);
        let value = key.map_or(table, |key| table.and_then(|table| table.get(key)));
        value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
    };
    let wanted = [
        ("lints", None),
        ("package", Some("version")),
        ("package", Some("edition")),
        ("package", Some("rust-version")),
        ("package", Some("license")),
        ("package", Some("publish")),
    ];
    wanted
        .into_iter()
        .filter(|(table, key)| !inherits(table, *key))
        .map(|(table, key)| {
            let key = key.map_or_else(String::new, |key| format!(".{key}"));
            format!("{}: {table}{key} must be `workspace = true`", file.path)
        })
        .collect()
}

/// Features of the fault harness: places to end at, and bugs.
const HARNESS_FEATURES: [&str; 2] = ["fail-points", "deliberate-bugs"];

/// Members that turn a feature of the fault harness on: by default, by another feature, or in a
/// dependency. Only the command line of `make faults` may.
pub(crate) fn harness_features(file: &SourceFile) -> Vec<String> {
    let Some(manifest) = member(file) else { return Vec::new() };
    let of_harness = |feature: &str| {
        HARNESS_FEATURES.iter().find(|name| feature.rsplit('/').next() == Some(**name)).copied()
    };
    let texts = |value: &Value| -> Vec<String> {
        let list = value.as_array().into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut caught = Vec::new();
    for (name, turns_on) in manifest.get("features").and_then(Value::as_table).into_iter().flatten()
    {
        // A feature may be passed on under its own name.
        let others = texts(turns_on).into_iter().filter(|other| of_harness(other).is_some());
        caught.extend(others.filter(|other| of_harness(other) != of_harness(name)));
    }
    for (_, wanted) in dependency_tables(&manifest).into_iter().flatten() {
        let features = wanted.get("features").map(texts).unwrap_or_default();
        caught.extend(features.into_iter().filter(|feature| of_harness(feature).is_some()));
    }
    let path = &file.path;
    caught
        .into_iter()
        .map(|feature| format!("{path}: {feature} is of `make faults` alone"))
        .collect()
}

fn dependency_tables(manifest: &Table) -> Vec<&Table> {
    let tables = DEPENDENCY_TABLES.iter();
    tables.filter_map(|table| manifest.get(*table).and_then(Value::as_table)).collect()
}

/// The manifest of a member; `None` for anything else, the root's included.
fn member(file: &SourceFile) -> Option<Table> {
    let table: Table = file.path.ends_with("/Cargo.toml").then(|| file.text.parse().unwrap())?;
    table.contains_key("package").then_some(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "
        [package]
        name = 'a'
        version.workspace = true
        edition.workspace = true
        rust-version.workspace = true
        license.workspace = true
        publish.workspace = true
        [lints]
        workspace = true
        [dependencies]
        bytes.workspace = true
        tokio = { workspace = true, features = ['net'] }
    ";

    fn manifest(text: &str) -> SourceFile {
        SourceFile::new("a/Cargo.toml", text)
    }

    #[test]
    fn a_version_of_its_own_is_caught() {
        assert!(own_versions(&manifest(GOOD)).is_empty());
        for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for bad in ["'1.0'", "{ version = '1' }", "{ git = 'https://a' }", "{ path = '../b' }"]
            {
                for prefix in ["", "target.'cfg(unix)'."] {
                    let text = format!("[package]\nname = 'a'\n[{prefix}{table}]\nb = {bad}\n");
                    let caught = own_versions(&manifest(&text));
                    assert_eq!(caught, ["a/Cargo.toml: b must be `workspace = true`"], "{text}");
                }
            }
        }
        let root = SourceFile::new("Cargo.toml", "[workspace.dependencies]\nb = '1'\n");
        assert!(own_versions(&root).is_empty());
    }

    #[test]
    fn a_feature_of_the_fault_harness_that_is_on_is_caught() {
        let passed_on = "[features]\nfail-points = ['b/fail-points']\ndeliberate-bugs = []\n";
        let good = format!("{GOOD}{passed_on}");
        assert!(harness_features(&manifest(&good)).is_empty());
        for bad in [
            "[features]\ndefault = ['fail-points']\n",
            "[features]\ntesting = ['b/deliberate-bugs']\n",
            "[features]\nfail-points = ['b/deliberate-bugs']\n",
            "[dev-dependencies]\nb = { workspace = true, features = ['fail-points'] }\n",
        ] {
            assert_eq!(harness_features(&manifest(&format!("{GOOD}{bad}"))).len(), 1, "{bad}");
        }
    }

    #[test]
    fn lints_of_its_own_are_caught() {
        assert!(own_lints(&manifest(GOOD)).is_empty());
        let without = GOOD.replace("[lints]\n        workspace = true\n", "");
        assert_eq!(
            own_lints(&manifest(&without)),
            ["a/Cargo.toml: lints must be `workspace = true`"]
        );
        let own = GOOD.replace("edition.workspace = true", "edition = '2021'");
        assert_eq!(own_lints(&manifest(&own)).len(), 1);
    }
}

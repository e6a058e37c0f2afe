//! What no committed file may contain, whatever its kind: bulk, and paths of one machine.

use super::source::SourceFile;

const LARGEST_BYTES: u64 = 512 * 1024;
/// Documents of the API, which are made of the code and grow with its operations.
const DOCUMENTS: (&str, u64) = ("docs/openapi/", 1024 * 1024);

/// Directories that exist only where somebody happens to work. In pieces, for this file's own sake.
const MACHINE_PATHS: [&str; 4] =
    [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/tmp", "/h/"), concat!("/ho", "me/")];

/// Files that belong in a release asset or a generator, not in every clone.
pub(crate) fn oversized(file: &SourceFile) -> Vec<String> {
    let (documents, longest) = DOCUMENTS;
    let limit = if file.path.starts_with(documents) { longest } else { LARGEST_BYTES };
    if file.bytes > limit {
        vec![format!("{}: {} KiB, limit {} KiB", file.path, file.bytes / 1024, limit / 1024)]
    } else {
        Vec::new()
    }
}

/// Lines that name a path of one machine. A path inside another (`framework/`) is none.
pub(crate) fn machine_paths(file: &SourceFile) -> Vec<String> {
    let lines = file.text.lines().enumerate();
    lines
        .flat_map(|(number, line)| {
            let named = MACHINE_PATHS.iter().filter(move |path| begins_path(line, path));
            named.map(move |path| format!("{}:{}: {path}", file.path, number + 1))
        })
        .collect()
}

fn begins_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        !before.is_some_and(|before| before.is_alphanumeric() || "._-/$~}".contains(before))
    })
}

#[test]
fn a_large_file_is_caught() {
    let mut file = SourceFile::new("big.json", "");
    file.bytes = LARGEST_BYTES;
    assert!(oversized(&file).is_empty());
    file.bytes = LARGEST_BYTES + 1;
    assert_eq!(oversized(&file).len(), 1);
}

#[test]
fn a_machine_path_is_caught() {
    for path in MACHINE_PATHS {
        for bad in [format!("{path}main"), format!("let p = \"{path}main\";"), format!("({path})")]
        {
            assert_eq!(machine_paths(&SourceFile::new("a.md", &bad)).len(), 1, "{bad}");
        }
        let inside = format!("src{path}main.rs");
        assert!(machine_paths(&SourceFile::new("a.md", &inside)).is_empty(), "{inside}");
    }
}

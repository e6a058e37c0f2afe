//! The files of the project, as the checks see them. It never looks at what is ignored or built.

use std::path::{Path, PathBuf};
use std::process::Command;

/// One file: its path from the root with `/`, and its text (anything unreadable as UTF-8 replaced).
pub(crate) struct SourceFile {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) bytes: u64,
}

impl SourceFile {
    /// A snippet, for the checks' own tests.
    #[cfg(test)]
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), bytes: text.len() as u64 }
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether the whole file is test code.
    pub(crate) fn is_test(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs")
    }
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().find(|directory| directory.join("Cargo.lock").exists());
    root.expect("a directory with Cargo.lock above this package").to_owned()
}

/// Every file that is committed or would be: git's view, or without git all that is not built.
pub(crate) fn project_files() -> Vec<SourceFile> {
    let root = root();
    let paths = listed_by_git(&root).unwrap_or_else(|| walked(&root));
    let mut files: Vec<SourceFile> = paths
        .into_iter()
        .filter_map(|path| {
            // Gone from the work tree and not yet from the index: nothing to check.
            let bytes = std::fs::read(root.join(&path)).ok()?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            Some(SourceFile { path, text, bytes: bytes.len() as u64 })
        })
        .collect();
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

fn listed_by_git(root: &Path) -> Option<Vec<String>> {
    let output = Command::new("git")
        .args(["-c", "safe.directory=*", "ls-files", "-z"])
        .args(["--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let paths: Vec<String> =
        text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
    (output.status.success() && !paths.is_empty()).then_some(paths)
}

/// For a source archive: everything but hidden directories and those of the build. Cargo marks its
/// own; where it builds elsewhere, the demo's directory is there all the same.
fn walked(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in std::fs::read_dir(directory).unwrap().flatten() {
            let path = entry.path();
            let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            let built = path.join("CACHEDIR.TAG").exists() || path == root.join("target");
            if entry.file_type().unwrap().is_dir() {
                if !hidden && !built {
                    waiting.push(path);
                }
            } else if let Ok(relative) = path.strip_prefix(root) {
                found.push(relative.to_string_lossy().into_owned());
            }
        }
    }
    found
}

#[test]
fn without_git_the_same_sources_are_found() {
    let root = root();
    let walked = walked(&root);
    for path in ["Cargo.toml", "switch/server/tests/tidy/source.rs"] {
        assert!(walked.iter().any(|found| found == path), "{path}");
    }
    assert!(walked.iter().all(|path| !path.starts_with("target/")));
}

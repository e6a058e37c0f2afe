//! Which package may use which. The table is the design's; cargo says what is so.

use std::fmt;
use std::path::Path;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// One package: what it may use, and what its tests may use besides.
struct Allowed {
    package: &'static str,
    uses: &'static [&'static str],
    tests_use: &'static [&'static str],
}

/// Arrows go one way. Nothing uses the server; `codecs` and `switch-domain` use nothing of ours.
const ALLOWED: [Allowed; 15] = [
    Allowed { package: "codecs", uses: &[], tests_use: &[] },
    Allowed { package: "switch-domain", uses: &[], tests_use: &[] },
    Allowed { package: "switch-engine", uses: &["switch-domain"], tests_use: &[] },
    Allowed { package: "switch-attacks", uses: &["switch-domain"], tests_use: &[] },
    Allowed { package: "switch-store", uses: &["switch-domain"], tests_use: &[] },
    Allowed { package: "switch-security", uses: &["switch-domain"], tests_use: &[] },
    // It is tested against the simulated unit, which knows the host commands by itself.
    Allowed {
        package: "switch-hsm",
        uses: &["switch-domain", "switch-security"],
        tests_use: &["simulators"],
    },
    Allowed {
        package: "switch-shard",
        uses: &["switch-attacks", "switch-domain", "switch-engine", "switch-store"],
        tests_use: &[],
    },
    // It is tested with cards that compute by themselves.
    Allowed {
        package: "switch-network",
        uses: &["codecs", "switch-domain", "switch-security", "switch-shard"],
        tests_use: &["simulators", "switch-store"],
    },
    // It is tested against the simulated provider of KYC.
    Allowed {
        package: "admin-api",
        uses: &[
            "switch-attacks",
            "switch-domain",
            "switch-security",
            "switch-shard",
            "switch-store",
        ],
        tests_use: &["simulators"],
    },
    // Its pages are made of what /admin answers: it knows nothing else of the house.
    Allowed { package: "admin-api-panel", uses: &["admin-api"], tests_use: &[] },
    Allowed {
        package: "switch-server",
        uses: &[
            "admin-api",
            "admin-api-panel",
            "codecs",
            "switch-attacks",
            "switch-domain",
            "switch-hsm",
            "switch-network",
            "switch-security",
            "switch-shard",
            "switch-store",
        ],
        tests_use: &["simulators"],
    },
    // What a simulated HSM computes, the software module computes: that is all it uses.
    Allowed {
        package: "simulators",
        uses: &["codecs", "switch-domain", "switch-security"],
        tests_use: &[],
    },
    // The bench runs its own private PostgreSQL, which `switch-store` knows how to run; it reads
    // and writes no table of the switch.
    Allowed {
        package: "load-tests",
        uses: &["codecs", "simulators", "switch-store"],
        tests_use: &[],
    },
    // It runs PostgreSQL in order to kill it; what it checks it reads by SQL of its own.
    Allowed {
        package: "load-tests-faults",
        uses: &["codecs", "simulators", "switch-store"],
        tests_use: &[],
    },
];

/// A member of the workspace with its direct dependencies, ours and others'.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One direct dependency.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Of tests only.
    pub(crate) dev: bool,
}

/// One member uses another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Arrow {
    used: String,
    user: String,
    dev: bool,
}

impl fmt::Display for Arrow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tests = if self.dev { " (tests)" } else { "" };
        write!(formatter, "{} <- {}{tests}", self.used, self.user)
    }
}

/// What cargo says about the workspace in `root`.
pub(crate) fn packages(root: &Path) -> Vec<Package> {
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .current_dir(root)
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .expect("cargo metadata");
    let packages = metadata.packages.into_iter().map(|package| Package {
        name: package.name.to_string(),
        dependencies: package
            .dependencies
            .into_iter()
            .map(|dependency| Dependency {
                dev: dependency.kind == DependencyKind::Development,
                name: dependency.name,
            })
            .collect(),
    });
    packages.collect()
}

/// The arrows between members, in order. A package's tests may turn on its own features.
pub(crate) fn found(packages: &[Package]) -> Vec<Arrow> {
    let is_member = |name: &str| packages.iter().any(|package| package.name == name);
    let mut arrows: Vec<Arrow> = packages
        .iter()
        .flat_map(|package| {
            let ours = package.dependencies.iter().filter(|dependency| {
                is_member(&dependency.name) && !(dependency.dev && dependency.name == package.name)
            });
            ours.map(|dependency| Arrow {
                used: dependency.name.clone(),
                user: package.name.clone(),
                dev: dependency.dev,
            })
        })
        .collect();
    arrows.sort();
    arrows.dedup();
    arrows
}

/// Arrows the design does not allow, and packages it does not know.
pub(crate) fn not_allowed(packages: &[Package], arrows: &[Arrow]) -> Vec<String> {
    let unknown = packages
        .iter()
        .filter(|package| row(&package.name).is_none())
        .map(|package| format!("{} is not in the table of packages", package.name));
    let wrong = arrows
        .iter()
        .filter(|arrow| {
            let allowed = row(&arrow.user).is_some_and(|row| {
                row.uses.contains(&arrow.used.as_str())
                    || (arrow.dev && row.tests_use.contains(&arrow.used.as_str()))
            });
            !allowed
        })
        .map(|arrow| format!("{arrow} is not allowed"));
    unknown.chain(wrong).collect()
}

fn row(package: &str) -> Option<&'static Allowed> {
    ALLOWED.iter().find(|row| row.package == package)
}

#[cfg(test)]
mod tests {
    use super::super::source::root;
    use super::*;

    fn arrow(used: &str, user: &str, dev: bool) -> Arrow {
        Arrow { used: used.to_owned(), user: user.to_owned(), dev }
    }

    #[test]
    fn a_wrong_arrow_is_caught() {
        let packages = packages(&root());
        for (wrong, said) in [
            (arrow("switch-store", "switch-engine", false), "switch-store <- switch-engine"),
            (arrow("switch-domain", "codecs", false), "switch-domain <- codecs"),
            (arrow("switch-server", "admin-api", true), "switch-server <- admin-api (tests)"),
            (arrow("simulators", "switch-server", false), "simulators <- switch-server"),
            (arrow("codecs", "switch-store", true), "codecs <- switch-store (tests)"),
            (arrow("switch-shard", "switch-shard", false), "switch-shard <- switch-shard"),
        ] {
            let mut arrows = found(&packages);
            arrows.push(wrong);
            assert_eq!(not_allowed(&packages, &arrows), [format!("{said} is not allowed")]);
        }
    }

    #[test]
    fn a_package_outside_the_table_is_caught() {
        let stranger = Package { name: "stranger".to_owned(), dependencies: Vec::new() };
        let caught = not_allowed(&[stranger], &[]);
        assert_eq!(caught, ["stranger is not in the table of packages"]);
    }

    #[test]
    fn the_table_has_no_cycle() {
        // Each package uses only packages that can be put before it.
        let mut placed: Vec<&str> = Vec::new();
        while placed.len() < ALLOWED.len() {
            let next = ALLOWED.iter().find(|row| {
                !placed.contains(&row.package) && row.uses.iter().all(|used| placed.contains(used))
            });
            placed.push(next.expect("a package that can be placed: no cycle").package);
        }
    }

    /// Copies the workspace's manifests, without code, to where they can be spoilt.
    fn copy_manifests(to: &Path) {
        let from = root();
        let copy = |path: &Path| {
            let target = to.join(path);
            std::fs::create_dir_all(target.parent().unwrap()).unwrap();
            std::fs::copy(from.join(path), target).unwrap();
        };
        copy(Path::new("Cargo.toml"));
        let text = std::fs::read_to_string(from.join("Cargo.toml")).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        for member in manifest["workspace"]["members"].as_array().unwrap() {
            let member = Path::new(member.as_str().unwrap());
            copy(&member.join("Cargo.toml"));
            std::fs::create_dir_all(to.join(member).join("src")).unwrap();
            std::fs::write(to.join(member).join("src/lib.rs"), "").unwrap();
        }
    }

    #[test]
    fn cargo_reports_a_wrong_arrow_in_a_manifest() {
        let scratch = tempfile::tempdir().unwrap();
        copy_manifests(scratch.path());
        let before = packages(scratch.path());
        assert_eq!(not_allowed(&before, &found(&before)), [""; 0]);
        assert_eq!(found(&before), found(&packages(&root())));

        let manifest = scratch.path().join("switch/engine/Cargo.toml");
        let text = std::fs::read_to_string(&manifest).unwrap();
        let spoilt =
            text.replace("[dependencies]\n", "[dependencies]\nswitch-store.workspace = true\n");
        std::fs::write(&manifest, spoilt).unwrap();
        let after = packages(scratch.path());
        assert_eq!(
            not_allowed(&after, &found(&after)),
            ["switch-store <- switch-engine is not allowed"]
        );
    }
}

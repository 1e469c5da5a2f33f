//! Who may know whom: the table in `docs/architecture.md` against the manifests.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "cargo {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The names in backticks in `text`, without their directory.
fn names(text: &str) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted
        .map(|path| path.rsplit('/').next().unwrap_or(path).to_owned())
        .collect()
}

/// Crate → crates that it may know, and whether only under a feature.
fn allowed() -> BTreeMap<String, BTreeMap<String, bool>> {
    let text = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let mut rows = text
        .lines()
        .skip_while(|line| !line.starts_with("| crate | what it holds | may know"));
    assert!(rows.next().is_some(), "docs/architecture.md has no table");
    let mut table = BTreeMap::new();
    for row in rows.skip(1).take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [crates, _, known] = cells[..] else {
            panic!("not three cells: {row}");
        };
        let mut may_know = BTreeMap::new();
        for entry in known.split(',').map(str::trim).filter(|e| *e != "–") {
            let name = entry.split(' ').next().unwrap_or(entry);
            let optional = entry.ends_with("(feature)");
            may_know.insert(name.trim_matches('`').to_owned(), optional);
        }
        // Crates in one row are one unit in two crates: a macro and its library.
        let unit = names(crates);
        for name in &unit {
            let mut may_know = may_know.clone();
            may_know.extend(unit.iter().map(|other| (other.clone(), false)));
            table.insert(name.clone(), may_know);
        }
    }
    table
}

#[test]
fn crates_know_only_whom_the_architecture_allows() {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"])).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let ours: BTreeSet<&str> = packages
        .iter()
        .map(|package| package["name"].as_str().unwrap())
        .collect();
    let allowed = allowed();
    let listed: BTreeSet<&str> = allowed.keys().map(String::as_str).collect();
    assert_eq!(
        ours, listed,
        "the crates of the workspace (left) and of the table (right)"
    );
    for package in packages {
        let name = package["name"].as_str().unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let known = dependency["name"].as_str().unwrap();
            if !ours.contains(known) || known == name {
                continue;
            }
            let Some(feature) = allowed[name].get(known) else {
                panic!("{name} must not know {known}: see docs/architecture.md");
            };
            assert!(
                !feature || dependency["optional"] == true,
                "{name} may know {known} only under a feature"
            );
        }
    }
}

/// The names of all crates that `package` is compiled with.
fn tree(package: &str, features: &str) -> BTreeSet<String> {
    let arguments = ["tree", "-p", package, "-e", "normal", "--prefix", "none"];
    let more = ["--features", features, "-f", "{p}"];
    cargo(&[&arguments[..], &more[..]].concat())
        .lines()
        .filter_map(|line| line.split(' ').next().map(str::to_owned))
        .collect()
}

fn assert_without(package: &str, features: &str, forbidden: &[&str]) {
    let tree = tree(package, features);
    assert!(tree.contains(package));
    for name in forbidden {
        assert!(!tree.contains(*name), "{package} is compiled with {name}");
    }
}

#[test]
fn the_page_sees_no_database_and_no_libvirt() {
    for features in ["ssr", "hydrate"] {
        assert_without("app", features, &["sqlx", "libvirt", "virt-sys", "control"]);
    }
}

#[test]
fn control_does_not_wait_for_the_page() {
    assert_without("control", "", &["leptos", "app", "axum"]);
}

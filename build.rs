//! Puts the fix library's sources into `agxrun`, as a workspace of their own, with a digest of them.
//!
//! `cargo install` keeps nothing but executables, so the library is built where it is first wanted. What is embedded builds
//! on its own: the library's package and those that it depends on, without their tests and benches, and of `Cargo.toml` and
//! `Cargo.lock` what concerns them. The library itself is not embedded: cargo knows no way for a build script to have
//! another package's cdylib (`-Zbindeps` is unstable) but to run a second cargo within the first.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::hash::Hasher;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// The library's package, relative to the root; the others follow from its manifest.
const LIBRARY: &str = "fixdylib";
/// Set for binaries that leave this machine.
const PORTABLE: &str = "AGXRUN_PORTABLE";
/// What a package's manifest says of things that are not embedded.
const LEFT_OUT: [&str; 4] = ["dev-dependencies", "bench", "test", "example"];

fn main() {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(variable("OUT_DIR"));
    println!("cargo::rerun-if-changed=build.rs");
    let tree = Tree::of(&root);

    let mut digest = Fnv(0xcbf2_9ce4_8422_2325);
    let mut list = String::from("&[\n");
    for (place, text) in &tree.files {
        // Lengths, so that no text can pass for the next file's name.
        for part in [place, text] {
            digest.write(&part.len().to_le_bytes());
            digest.write(part.as_bytes());
        }
        writeln!(list, "({place:?}, {text:?}),").expect("a String takes all");
    }
    list.push(']');
    fs::write(out.join("embedded.rs"), list).expect("OUT_DIR can be written");
    println!(
        "cargo::rustc-env=AGXRUN_SOURCE_DIGEST={:016x}",
        digest.finish()
    );
    println!("cargo::rustc-env=AGXRUN_TARGET={}", variable("TARGET"));
    // The rehearsal's pieces are built from the checkout. What is given away must not name a folder of this machine.
    println!("cargo::rerun-if-env-changed={PORTABLE}");
    if std::env::var_os(PORTABLE).is_none() {
        println!("cargo::rustc-env=AGXRUN_CHECKOUT={}", root.display());
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"))
}

/// Files by their place below the root, with `/` between folders.
struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    fn of(root: &Path) -> Self {
        let workspace = read_table(&root.join("Cargo.toml"));
        let offered = table_in(&workspace, &["workspace", "dependencies"]);
        let mut files = BTreeMap::new();
        // Each package's place, name and dependencies, for the lock.
        let mut packages = BTreeMap::new();
        let mut used = Table::new();
        let mut waiting = vec![LIBRARY.to_owned()];
        while let Some(place) = waiting.pop() {
            let manifest = package_manifest(&root.join(&place).join("Cargo.toml"));
            let name = manifest["package"]["name"]
                .as_str()
                .expect("a package has a name");
            let dependencies = dependencies_of(&manifest);
            for dependency in &dependencies {
                let given = offered.get(dependency).unwrap_or_else(|| {
                    panic!("{place}: `{dependency}` is no dependency of the workspace")
                });
                used.insert(dependency.clone(), given.clone());
                if let Some(path) = given.get("path").and_then(Value::as_str) {
                    waiting.push(path.to_owned());
                }
            }
            files.insert(format!("{place}/Cargo.toml"), manifest.to_string());
            for source in ["src", "build.rs"] {
                collect(root, &format!("{place}/{source}"), &mut files);
            }
            packages.insert(place.clone(), (name.to_owned(), dependencies));
        }
        files.insert(
            "Cargo.toml".to_owned(),
            workspace_manifest(&workspace, packages.keys(), used),
        );
        let lock = read_table(&root.join("Cargo.lock"));
        let own = packages.into_values().collect();
        files.insert("Cargo.lock".to_owned(), pruned_lock(lock, own));
        Self { files }
    }
}

fn read_table(path: &Path) -> Table {
    println!("cargo::rerun-if-changed={}", path.display());
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn table_in<'a>(table: &'a Table, keys: &[&str]) -> &'a Table {
    keys.iter().fold(table, |table, key| {
        table
            .get(*key)
            .and_then(Value::as_table)
            .unwrap_or_else(|| panic!("no table `{}`", keys.join(".")))
    })
}

fn package_manifest(path: &Path) -> Table {
    let mut manifest = read_table(path);
    manifest.retain(|key, _| !LEFT_OUT.contains(&key));
    assert!(
        !manifest.contains_key("target"),
        "{}: dependencies of one platform are not provided for here",
        path.display()
    );
    manifest
}

fn dependencies_of(manifest: &Table) -> BTreeSet<String> {
    ["dependencies", "build-dependencies"]
        .iter()
        .filter_map(|key| manifest.get(*key).and_then(Value::as_table))
        .flat_map(|table| table.keys().cloned())
        .collect()
}

/// The root's manifest without its own package: members, what they inherit, and how they are compiled.
fn workspace_manifest<'a>(
    whole: &Table,
    members: impl Iterator<Item = &'a String>,
    used: Table,
) -> String {
    let mut workspace = table_in(whole, &["workspace"]).clone();
    workspace.remove("default-members");
    let members = members.cloned().map(Value::String).collect();
    workspace.insert("members".into(), Value::Array(members));
    workspace.insert("dependencies".into(), Value::Table(used));
    let mut manifest = Table::from_iter([("workspace".to_owned(), Value::Table(workspace))]);
    let profiles = whole.get("profile").and_then(Value::as_table);
    if let Some(release) = profiles.and_then(|profiles| profiles.get("release")) {
        let release = Table::from_iter([("release".to_owned(), release.clone())]);
        manifest.insert("profile".to_owned(), Value::Table(release));
    }
    manifest.to_string()
}

/// The packages of `own`, and of the others those that they need.
///
/// `--locked` compares the lock as a whole: nothing may be missing and nothing superfluous.
fn pruned_lock(mut lock: Table, own: Vec<(String, BTreeSet<String>)>) -> String {
    let Some(Value::Array(all)) = lock.remove("package") else {
        panic!("Cargo.lock lists no packages")
    };
    let own: BTreeMap<_, _> = own.into_iter().collect();
    let mut kept: BTreeMap<String, Table> = BTreeMap::new();
    let mut waiting: Vec<String> = own.keys().cloned().collect();
    while let Some(wanted) = waiting.pop() {
        // "name", or "name version" where there are several.
        let mut words = wanted.split(' ');
        let (name, version) = (words.next().expect("a name"), words.next());
        let Some(Value::Table(found)) = all.iter().find(|package| {
            package["name"].as_str() == Some(name)
                && version.is_none_or(|version| package["version"].as_str() == Some(version))
        }) else {
            panic!("Cargo.lock has no {wanted}")
        };
        let mut package = found.clone();
        if let Some(Value::Array(dependencies)) = package.get_mut("dependencies") {
            if let Some(allowed) = own.get(name) {
                dependencies.retain(|dependency| allowed.contains(name_in(dependency)));
            }
            waiting.extend(
                dependencies
                    .iter()
                    .filter_map(Value::as_str)
                    .map(str::to_owned),
            );
        }
        let key = format!("{name} {}", package["version"]);
        if kept.contains_key(&key) {
            continue;
        }
        kept.insert(key, package);
    }
    lock.insert(
        "package".to_owned(),
        Value::Array(kept.into_values().map(Value::Table).collect()),
    );
    lock.to_string()
}

fn name_in(dependency: &Value) -> &str {
    let text = dependency.as_str().expect("a dependency is a string");
    text.split(' ').next().expect("a first word")
}

/// A file, or every Rust file below a folder; nothing where there is none.
fn collect(root: &Path, place: &str, files: &mut BTreeMap<String, String>) {
    let path = root.join(place);
    if !path.exists() {
        return;
    }
    println!("cargo::rerun-if-changed={}", path.display());
    if path.is_dir() {
        let entries = fs::read_dir(&path).expect("a folder that was just found can be listed");
        for entry in entries {
            let name = entry.expect("the folder's next entry").file_name();
            let name = name.to_str().expect("source files have plain names");
            collect(root, &format!("{place}/{name}"), files);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        let text =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        files.insert(place.to_owned(), text);
    }
}

/// FNV-1a. Not cryptographic and need not be: it only has to differ when a source file does.
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

//! The library and the rehearsal's driver as their sources are now.
//!
//! Cargo builds no cdylib for the tests and benches of its own package, and what an earlier build left beside them may be old.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A file that these packages make, built now, by the same cargo into the folder that this program is in.
pub fn product(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(build).join(name)
}

/// The library.
#[allow(dead_code)] // not every program that has this module asks for it
pub fn library() -> PathBuf {
    product(if cfg!(target_os = "macos") {
        "libagx_fix.dylib"
    } else {
        "libagx_fix.so"
    })
}

/// Where cargo puts the products: the profile's folder. `AGX_PRODUCTS=built` says that they are there, as `scripts/test.sh` does.
fn build() -> PathBuf {
    let program = std::env::current_exe().expect("a program has a path");
    // TARGET-FOLDER/PROFILE/deps/PROGRAM, for this machine's own target.
    let folder = program.ancestors().nth(2).expect("cargo's folders");
    if std::env::var_os("AGX_PRODUCTS").is_some_and(|value| value == "built") {
        return folder.to_owned();
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .args(["build", "--quiet", "--locked", "-p", "agx-fix", "-p"])
        .args(["agx-rehearsal", "--target-dir"])
        .arg(folder.parent().expect("the target folder"));
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    let status = cargo.status().expect("cargo starts");
    assert!(status.success(), "the library cannot be built");
    folder.to_owned()
}

//! Gives the linker the Objective-C runtime, and on macOS the name by which the driver is known.
//!
//! Debian ships GCC's runtime as `libobjc.so.4` in the package `libobjc4`; the `libobjc.so` link that `-lobjc` needs belongs to
//! the Objective-C compiler, which is not required here. So the file itself is handed over.
use std::path::{Path, PathBuf};
use std::{env, fs};

const RUNTIME: &str = "libobjc.so.4";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=LIBOBJC_DIR");
    if env::var("CARGO_CFG_TARGET_VENDOR").as_deref() == Ok("apple") {
        println!("cargo::rustc-link-arg-cdylib=-lobjc");
        // Else the name would be the path on the machine that built it.
        println!("cargo::rustc-link-arg-cdylib=-Wl,-install_name,@rpath/libagx_rehearsal.dylib");
        return;
    }
    match find_runtime() {
        Some(path) => println!("cargo::rustc-link-arg-cdylib={}", path.display()),
        None => println!(
            "cargo::error={RUNTIME} not found: install GCC's Objective-C runtime (`apt-get install libobjc4`), \
             or name its folder in LIBOBJC_DIR"
        ),
    }
}

/// The runtime's file: in `LIBOBJC_DIR`, in the library folders of the target's triple, or in the plain ones.
fn find_runtime() -> Option<PathBuf> {
    let arch = env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default(); // cargo sets it for every build script
    let triple = format!("{arch}-linux-gnu");
    let mut folders: Vec<PathBuf> = env::var_os("LIBOBJC_DIR")
        .map(PathBuf::from)
        .into_iter()
        .collect();
    for root in ["/usr/lib", "/lib"] {
        folders.push(Path::new(root).join(&triple));
    }
    folders.extend(["/usr/lib64", "/lib64", "/usr/lib", "/lib"].map(PathBuf::from));
    folders
        .into_iter()
        .map(|folder| folder.join(RUNTIME))
        .find(|file| fs::metadata(file).is_ok_and(|m| m.is_file()))
}

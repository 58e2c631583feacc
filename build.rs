//! Bakes in what `agxrun` needs to find or build its fix library later: where its sources were,
//! and a digest of them, so that a library built from other sources is never taken from the cache.

use std::fs;
use std::hash::Hasher;
use std::path::{Path, PathBuf};

fn main() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut files = vec![root.join("Cargo.lock")];
    collect(&root.join("fixdylib"), &mut files);
    files.sort();
    // Not cryptographic and need not be: it only has to differ when a source file does.
    let mut digest = Fnv(0xcbf2_9ce4_8422_2325);
    for file in &files {
        digest.write(
            file.strip_prefix(&root)
                .unwrap_or(file)
                .as_os_str()
                .as_encoded_bytes(),
        );
        digest.write(&fs::read(file).expect("a source file that was just listed can be read"));
    }
    println!(
        "cargo::rustc-env=AGXRUN_SOURCE_DIGEST={:016x}",
        digest.finish()
    );
    println!(
        "cargo::rustc-env=AGXRUN_TARGET={}",
        std::env::var("TARGET").expect("cargo sets it")
    );
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=fixdylib");
    println!("cargo::rerun-if-changed=Cargo.lock");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs" || e == "toml") {
            files.push(path);
        }
    }
}

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

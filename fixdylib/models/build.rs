//! Leaves the unit tests of the library's files out: they are the library's, and use the real system.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cfg=loom");
}

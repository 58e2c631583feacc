//! Lets the tests' crasher export the annotations that a library would export anyway.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo::rustc-link-arg-examples=-Wl,--export-dynamic-symbol=gCRAnnotations");
    }
}

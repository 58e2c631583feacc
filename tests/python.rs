//! The Python package, by its own tests: `tests/python`, run with a pytest of their own.

mod common;

use std::path::Path;
use std::process::Command;

use common::{in_repository, products};

/// `run.py` says so where its environment cannot be had.
const SKIPPED: i32 = 77;

#[test]
fn the_python_package_passes_its_tests() {
    let products = products();
    let driver = if cfg!(target_os = "macos") {
        "libagx_rehearsal.dylib"
    } else {
        "libagx_rehearsal.so"
    };
    let status = Command::new("python3")
        .arg(in_repository("tests/python/run.py"))
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("python"))
        .env("AGXRUN", env!("CARGO_BIN_EXE_agxrun"))
        .env("AGX_REHEARSAL_DRIVER", products.join(driver))
        .status()
        .expect("python3 starts");
    if status.code() == Some(SKIPPED) {
        println!("skipped: pytest cannot be had, so that nothing of the package was tested");
        return;
    }
    assert!(status.success(), "tests/python/run.py: {status}");
}

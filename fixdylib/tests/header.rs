//! The header and the library say the same, and both C and C++ take the header.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use object::{Object as _, ObjectSymbol as _};

mod built;

fn header() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("include/agx_fix.h")
}

/// Names that are followed by the parameter list of a declaration.
fn declared() -> BTreeSet<String> {
    let text = fs::read_to_string(header()).expect("the header");
    text.lines()
        .filter_map(|line| line.strip_suffix("(void);"))
        .map(|line| {
            let name = line.rsplit([' ', '*']).next().expect("a last word");
            name.to_owned()
        })
        .collect()
}

#[test]
fn every_declared_function_is_exported_and_every_exported_one_is_declared() {
    let bytes = fs::read(built::library()).expect("the library");
    let file = object::File::parse(&*bytes).expect("a library");
    let symbols: Vec<_> = if file.format() == object::BinaryFormat::MachO {
        file.symbols().collect()
    } else {
        file.dynamic_symbols().collect()
    };
    let exported: BTreeSet<String> = symbols
        .iter()
        .filter(|symbol| symbol.is_definition() && symbol.is_global())
        .filter_map(|symbol| symbol.name().ok())
        .map(|name| name.trim_start_matches('_').to_owned())
        .filter(|name| name.starts_with("agx_fix"))
        .collect();
    assert_eq!(declared(), exported);
}

#[test]
fn the_published_interface_is_whole() {
    let declared = declared();
    let published: Vec<_> = [
        "get_acquisitions",
        "get_contentions",
        "get_encoders_created",
        "get_encoders_released",
        "get_null_impl_skips",
        "get_method_calls",
        "get_deferred_releases",
        "get_agx_encoder_creates",
        "get_mps_encoder_creates",
        "get_commit_forced_ends",
        "get_commits_intercepted",
        "get_signal_events_intercepted",
        "get_wait_events_intercepted",
        "get_event_encoder_waits",
        "get_parallel_encoder_creates",
        "get_mutex_long_wait_warnings",
        "get_mutex_lock_timeouts",
        "get_mutex_max_wait_ms",
        "get_active_count",
        "is_enabled",
        "deadlock_detection_enabled",
        "verify_swizzle_active",
        "get_encoder_class_name",
        "get_command_buffer_class_name",
    ]
    .into();
    for name in published {
        for prefix in ["agx_fix_v2_9_", "agx_fix_"] {
            let name = format!("{prefix}{name}");
            assert!(declared.contains(&name), "{name}");
        }
    }
}

/// Rust links with `cc` on both systems, so that there is one wherever this test was built.
#[test]
fn c_and_c_plus_plus_take_the_header() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // Each function by its type: a declaration that the compiler reads otherwise than a reader would not fit.
    let body = "#include \"agx_fix.h\"\n\
                const char *(*const text)(void) = agx_fix_stats_json;\n\
                uint64_t (*const number)(void) = agx_fix_v2_9_get_method_calls;\n\
                size_t (*const size)(void) = agx_fix_get_active_count;\n\
                bool (*const flag)(void) = agx_fix_is_enabled;\n";
    for (language, standard) in [("c", "-std=c99"), ("c++", "-std=c++11")] {
        let source = folder.path().join("includes");
        fs::write(&source, body).expect("written");
        let output = Command::new("cc")
            .args(["-fsyntax-only", "-Wall", "-Wextra", "-pedantic", "-Werror"])
            .args([standard, "-x", language, "-I"])
            .arg(header().parent().expect("a folder"))
            .arg(&source)
            .output()
            .expect("cc starts");
        let said = String::from_utf8_lossy(&output.stderr);
        // GCC without its C++ front end says so in these words.
        if language == "c++" && said.contains("cc1plus") {
            eprintln!("skipped: no C++ compiler here: {said}");
            continue;
        }
        assert!(output.status.success(), "{language}: {said}");
    }
}

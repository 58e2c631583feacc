//! The fix library's sources, which travel in `agxrun`: with `cargo install` nothing else arrives on a machine.

use std::io;
use std::path::Path;

/// Digest of the embedded files; part of the cache's path, so that a library built from other sources is never taken from it.
pub const DIGEST: &str = env!("AGXRUN_SOURCE_DIGEST");

/// Each file's place, relative and with `/` between folders, and its text. The build script makes the list.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Writes the sources below `folder`, as a workspace that builds on its own.
pub fn unpack(folder: &Path) -> io::Result<()> {
    for (place, text) in FILES {
        let path = folder.join(place);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sources_are_those_of_the_checkout_without_tests_and_benches() {
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
        let sources: Vec<_> = FILES.iter().filter(|(place, _)| !is_cut(place)).collect();
        for (place, text) in &sources {
            let there = std::fs::read_to_string(checkout.join(place)).expect("in the checkout");
            assert!(there == *text, "{place} differs from the checkout's");
        }
        for place in [
            "fixdylib/build.rs",
            "fixdylib/src/lib.rs",
            "fixdylib/ledger/src/lib.rs",
            "fixdylib/policy/src/lib.rs",
        ] {
            assert!(sources.iter().any(|file| file.0 == place), "{place}");
        }
        for (place, _) in FILES {
            let outside = ["/tests/", "/benches/", "/models/"];
            assert!(!outside.iter().any(|part| place.contains(part)), "{place}");
        }
    }

    #[test]
    fn manifests_and_lock_know_nothing_of_the_rest_of_the_checkout() {
        let cut: Vec<_> = FILES.iter().filter(|(place, _)| is_cut(place)).collect();
        let places: Vec<_> = cut.iter().map(|(place, _)| *place).collect();
        assert_eq!(
            places,
            [
                "Cargo.lock",
                "Cargo.toml",
                "fixdylib/Cargo.toml",
                "fixdylib/ledger/Cargo.toml",
                "fixdylib/policy/Cargo.toml"
            ]
        );
        for (place, text) in cut {
            for stranger in ["agx-rehearsal", "proptest", "clap", "[[bench]]"] {
                assert!(
                    !text.contains(stranger),
                    "{place} names {stranger}:\n{text}"
                );
            }
        }
    }

    fn is_cut(place: &str) -> bool {
        place.ends_with("Cargo.toml") || place == "Cargo.lock"
    }
}

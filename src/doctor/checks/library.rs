//! Whether the fix library is there and can be loaded.

use crate::doctor::finding::Observation;
use crate::doctor::host::Host;
use crate::doctor::subject::{Library, Subject};

pub(super) fn check(host: &dyn Host, subject: &Subject) -> Vec<Observation> {
    match &subject.library {
        Library::Unusable(reason) => vec![Observation::error(
            reason.clone(),
            "`agxrun fix build` makes one; `agxrun fix path -v` says which a run takes",
        )],
        Library::Absent => vec![absent(host)],
        Library::Usable {
            located,
            unsigned,
            quarantined,
        } => {
            let path = located.path.display();
            let mut found = Vec::new();
            if *unsigned {
                found.push(Observation::error(
                    format!("`{path}` has no signature: on Apple silicon dyld ends every target that it is inserted into"),
                    format!("codesign --force --sign - '{path}'"),
                ));
            }
            if *quarantined {
                found.push(Observation::warning(
                    format!("`{path}` is quarantined: macOS may refuse to load it"),
                    format!("xattr -d com.apple.quarantine '{path}'"),
                ));
            }
            if found.is_empty() {
                found.push(Observation::ok(format!(
                    "`{path}`, {}",
                    located.origin.phrase()
                )));
            }
            found
        }
    }
}

/// The first run builds it from the sources that travel in agxrun, with cargo.
fn absent(host: &dyn Host) -> Observation {
    if host.find("cargo").is_some() {
        Observation::ok("not built yet: the first run builds it, which takes half a minute")
    } else {
        Observation::error(
            "neither is a fix library there nor cargo to build it",
            "install Rust (https://rustup.rs), or name a library with --dylib or AGX_FIX_DYLIB",
        )
    }
}

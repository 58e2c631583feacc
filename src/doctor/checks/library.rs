//! Whether the fix library is there and can be loaded.

use std::path::Path;

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
                    format!("codesign --force --sign - {}", quoted(&located.path)),
                ));
            }
            if *quarantined {
                found.push(Observation::warning(
                    format!("`{path}` is quarantined: macOS may refuse to load it"),
                    format!("xattr -d com.apple.quarantine {}", quoted(&located.path)),
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

/// A path as a shell takes it back, whatever is in it.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_path_is_one_word_of_a_shell() {
        assert_eq!(quoted(Path::new("/a b")), "'/a b'");
        assert_eq!(quoted(Path::new("/a'; x")), r"'/a'\''; x'");
    }
}

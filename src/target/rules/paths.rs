//! Folders that System Integrity Protection covers.

use std::path::{Component, Path};

use super::{Finding, Host, Program, System};
use crate::target::verdict::{Kind, Remedy};

/// The kernel purges every `DYLD_` variable when it starts what System Integrity Protection covers
/// (Apple, "System Integrity Protection Guide", "Runtime Protections").
pub(super) fn protected(program: &Program<'_>, host: &Host) -> Option<Finding> {
    if host.system != System::MacOs || !host.sip {
        return None;
    }
    let flagged = program
        .image
        .is_ok_and(|image| image.permissions.sip_restricted);
    let because = if is_protected(program.path) {
        "System Integrity Protection covers its folder: the kernel drops `DYLD_` variables"
    } else if flagged {
        "it is flagged `restricted` (System Integrity Protection): the kernel drops `DYLD_` variables"
    } else {
        return None;
    };
    Some(Finding {
        rule: "sip",
        kind: Kind::Stripped,
        because: because.to_owned(),
        remedies: vec![Remedy::AnotherBuild, Remedy::RunWithout],
    })
}

/// Whether System Integrity Protection covers `path` (`/System/Library/Sandbox/rootless.conf`; Apple,
/// support document HT204899: `/System`, `/usr`, `/bin`, `/sbin`, but not `/usr/local`).
fn is_protected(path: &Path) -> bool {
    let mut folders = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_string_lossy().to_ascii_lowercase()),
        _ => None,
    });
    let mut next = || folders.next().unwrap_or_default();
    match next().as_str() {
        // The volume that people write to is seen at its place in the tree, and here as well; what
        // lies on the sealed volume is never below it (firmlinks, `/usr/share/firmlinks`).
        "system" => !(next() == "volumes" && next() == "data"),
        "usr" => next() != "local",
        "bin" | "sbin" => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_protected;
    use std::path::Path;

    #[test]
    fn folders_of_the_system_and_of_people() {
        for path in [
            "/usr/bin/python3",
            "/bin/sh",
            "/sbin/md5",
            "/System/Library/Frameworks/Ruby.framework/Versions/2.6/usr/bin/ruby",
            "/System/Cryptexes/App/usr/bin/safaridriver",
            "/System/Volumes/Preboot/Cryptexes/OS/usr/bin/env",
            // The usual file system does not tell cases apart.
            "/USR/bin/python3",
        ] {
            assert!(is_protected(Path::new(path)), "{path}");
        }
        for path in [
            "/usr/local/bin/python3",
            "/opt/homebrew/bin/python3",
            "/Users/me/bin/usr/bin/python3",
            "/System/Volumes/Data/Users/me/python3",
            "/System/Volumes/Data/usr/local/bin/python3",
            "/Library/Frameworks/Python.framework/Versions/3.12/bin/python3.12",
            "/Library/Developer/CommandLineTools/usr/bin/python3",
            "/binary",
            "/",
        ] {
            assert!(!is_protected(Path::new(path)), "{path}");
        }
    }
}

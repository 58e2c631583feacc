//! The policies by name, and which of them this build of the library follows.

use serde::Serialize;

/// A policy of the fix library.
#[derive(Debug, Serialize)]
pub struct Policy {
    /// Its name, as `--fix` takes it.
    pub name: &'static str,
    /// Whether this build of the library follows it.
    pub available: bool,
    /// Whether it is what a run uses when nothing else is said.
    pub default: bool,
    /// What it is.
    pub status: &'static str,
}

/// All policies, oldest first. The published ones are known by name so that asking for one is
/// answered, and not available until the engine has them.
pub const POLICIES: &[Policy] = &[
    published("v1", "superseded"),
    published("v2", "superseded"),
    published("v2.2", "buggy"),
    published("v2.3", "superseded"),
    published("v2.4", "superseded"),
    published("v2.4nr", "verification only"),
    published("v2.5", "superseded"),
    published("v2.6", "disproven"),
    published("v2.7", "superseded"),
    published("v2.8", "superseded"),
    published("v2.9", "recommended by its author"),
    Policy {
        name: "v3",
        available: true,
        default: true,
        status: "ours: compute encoders and command buffers",
    },
];

const fn published(name: &'static str, status: &'static str) -> Policy {
    Policy {
        name,
        available: false,
        default: false,
        status,
    }
}

/// The policy called `name`, with or without its `v`, whatever the case.
pub fn find(name: &str) -> Option<&'static Policy> {
    let wanted = name.trim_start_matches(['v', 'V']);
    POLICIES
        .iter()
        .find(|policy| policy.name[1..].eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_with_and_without_their_letter() {
        for name in ["v2.9", "2.9", "V2.9"] {
            assert_eq!(find(name).map(|policy| policy.name), Some("v2.9"), "{name}");
        }
        assert_eq!(find("v2.4NR").map(|policy| policy.name), Some("v2.4nr"));
        assert!(find("v4").is_none() && find("").is_none());
    }

    #[test]
    fn exactly_one_policy_is_the_default() {
        assert_eq!(POLICIES.iter().filter(|policy| policy.default).count(), 1);
    }
}

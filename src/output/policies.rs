//! The table of `agxrun fix list`.

use std::fmt::Write;

use crate::inject::policy::POLICIES;

/// For people.
pub fn as_text() -> String {
    let mut text = String::from("policy   in this build   status\n");
    for policy in POLICIES {
        let state = match (policy.default, policy.available) {
            (true, _) => "default",
            (false, true) => "yes",
            (false, false) => "no",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:<8} {:<15} {}", policy.name, state, policy.status);
    }
    text
}

/// For machines.
pub fn as_json() -> serde_json::Result<String> {
    serde_json::to_string_pretty(POLICIES)
}

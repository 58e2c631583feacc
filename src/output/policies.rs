//! The table of `agxrun fix list`.

use std::fmt::Write;

use agx_policy::{POLICIES, Policy, default_policy};
use serde::Serialize;

use crate::inject::platform::LIBRARY_AFFIXES;

/// The name of the library's file under which a policy is had by itself.
pub fn file_name(policy: &Policy) -> String {
    format!("{}{}", policy.stem, LIBRARY_AFFIXES.1)
}

/// For people.
pub fn as_text() -> String {
    let mut text = String::new();
    for policy in &POLICIES {
        let _ = writeln!(text, "{}", policy.name);
    }
    text
}

/// A policy, for machines.
#[derive(Serialize)]
struct View {
    name: &'static str,
    file: String,
    status: &'static str,
    default: bool,
    known_failure: Option<&'static str>,
}

/// For machines.
pub fn as_json() -> serde_json::Result<String> {
    let views: Vec<View> = POLICIES
        .iter()
        .map(|policy| View {
            name: policy.name,
            file: file_name(policy),
            status: policy.status,
            default: policy == default_policy(),
            known_failure: Some(policy.known_failure).filter(|text| !text.is_empty()),
        })
        .collect();
    serde_json::to_string_pretty(&views)
}

//! Policies: what one version of the fix does, as data.

use std::fmt;

/// One version's behaviour.
#[derive(Debug, PartialEq, Eq)]
pub struct Policy {
    /// Name by which it is asked for.
    pub name: &'static str,
}

/// What this library offers.
static POLICIES: [Policy; 1] = [Policy { name: "v3" }];

/// Names under which earlier versions of the fix were published.
const PUBLISHED: [&str; 11] = [
    "v1", "v2", "v2.2", "v2.3", "v2.4", "v2.4_nr", "v2.5", "v2.6", "v2.7", "v2.8", "v2.9",
];

/// Why no policy goes by a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A published version that this library does not have.
    NotIncluded(String),
    /// No version was ever called so.
    Unknown(String),
}

impl Refusal {
    /// The name that was asked for.
    pub fn name(&self) -> &str {
        match self {
            Self::NotIncluded(name) | Self::Unknown(name) => name,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotIncluded(name) => {
                write!(
                    f,
                    "policy {name} is not in this library; nothing is hooked (use AGX_FIX_VERSION=v3)"
                )
            }
            Self::Unknown(name) => {
                write!(
                    f,
                    "there is no policy `{name}`; nothing is hooked (use AGX_FIX_VERSION=v3)"
                )
            }
        }
    }
}

/// The policy that holds unless another is asked for.
pub fn default_policy() -> &'static Policy {
    &POLICIES[0]
}

/// The policy called `name`: `v3`, `3` and `V3` are the same.
///
/// # Errors
/// [`Refusal`] if this library has no such policy.
pub fn find(name: &str) -> Result<&'static Policy, Refusal> {
    let lower = name.trim().to_ascii_lowercase();
    let full = if lower.starts_with('v') {
        lower
    } else {
        format!("v{lower}")
    };
    if let Some(policy) = POLICIES.iter().find(|policy| policy.name == full) {
        return Ok(policy);
    }
    Err(if PUBLISHED.contains(&full.as_str()) {
        Refusal::NotIncluded(full)
    } else {
        Refusal::Unknown(name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_with_and_without_v() {
        for name in ["v3", "3", "V3", " v3 "] {
            assert_eq!(find(name), Ok(default_policy()));
        }
    }

    #[test]
    fn a_published_name_is_told_from_nonsense() {
        assert_eq!(find("2.9"), Err(Refusal::NotIncluded("v2.9".into())));
        assert_eq!(find("fast"), Err(Refusal::Unknown("fast".into())));
    }
}

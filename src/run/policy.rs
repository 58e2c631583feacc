//! Which policy the library of a run will follow, and who decided: the same order as the library's own.

use std::ffi::OsStr;

use agx_policy::policies::LockKind;
use agx_policy::{Policy, Refusal};

use super::options::{LockScope, Tuning};
use super::plan::PlanError;

/// A policy and who decided on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// The policy.
    pub policy: &'static Policy,
    /// Who decided.
    pub by: By,
}

/// Who decided on a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// `--fix`.
    Option,
    /// `AGX_FIX_VERSION`.
    Environment,
    /// The name of the library's file.
    FileName,
    /// Nobody.
    Default,
}

impl By {
    /// A phrase that follows the policy's name.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Option => "asked for with --fix",
            Self::Environment => "named by AGX_FIX_VERSION",
            Self::FileName => "by the library's file name",
            Self::Default => "the default",
        }
    }
}

impl Expected {
    /// The policy by `--fix`, else `AGX_FIX_VERSION`, else the name of the library's file, else the default.
    ///
    /// `None` where the variable names no policy: the library then hooks nothing and says so.
    ///
    /// # Errors
    /// [`Refusal`] where `--fix` names no policy.
    pub fn decide(
        option: Option<&str>,
        variable: Option<&OsStr>,
        library: Option<&OsStr>,
    ) -> Result<Option<Self>, Refusal> {
        if let Some(name) = option {
            let policy = agx_policy::find(name)?;
            return Ok(Some(Self {
                policy,
                by: By::Option,
            }));
        }
        if let Some(name) = variable.filter(|name| !name.is_empty()) {
            return Ok(agx_policy::find(&name.to_string_lossy())
                .ok()
                .map(|policy| Self {
                    policy,
                    by: By::Environment,
                }));
        }
        let by_name = library.and_then(|name| agx_policy::from_file_name(&name.to_string_lossy()));
        Ok(Some(match by_name {
            Some(policy) => Self {
                policy,
                by: By::FileName,
            },
            None => Self {
                policy: agx_policy::default_policy(),
                by: By::Default,
            },
        }))
    }

    /// Whether this run must tell the library: it would not come to the policy by itself.
    pub fn is_asked(&self) -> bool {
        self.by == By::Option
    }

    /// Whether it is one of the published versions, which are there to be compared with.
    pub fn is_published(&self) -> bool {
        self.policy != agx_policy::default_policy()
    }

    /// Whether the policy has what is asked for: the published ones have one lock and no throttle.
    pub(super) fn allows(&self, tuning: Tuning) -> Result<(), PlanError> {
        if self.policy.lock == LockKind::Scoped {
            return Ok(());
        }
        let refused = |option, why| {
            Err(PlanError::NotWithPolicy {
                option,
                policy: self.policy.name,
                by: self.by.phrase(),
                why,
            })
        };
        if tuning.throttle.is_some_and(|limit| limit > 0) {
            return refused("--throttle", "was published without a throttle");
        }
        if tuning
            .lock_scope
            .is_some_and(|scope| scope != LockScope::Global)
        {
            return refused(
                "--lock-scope",
                "was published with one lock for the whole process",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(
        option: Option<&str>,
        variable: Option<&str>,
        library: Option<&str>,
    ) -> Option<(&'static str, By)> {
        Expected::decide(option, variable.map(OsStr::new), library.map(OsStr::new))
            .expect("a known policy")
            .map(|it| (it.policy.name, it.by))
    }

    #[test]
    fn the_option_comes_before_the_variable_and_that_before_the_file_s_name() {
        let file = Some("libagx_fix_v2_8.so");
        for (option, variable, library, expected) in [
            (Some("2.9"), Some("v1"), file, Some(("v2.9", By::Option))),
            (None, Some("v1"), file, Some(("v1", By::Environment))),
            (None, Some(""), file, Some(("v2.8", By::FileName))),
            (None, None, Some("libagx_fix.so"), Some(("v3", By::Default))),
            (None, None, None, Some(("v3", By::Default))),
            (None, Some("fast"), file, None),
        ] {
            assert_eq!(decided(option, variable, library), expected);
        }
        assert!(Expected::decide(Some("fast"), None, None).is_err());
    }

    #[test]
    fn the_published_ones_have_neither_throttle_nor_scopes() {
        let tuning = |throttle, lock_scope| Tuning {
            throttle,
            lock_scope,
            census: false,
        };
        let of = |name| {
            Expected::decide(Some(name), None, None)
                .expect("known")
                .expect("known")
        };
        for policy in &agx_policy::POLICIES {
            let published = of(policy.name).is_published();
            for refused in [tuning(Some(2), None), tuning(None, Some(LockScope::Queue))] {
                assert_eq!(of(policy.name).allows(refused).is_err(), published);
            }
            for fine in [tuning(None, None), tuning(Some(0), Some(LockScope::Global))] {
                of(policy.name).allows(fine).expect("nothing is asked for");
            }
        }
    }
}

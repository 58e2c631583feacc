//! What a run was made with, in one word.

use std::path::Path;

use crate::inject::locate::Origin;
use crate::run::options::{FixRequest, LockScope};
use crate::run::policy::By;
use crate::run::record::RunRecord;

/// What a run was made with.
///
/// A library that the user named is taken for v3 where nothing says otherwise; unless a ledger shows it to be ours, its name is
/// all that is known of it.
pub(super) fn fix_of(record: &RunRecord) -> String {
    let Some(library) = &record.plan.library else {
        return "none".to_owned();
    };
    let named = matches!(library.origin, Origin::Option | Origin::Environment);
    let policy = record
        .plan
        .policy
        .filter(|expected| !named || expected.by != By::Default || record.evidence.loaded());
    match policy {
        Some(expected) => expected.policy.name.to_owned(),
        None => file_name(&library.path),
    }
}

/// The same of a run that was not planned: what was asked for.
pub(super) fn requested(fix: &FixRequest) -> (String, Option<u16>, Option<LockScope>) {
    match fix {
        FixRequest::None => ("none".to_owned(), None, None),
        FixRequest::Inject {
            policy,
            library,
            tuning,
        } => {
            let fix = match (policy, library) {
                (Some(policy), _) => policy.clone(),
                (None, Some(library)) => file_name(&library.path),
                (None, None) => agx_policy::default_policy().name.to_owned(),
            };
            (fix, tuning.throttle, tuning.lock_scope)
        }
    }
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

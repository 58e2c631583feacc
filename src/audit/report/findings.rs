//! What was found, counted and in sentences.

use super::bypass::BypassAudit;
use super::model::{Audit, Finding, FindingKind};
use super::race::RaceAudit;
use super::words::{counted, is_or_are};
use crate::audit::coverage::MethodCoverage;

/// All findings of an audit, those first by which the policy's protection has a hole.
pub(super) fn all(audit: &Audit) -> Vec<Finding> {
    let bypasses = || {
        audit
            .images()
            .filter_map(|(.., image)| image.bypass.as_ref())
    };
    let races = || audit.images().filter_map(|(.., image)| image.race.as_ref());
    let findings = [
        uncovered(audit),
        ways(audit, bypasses().map(|it| it.ways().count()).sum()),
        direct(bypasses()),
        lookups(bypasses()),
        distances(bypasses().map(BypassAudit::distances).sum()),
        race(races()),
        untested(races()),
        changed(audit),
    ];
    findings.into_iter().flatten().collect()
}

/// A finding, where there is any; `weakens` says whether the protection has a hole by it.
fn finding(kind: FindingKind, weakens: bool, count: usize, text: String) -> Option<Finding> {
    (count > 0).then_some(Finding {
        kind,
        weakens,
        count,
        text,
    })
}

/// Work that the policy does not hook.
fn uncovered(audit: &Audit) -> Option<Finding> {
    let is_uncovered = |method: &MethodCoverage| method.work && !method.is_hooked_by(&audit.policy);
    let methods = audit
        .images()
        .flat_map(|(.., image)| image.coverage.methods());
    let count = methods.filter(|(_, method)| is_uncovered(method)).count();
    let text = format!(
        "{} leaves {} alone that {} work",
        audit.policy,
        counted(count, "method", "methods"),
        is_or_are(count),
    );
    finding(FindingKind::UncoveredWork, true, count, text)
}

fn ways(audit: &Audit, count: usize) -> Option<Finding> {
    let text = format!(
        "{} to the code of methods that {} hooks {} past the hooks",
        counted(count, "way", "ways"),
        audit.policy,
        if count == 1 { "leads" } else { "lead" },
    );
    finding(FindingKind::Bypass, true, count, text)
}

/// Who calls such a method is not known: what has come through a hook is guarded all the same.
fn direct<'a>(bypasses: impl Iterator<Item = &'a BypassAudit>) -> Option<Finding> {
    let methods = bypasses.flat_map(|it| &it.direct_methods);
    let count = methods.filter(|method| method.of_hooked_class).count();
    let text = format!(
        "{} of hooked classes {} called directly (objc_direct): nothing can hook {}",
        counted(count, "method", "methods"),
        is_or_are(count),
        if count == 1 { "it" } else { "them" },
    );
    finding(FindingKind::DirectMethod, false, count, text)
}

/// Which method is asked about does not stand in the code: what is found out may be another one's, and
/// may be asked after the hooks stand.
fn lookups<'a>(bypasses: impl Iterator<Item = &'a BypassAudit>) -> Option<Finding> {
    let lookups: Vec<_> = bypasses.flat_map(|it| &it.lookups).collect();
    let uses: usize = lookups.iter().map(|lookup| lookup.uses.len()).sum();
    let text = format!(
        "the runtime can be asked for methods' code by {}, used in {}: for which methods and when, it does not tell",
        counted(lookups.len(), "name", "names"),
        counted(uses, "place", "places"),
    );
    finding(FindingKind::Lookup, false, lookups.len(), text)
}

fn distances(count: usize) -> Option<Finding> {
    let text = format!(
        "{} in data may be the distance to a hooked method's code, or chance",
        counted(count, "number", "numbers"),
    );
    finding(FindingKind::Distance, false, count, text)
}

fn race<'a>(races: impl Iterator<Item = &'a RaceAudit>) -> Option<Finding> {
    let destroys: Vec<_> = races.flat_map(|it| &it.destroys).collect();
    let count = destroys.iter().filter(|it| it.has_race()).count();
    let text = format!(
        "{count} of {} NULL to _impl after the unlock: the race",
        match destroys.len() {
            1 => "1 method destroyImpl stores".to_owned(),
            all => format!("{all} methods destroyImpl store"),
        },
    );
    finding(FindingKind::Race, false, count, text)
}

fn untested<'a>(races: impl Iterator<Item = &'a RaceAudit>) -> Option<Finding> {
    let (mut reads, mut addresses) = (0, 0);
    for race in races {
        reads += race.untested_reads.len();
        addresses += race.predicted_faults.len();
    }
    let text = format!(
        "{} of _impl without a test: where it is NULL, {} foretold",
        counted(reads, "dereference", "dereferences"),
        match addresses {
            1 => "a fault at 1 address is".to_owned(),
            many => format!("faults at {many} addresses are"),
        },
    );
    finding(FindingKind::UntestedRead, false, reads, text)
}

fn changed(audit: &Audit) -> Option<Finding> {
    let against = audit.against.as_ref()?;
    let count = against.images.iter().map(super::Changes::count).sum();
    let text = format!(
        "{} against {}",
        counted(count, "change", "changes"),
        against.path
    );
    finding(FindingKind::Changed, false, count, text)
}

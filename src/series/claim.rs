//! How sure a run is that a report is its own.

use crate::history::ReportLine;

/// The claim of a run to a report that it counts, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// The process was one of the run's tree.
    Process,
    /// A process of the tree started it.
    Parent,
    /// A process of the tree answers for it.
    Responsible,
    /// It had loaded the library that the run injects, as those of other runs have.
    Library,
    /// Nothing says whose it is.
    Nobody,
}

impl Claim {
    /// The claim by which a run counts `report`; `None` where it does not.
    pub fn of(report: &ReportLine) -> Option<Self> {
        report
            .is_counted()
            .then(|| Self::named(report.evidence.as_deref()))
    }

    fn named(evidence: Option<&str>) -> Self {
        match evidence {
            Some("process") => Self::Process,
            Some("parent") => Self::Parent,
            Some("responsible") => Self::Responsible,
            Some("library") => Self::Library,
            _ => Self::Nobody,
        }
    }

    /// Whether no other run can have the same: a process has one tree.
    pub fn is_certain(self) -> bool {
        self <= Self::Responsible
    }
}

/// Whether a run saw a report that may have been its own, and does not count it.
pub fn was_seen(report: &ReportLine) -> bool {
    !report.is_counted() && report.attribution.as_deref() != Some("foreign")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reports::attribution::Evidence;
    use crate::series::sample;

    #[test]
    fn every_evidence_of_an_attribution_is_a_claim_and_the_surest_comes_first() {
        let evidence = [
            Evidence::Pid(1),
            Evidence::Parent(1),
            Evidence::Responsible(1),
            Evidence::LibraryLoaded("/lib".into()),
        ];
        let claims: Vec<Claim> = evidence
            .iter()
            .map(|evidence| Claim::named(Some(evidence.name())))
            .chain([Claim::named(None)])
            .collect();
        assert!(claims.is_sorted_by(|a, b| a < b), "{claims:?}");
        let certain: Vec<bool> = claims.iter().map(|claim| claim.is_certain()).collect();
        assert_eq!(certain, [true, true, true, false, false]);
    }

    #[test]
    fn what_a_baseline_knows_is_claimed_and_what_does_not_count_is_not() {
        let mut report = sample::report("I", "unknown");
        assert_eq!(Claim::of(&report), Some(Claim::Nobody));
        report.counted = false;
        assert_eq!(Claim::of(&report), None);
        report.known = true;
        assert_eq!(Claim::of(&report), Some(Claim::Nobody));
    }
}

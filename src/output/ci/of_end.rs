//! A series that could not go on, as a case.

use super::case::{Case, CaseResult, Problem};
use crate::series::End;

impl Case {
    /// The case of a series that could not go on: a suite in which all that was made passed would look whole. `None` where it did.
    pub fn of_end(end: &End, name: &str, class: &str) -> Option<Self> {
        let (End::Storage { reason } | End::Launch { reason, .. }) = end else {
            return None;
        };
        let mut case = Self::passed(name, class, 0.0);
        case.result = CaseResult::Errored(Problem {
            kind: "series".to_owned(),
            message: reason.lines().next().unwrap_or_default().to_owned(),
            text: reason.clone(),
        });
        Some(case)
    }
}

//! One crash of `check-crashes` as a case.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::case::{Case, CaseResult, Problem};
use crate::baseline::Listed;
use crate::output::crash::CrashView;

/// What these cases belong to.
const CLASS: &str = "agxrun.check-crashes";

/// A crash: a failure, unless the baseline knows it.
pub fn case(view: &CrashView, now: DateTime<Utc>) -> Case {
    let path = PathBuf::from(&view.file);
    let file = path.file_name().unwrap_or(path.as_os_str());
    // Two crashes may be equal; their files are not.
    let name = format!("{} ({})", view.name(), file.display());
    let text = anstream::adapter::strip_str(&view.text(now, "")).to_string();
    let kind = view.diagnosis.as_ref();
    let result = match view.baseline.as_ref().filter(|listed| listed.is_known()) {
        Some(listed) => CaseResult::Skipped {
            message: listed.to_string(),
        },
        None => CaseResult::Failed(Problem {
            kind: kind.map_or_else(|| view.fingerprint.clone(), |kind| kind.id.clone()),
            message: message(view),
            text: text.clone(),
        }),
    };
    Case {
        result,
        out: text,
        attachments: vec![std::path::absolute(&path).unwrap_or(path)],
        ..Case::passed(name, CLASS, 0.0)
    }
}

fn message(view: &CrashView) -> String {
    let expired = view.baseline.as_ref().map(Listed::to_string);
    let expired = expired.map_or_else(String::new, |expired| format!("; {expired}"));
    format!(
        "{} [fingerprint {}]{expired}",
        view.name(),
        view.fingerprint
    )
}

/// A file or folder that could not be read: it may hold a crash.
pub fn unread(path: &Path, why: &str) -> Case {
    Case {
        result: CaseResult::Errored(Problem {
            kind: "unread".to_owned(),
            message: format!("could not be read, and may hold a crash: {why}"),
            text: why.to_owned(),
        }),
        ..Case::passed(path.display().to_string(), CLASS, 0.0)
    }
}

/// There was none.
pub fn none(window: &str) -> Case {
    Case::passed(format!("no crash {window}"), CLASS, 0.0)
}

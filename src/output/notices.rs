//! The sentences of a run's notices: what was seen, what it means, what to do.

use super::terminal::visible;
use crate::run::record::{Notice, RunRecord};

/// One sentence for each notice of a run.
pub fn warnings(record: &RunRecord) -> Vec<String> {
    record.notices.iter().map(sentence).collect()
}

/// What a notice says.
pub fn sentence(notice: &Notice) -> String {
    let text = match notice {
        Notice::NotLoaded => {
            "no ledger shows that the fix library was loaded: this run proves nothing about it \
             (hint: the target may be static or protected, or the library keeps no ledgers; --require-fix makes this an error)"
                .to_owned()
        }
        Notice::Disabled => {
            "the fix library was loaded and disabled by AGX_FIX_DISABLE: this is a control run"
                .to_owned()
        }
        Notice::PolicyUnknown { pids } => format!(
            "the library does not know the policy that AGX_FIX_VERSION names and hooked nothing in {} \
             (hint: `agxrun fix list`)",
            list("pid", pids)
        ),
        Notice::MetalWithoutHooks { pid, executable } => format!(
            "pid {pid} ({executable}) used Metal without hooks: crashes there say nothing about the fix"
        ),
        Notice::DroppedCalls { calls } => format!(
            "the fix library skipped {calls} call(s) that would have read through NULL: GPU work is missing \
             (stderr names the methods)"
        ),
        Notice::OpenEncoders { pid, encoders } => format!(
            "pid {pid} left with {encoders} encoder(s) that were never ended: their work was never committed, \
             and without the fix Metal would have asserted"
        ),
        Notice::MissingHooks { methods } => format!(
            "{methods} method(s) that should be hooked are not (-v and the ledger say which)"
        ),
        Notice::UnreadableLedger { path, reason } => {
            format!(
                "the ledger `{}` could not be read: {reason}",
                path.display()
            )
        }
        Notice::GoneInACall { pid, call } => format!(
            "pid {pid} is gone in the middle of a hooked call, and no report says why: {call}"
        ),
        Notice::Vanished { pids } => format!(
            "nothing tells how {} ended: killed, crashed without a report, or replaced by a program that the \
             library does not reach",
            list("pid", pids)
        ),
        Notice::Unwatched { path, reason } => format!(
            "could not watch `{}`: {reason}: a crash reported there would not be seen",
            path.display()
        ),
        Notice::NotArchived { path, reason } => {
            format!(
                "`{}` was not copied to the archive: {reason}",
                path.display()
            )
        }
        Notice::Summary { reason } => reason.clone(),
        Notice::ReportMissing { pid } => format!(
            "pid {pid} crashed and no report of it came in time (hint: --report-wait; is ReportCrash running, \
             are there 25 reports of this name already?)"
        ),
        Notice::StillPending { reports } => format!(
            "{reports} report(s) were still being written when the wait was over (hint: --report-wait)"
        ),
        Notice::Stderr { reason } => format!("the target's stderr was not read: {reason}"),
        Notice::LeftBehind { processes } => {
            format!(
                "{processes} process(es) of the target still run; their crashes will not be seen"
            )
        }
        Notice::NoReportWriter => {
            "the report writer was not found beside agxrun: on Linux a crash leaves no report \
             without it (hint: cargo build --workspace)"
                .to_owned()
        }
    };
    visible(&text)
}

fn list(noun: &str, numbers: &[u32]) -> String {
    let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
    format!("{noun} {}", numbers.join(", "))
}

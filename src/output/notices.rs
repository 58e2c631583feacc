//! The sentences of a run's notices: what was seen, what it means, what to do.

use std::path::Path;

use agx_ledger::Counter;

use super::census;
use super::terminal::visible;
use crate::evidence::Found;
use crate::run::execute::signal_name;
use crate::run::record::{Notice, RunRecord};
use crate::target::verdict::Kind;

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
        Notice::Arrival {
            kind,
            rule,
            file,
            because,
        } => arrival(*kind, rule, &file.display().to_string(), because),
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
        Notice::PolicyMismatch {
            expected,
            found,
            pids,
        } => format!(
            "{} followed policy {found} and not {expected} (hint: does the target set AGX_FIX_VERSION itself?)",
            list("pid", pids)
        ),
        Notice::PublishedPolicy {
            name,
            known_failure,
        } => format!(
            "policy {name} is here to be compared with; its author says how it fails: {known_failure}"
        ),
        Notice::DroppedCalls { calls } => dropped(calls),
        Notice::Counted { counter, times } => counted(*counter, *times),
        Notice::OpenEncoders { pid, encoders } => format!(
            "pid {pid} left with {encoders} encoder(s) that were never ended: their work was never committed, \
             and without the fix Metal would have asserted"
        ),
        Notice::MissingHooks { methods } => missing_hooks(*methods),
        Notice::CensusMissing { pids } => census_missing(pids),
        Notice::NeverHooked { methods } => never_hooked(methods),
        Notice::Overridden { methods } => overridden(methods.len()),
        Notice::Bypassed { path, calls } => bypassed(path, calls),
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
        Notice::KnownEnding { signal } => format!(
            "{} ended the target, in a crash that the baseline knows: what it had still to do was not done",
            signal_name(*signal)
        ),
        Notice::NotArchived { path, reason } => {
            format!(
                "`{}` was not copied to the archive: {reason}",
                path.display()
            )
        }
        Notice::Summary { reason } | Notice::History { reason } => reason.clone(),
        Notice::InsertionRefused { pid, words } => refused(*pid, words),
        Notice::NotPreloaded { library, reason } => not_preloaded(library, reason),
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

fn missing_hooks(methods: u64) -> String {
    format!("{methods} method(s) that should be hooked are not (-v and the ledger say which)")
}

fn bypassed(path: &Path, calls: &[String]) -> String {
    format!("bypass seen in `{}`: {}", path.display(), calls.join("; "))
}

fn census_missing(pids: &[u32]) -> String {
    format!(
        "no census of {}: killed, crashed, replaced by another program, or left through _exit; nobody looked whether \
         the hooks still stood there",
        list("pid", pids)
    )
}

fn never_hooked(methods: &[Found]) -> String {
    format!(
        "{} method(s) that should be hooked came after the hooks, and never were: {} (hint: calls of them pass the \
         fix by; load what brings them before Metal's first use)",
        methods.len(),
        census::named(methods)
    )
}

fn overridden(methods: usize) -> String {
    format!(
        "{methods} override(s) of hooked methods, in classes below the hooked ones, are out of the version's reach: calls \
         of them pass the fix by (hint: v3 goes to every class)"
    )
}

/// What was foreseen of the library's way into the target.
fn arrival(kind: Kind, rule: &str, file: &str, because: &str) -> String {
    let what = match kind {
        Kind::Arrives | Kind::Unknown => {
            "it is not known beforehand whether the fix library gets in"
        }
        Kind::Stripped => "the fix library does not get in",
        Kind::Fatal => "the fix library was left out, since it would end the target",
    };
    format!(
        "`{file}`: {what}: {because} [{rule}] (hint: `agxrun inspect` shows what runs, and what would help)"
    )
}

/// The loader's own words, and that the target is not to blame.
fn refused(pid: Option<i32>, words: &str) -> String {
    let process = pid.map_or_else(|| "a process".to_owned(), |pid| format!("pid {pid}"));
    format!(
        "the loader ended {process} before its first instruction, because of what was inserted; this is no crash of the \
         target: {words} (hint: `agxrun doctor` looks at the library, `agxrun inspect CMD` at the target; --no-fix runs \
         without it)"
    )
}

fn not_preloaded(library: &str, reason: &str) -> String {
    format!(
        "ld.so could not insert `{library}`, and a process of the target ran without it: {reason} (hint: the library must \
         exist and be built for that process; `agxrun doctor` looks at it)"
    )
}

/// Calls that were not made: each kind, and that work is missing.
fn dropped(calls: &[(Counter, u64)]) -> String {
    let kinds: Vec<String> = calls
        .iter()
        .map(|(counter, times)| match counter {
            Counter::NullImplSkips => {
                format!("skipped {times} call(s) that would have read through NULL")
            }
            Counter::DroppedUntracked => {
                format!("dropped {times} call(s) on encoders that it did not track")
            }
            Counter::DroppedEnded => format!("dropped {times} call(s) on encoders that had ended"),
            other => format!("{} {times}", other.name()),
        })
        .collect();
    format!(
        "the fix library {}: GPU work is missing (stderr names the methods)",
        kinds.join(", and ")
    )
}

/// What a counter that is no loss of work means, and what to do.
fn counted(counter: Counter, times: u64) -> String {
    let (what, hint) = match counter {
        Counter::DestroysBlocked => (
            "time(s) the policy kept destroyImpl from running: the driver's pool of contexts runs out",
            "another policy gives them back",
        ),
        Counter::EventWaitTimeouts => (
            "time(s) an event was encoded while another thread's encoder was still open at the end of the wait",
            "end encoders before events; AGX_FIX_EVENT_WAIT_MS sets the limit of v3",
        ),
        Counter::ThrottleLetThrough => (
            "commit(s) went past the throttle, because nothing completed in time",
            "raise --throttle where a command buffer waits for a later one; AGX_FIX_THROTTLE_WAIT_MS sets the limit",
        ),
        Counter::LockOrderEscapes => (
            "call(s) went on without a second lock, because waiting for it could have been a deadlock",
            "--lock-scope global has one lock only",
        ),
        Counter::LockLongWaits => (
            "wait(s) for the lock were longer than AGX_FIX_LOCK_WARN_MS",
            "-v shows which thread was inside what",
        ),
        Counter::LockTimeouts => (
            "wait(s) for the lock were longer than AGX_FIX_LOCK_TIMEOUT_MS",
            "a deadlock in the target, or a call that takes that long",
        ),
        Counter::HooksReplaced => (
            "hook(s) were replaced by somebody else's code later on: the fix may not see those methods",
            "look for another library that exchanges methods",
        ),
        Counter::OddReceivers => (
            "hooked call(s) came on an object that is not of the hook's class, and were passed on untouched",
            "look for a proxy around the driver's objects",
        ),
        Counter::CommitAfterCommit => (
            "command buffer(s) were committed a second time",
            "give every thread its own command buffer",
        ),
        Counter::HandlerAfterCommit => (
            "completion handler(s) were added after the commit",
            "add handlers before the commit",
        ),
        Counter::CaughtPanics => (
            "failure(s) inside the fix library were caught: a fault of ours",
            "report it, with the ledger",
        ),
        Counter::PassedUntouched => (
            "call(s) met something unexpected and were passed on untouched",
            "the ledger's census says which classes are hooked",
        ),
        other => return format!("{}: {times}", other.name()),
    };
    format!("{times} {what} (hint: {hint})")
}

fn list(noun: &str, numbers: &[u32]) -> String {
    let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
    format!("{noun} {}", numbers.join(", "))
}

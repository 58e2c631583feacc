//! What one run amounts to: the one place that decides what counts as a crash in a rate.

use std::fmt;
use std::str::FromStr;

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

use super::headline;
use crate::run::record::{Notice, RunRecord};
use crate::run::supervise::{Ending, Outcome};
use crate::run::verdict::Reason;

/// What one run amounts to. A run has one kind.
///
/// A crash always counts, in whatever run it was seen. Otherwise a run that was not what was asked for (its library missing,
/// interrupted, not watched) shows nothing. Otherwise the strongest of what was seen is its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A process crashed: a report that counts, or the signal of a crash.
    Crash,
    /// Every crash in it was an assertion: the program, Metal or Foundation gave up with a sentence.
    Assertion,
    /// The GPU reported an error, on stderr or in a report of its own, and no process crashed.
    GpuError,
    /// The time limit struck.
    Hang,
    /// Calls were dropped, or hooks do not stand.
    LostWork,
    /// The target failed by itself, without any of the above.
    Failure,
    /// The fix was to be in it and was not, or not as asked.
    NotInjected,
    /// It was ended from outside before its own end.
    Interrupted,
    /// It could not be launched, or not be watched.
    Refused,
    /// It ended well, and nothing was seen.
    Clean,
}

impl Kind {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 10] = [
        Self::Crash,
        Self::Assertion,
        Self::GpuError,
        Self::Hang,
        Self::LostWork,
        Self::Failure,
        Self::NotInjected,
        Self::Interrupted,
        Self::Refused,
        Self::Clean,
    ];

    /// The kind of a run.
    pub fn of(record: &RunRecord) -> Self {
        let has = |reason| record.verdict.has(reason);
        Self::decide(&Facts {
            insertion_refused: has(Reason::InsertionRefused),
            crash: headline::crash(record),
            unlike_asked: record.notices.iter().any(means_not_injected),
            interrupted: was_interrupted(&record.outcome),
            unwatched: has(Reason::Unwatched),
            gpu_error: headline::has_gpu_error(record),
            timed_out: has(Reason::TimedOut),
            lost_work: [Reason::WorkLost, Reason::HooksUndone, Reason::Bypassed]
                .into_iter()
                .any(has),
            failed: !record.verdict.is_clean(),
        })
    }

    fn decide(facts: &Facts) -> Self {
        // The loader's abort looks like a crash and tells nothing of the target.
        if facts.insertion_refused {
            return Self::NotInjected;
        }
        if let Some(crash) = facts.crash {
            return match crash {
                Crash::Assertion => Self::Assertion,
                Crash::Other => Self::Crash,
            };
        }
        let order = [
            (facts.unlike_asked, Self::NotInjected),
            (facts.interrupted, Self::Interrupted),
            (facts.unwatched, Self::Refused),
            (facts.gpu_error, Self::GpuError),
            (facts.timed_out, Self::Hang),
            (facts.lost_work, Self::LostWork),
            (facts.failed, Self::Failure),
        ];
        let first = order.into_iter().find(|(applies, _)| *applies);
        first.map_or(Self::Clean, |(_, kind)| kind)
    }

    /// Whether it counts among the runs of a rate: it shows whether the command crashes.
    pub fn is_decided(self) -> bool {
        !matches!(self, Self::NotInjected | Self::Interrupted | Self::Refused)
    }

    /// Whether it counts among the crashes of a rate.
    pub fn is_crash(self) -> bool {
        matches!(self, Self::Crash | Self::Assertion)
    }

    /// Its name in a run line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Assertion => "assertion",
            Self::GpuError => "gpu_error",
            Self::Hang => "hang",
            Self::LostWork => "lost_work",
            Self::Failure => "failure",
            Self::NotInjected => "not_injected",
            Self::Interrupted => "interrupted",
            Self::Refused => "refused",
            Self::Clean => "clean",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text names no kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no kind of run (hint: {list})", list = names())]
pub struct UnknownKind(pub String);

fn names() -> String {
    Kind::ALL.map(Kind::name).join(", ")
}

impl FromStr for Kind {
    type Err = UnknownKind;

    /// `gpu-error` is taken for `gpu_error`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim().replace('-', "_");
        let mut kinds = Self::ALL.into_iter();
        kinds
            .find(|kind| kind.name() == name)
            .ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

/// What kind of crash a run saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crash {
    /// Nothing but assertions.
    Assertion,
    /// Something else.
    Other,
}

/// What decides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // each is a fact of its own
struct Facts {
    insertion_refused: bool,
    crash: Option<Crash>,
    unlike_asked: bool,
    interrupted: bool,
    unwatched: bool,
    gpu_error: bool,
    timed_out: bool,
    lost_work: bool,
    failed: bool,
}

/// Whether a notice says that the fix was not in the run as it was asked for.
fn means_not_injected(notice: &Notice) -> bool {
    matches!(
        notice,
        Notice::NotLoaded
            | Notice::Disabled
            | Notice::PolicyUnknown { .. }
            | Notice::PolicyMismatch { .. }
            | Notice::MetalWithoutHooks { .. }
    )
}

/// Whether the end came from outside: passed on by us, or by the terminal, which sends INT and HUP to the target itself.
/// TERM that was not passed on may be the target's own doing.
fn was_interrupted(outcome: &Outcome) -> bool {
    let by_terminal = match outcome.ending {
        Ending::Signaled { signal, .. } => {
            signal == Signal::SIGINT as i32 || signal == Signal::SIGHUP as i32
        }
        Ending::Exited(_) => false,
    };
    outcome.cancelled_by.is_some() || by_terminal
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that is no crash, at once.
    const EVERYTHING: Facts = Facts {
        insertion_refused: false,
        crash: None,
        unlike_asked: true,
        interrupted: true,
        unwatched: true,
        gpu_error: true,
        timed_out: true,
        lost_work: true,
        failed: true,
    };

    #[test]
    fn a_crash_counts_in_whatever_run_it_was_seen() {
        for (crash, kind) in [
            (Crash::Other, Kind::Crash),
            (Crash::Assertion, Kind::Assertion),
        ] {
            let facts = Facts {
                crash: Some(crash),
                ..EVERYTHING
            };
            assert_eq!(Kind::decide(&facts), kind);
        }
    }

    #[test]
    fn what_the_loader_refused_is_no_crash_of_the_target() {
        let facts = Facts {
            insertion_refused: true,
            crash: Some(Crash::Other),
            ..EVERYTHING
        };
        assert_eq!(Kind::decide(&facts), Kind::NotInjected);
    }

    #[test]
    fn a_run_that_was_not_what_was_asked_for_shows_nothing_else() {
        let mut facts = EVERYTHING;
        let mut kinds = vec![Kind::decide(&facts)];
        facts.unlike_asked = false;
        kinds.push(Kind::decide(&facts));
        facts.interrupted = false;
        kinds.push(Kind::decide(&facts));
        facts.unwatched = false;
        kinds.push(Kind::decide(&facts));
        facts.gpu_error = false;
        kinds.push(Kind::decide(&facts));
        facts.timed_out = false;
        kinds.push(Kind::decide(&facts));
        facts.lost_work = false;
        kinds.push(Kind::decide(&facts));
        facts.failed = false;
        kinds.push(Kind::decide(&facts));
        let names: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
        assert_eq!(
            names,
            [
                "not_injected",
                "interrupted",
                "refused",
                "gpu_error",
                "hang",
                "lost_work",
                "failure",
                "clean"
            ]
        );
    }

    #[test]
    fn what_shows_nothing_is_in_no_rate_and_only_crashes_are_crashes() {
        let undecided: Vec<_> = Kind::ALL
            .into_iter()
            .filter(|kind| !kind.is_decided())
            .collect();
        assert_eq!(
            undecided,
            [Kind::NotInjected, Kind::Interrupted, Kind::Refused]
        );
        let crashes: Vec<_> = Kind::ALL
            .into_iter()
            .filter(|kind| kind.is_crash())
            .collect();
        assert_eq!(crashes, [Kind::Crash, Kind::Assertion]);
    }

    #[test]
    fn names_are_those_of_the_json_and_read_back() {
        for kind in Kind::ALL {
            let json = serde_json::to_value(kind).expect("serialised");
            assert_eq!(json, kind.name());
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert_eq!("gpu-error".parse(), Ok(Kind::GpuError));
        let error = "boom".parse::<Kind>().expect_err("no kind").to_string();
        assert!(
            error.contains("`boom`") && error.contains("lost_work"),
            "{error}"
        );
    }
}

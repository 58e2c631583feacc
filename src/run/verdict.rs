//! What a run amounts to. The verdict alone decides the exit code.

use serde::Serialize;

use super::known::Known;
use super::supervise::Ending;

/// Exit codes: part of the interface, documented in the README.
pub mod exit_code {
    /// Nothing to complain about.
    pub const OK: u8 = 0;
    /// `rehearse --matrix`: a policy did not do what is expected of it.
    pub const UNEXPECTED: u8 = 1;
    /// `doctor`: something is to be mended.
    pub const UNWELL: u8 = 1;
    /// Wrong usage.
    pub const USAGE: u8 = 2;
    /// `monitor status`: no monitor runs (as init scripts say it: LSB 5.0, 22.2).
    pub const NOT_RUNNING: u8 = 3;
    /// New crash reports appeared, or a process of the tree crashed.
    pub const CRASH_GATE: u8 = 86;
    /// The library dropped calls, or its hooks do not all stand.
    pub const WORK_LOST: u8 = 87;
    /// The library was to be loaded, and no ledger shows that it was.
    pub const NOT_LOADED: u8 = 88;
    /// The time limit ended the target.
    pub const TIMED_OUT: u8 = 124;
    /// agxrun itself failed, or refused before the launch.
    pub const FAILED: u8 = 125;
    /// The target was found and cannot be executed.
    pub const NOT_EXECUTABLE: u8 = 126;
    /// The target was not found.
    pub const NOT_FOUND: u8 = 127;
    /// Added to the number of the signal that ended the target.
    pub const SIGNAL_BASE: u8 = 128;
}

/// How the target itself ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum TargetEnding {
    /// It returned or called exit.
    Exited {
        /// Its exit status, 0 to 255.
        code: u8,
    },
    /// A signal ended it.
    Signaled {
        /// The signal's number on this system.
        signal: i32,
    },
}

impl From<Ending> for TargetEnding {
    fn from(ending: Ending) -> Self {
        match ending {
            // The system hands out the low eight bits only.
            Ending::Exited(code) => Self::Exited {
                code: u8::try_from(code & 0xff).unwrap_or(u8::MAX),
            },
            Ending::Signaled { signal, .. } => Self::Signaled { signal },
        }
    }
}

/// The facts that decide; everything else about a run is commentary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// How the target ended.
    pub ending: TargetEnding,
    /// Processes of the tree that the loader ended because of what was inserted.
    pub insertion_refusals: usize,
    /// Whether the time limit ended it.
    pub timed_out: bool,
    /// Reports that count under the chosen scope.
    pub counted_reports: usize,
    /// What the baseline knows.
    pub known: Known,
    /// Processes below the target that crashed and left no report.
    pub crashed_without_report: usize,
    /// Calls that the library skipped, and hooks that were to stand and do not.
    pub lost_work: u64,
    /// Hooks that a census found replaced, and methods that it found never hooked.
    pub hooks_undone: usize,
    /// Calls of hooked methods past the library, as far as they are believed, in reports of the tree.
    pub bypasses: usize,
    /// Whether proof of load was demanded and is missing.
    pub proof_missing: bool,
    /// Whether a report folder that was to be watched could not be read to the end.
    pub unwatched: bool,
}

/// A code that applies, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// The exit code.
    pub code: u8,
    /// What applies.
    pub reason: Reason,
}

/// Why a code applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The target's own status.
    Target,
    /// The loader ended a process because of what was inserted: agxrun's own failure.
    InsertionRefused,
    /// A signal ended the target.
    Signal,
    /// The time limit ended it.
    TimedOut,
    /// A report folder could not be watched: no crash cannot be concluded.
    Unwatched,
    /// New crash reports.
    NewReports,
    /// A process of the tree crashed and no report came.
    CrashWithoutReport,
    /// No ledger shows that the library was loaded.
    NotLoaded,
    /// Calls were dropped or hooks are missing.
    WorkLost,
    /// A census found hooks that do not stand, or methods that were never hooked.
    HooksUndone,
    /// A report shows that a hooked method was called past the library.
    Bypassed,
    /// Crashes that the baseline knows: they are told, and fail nothing.
    KnownCrash,
}

/// The verdict: what applies, strongest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// What `agxrun` exits with.
    pub exit_code: u8,
    /// All codes that apply, the one that won first; never empty.
    pub applied: Vec<Applied>,
}

impl Verdict {
    /// Weighs the facts.
    ///
    /// Where the loader ended a process because of what was inserted, nothing else says anything
    /// about the target. Then come a time-out and a signal, which are how the target itself ended:
    /// CI systems tell 124 and 139 apart from a gate. "Could not watch" is stronger than every gate, because none
    /// of them can be trusted without the reports. The target's own status comes last, before crashes that the baseline
    /// knows: a signal that is one of these is not the target's failure any more.
    pub fn of(facts: &Facts) -> Self {
        let mut applied = Vec::new();
        let mut add = |when: bool, code: u8, reason: Reason| {
            if when {
                applied.push(Applied { code, reason });
            }
        };
        add(
            facts.insertion_refusals > 0,
            exit_code::FAILED,
            Reason::InsertionRefused,
        );
        add(facts.timed_out, exit_code::TIMED_OUT, Reason::TimedOut);
        if let TargetEnding::Signaled { signal } = facts.ending
            && facts.known.ending.is_none()
        {
            let number = u8::try_from(signal).unwrap_or(0);
            add(
                true,
                exit_code::SIGNAL_BASE.saturating_add(number),
                Reason::Signal,
            );
        }
        add(facts.unwatched, exit_code::FAILED, Reason::Unwatched);
        add(
            facts.counted_reports > 0,
            exit_code::CRASH_GATE,
            Reason::NewReports,
        );
        add(
            facts.crashed_without_report > 0,
            exit_code::CRASH_GATE,
            Reason::CrashWithoutReport,
        );
        add(
            facts.proof_missing,
            exit_code::NOT_LOADED,
            Reason::NotLoaded,
        );
        add(facts.lost_work > 0, exit_code::WORK_LOST, Reason::WorkLost);
        add(
            facts.hooks_undone > 0,
            exit_code::WORK_LOST,
            Reason::HooksUndone,
        );
        add(facts.bypasses > 0, exit_code::WORK_LOST, Reason::Bypassed);
        if let TargetEnding::Exited { code } = facts.ending {
            add(true, code, Reason::Target);
        }
        add(facts.known.reports > 0, exit_code::OK, Reason::KnownCrash);
        Self {
            exit_code: applied
                .first()
                .map_or(exit_code::FAILED, |first| first.code),
            applied,
        }
    }

    /// Whether `reason` applies.
    pub fn has(&self, reason: Reason) -> bool {
        self.applied.iter().any(|applied| applied.reason == reason)
    }

    /// Whether nothing but the target's own success applies.
    pub fn is_clean(&self) -> bool {
        self.exit_code == exit_code::OK && self.applied.len() == 1 && self.has(Reason::Target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAN: Facts = Facts {
        ending: TargetEnding::Exited { code: 0 },
        insertion_refusals: 0,
        timed_out: false,
        counted_reports: 0,
        known: Known {
            reports: 0,
            ending: None,
        },
        crashed_without_report: 0,
        lost_work: 0,
        hooks_undone: 0,
        bypasses: 0,
        proof_missing: false,
        unwatched: false,
    };

    fn code(facts: Facts) -> u8 {
        Verdict::of(&facts).exit_code
    }

    #[test]
    fn the_targets_own_status_passes_through() {
        for status in [0, 1, 2, 77, 86, 125, 255] {
            let ending = TargetEnding::Exited { code: status };
            assert_eq!(code(Facts { ending, ..CLEAN }), status);
        }
        assert!(Verdict::of(&CLEAN).is_clean());
    }

    #[test]
    fn new_reports_fail_a_run_whatever_the_target_returned() {
        for status in [0, 1, 3] {
            let ending = TargetEnding::Exited { code: status };
            assert_eq!(
                code(Facts {
                    ending,
                    counted_reports: 1,
                    ..CLEAN
                }),
                86
            );
        }
        assert_eq!(
            code(Facts {
                crashed_without_report: 1,
                ..CLEAN
            }),
            86
        );
    }

    #[test]
    fn a_signal_is_told_as_the_shell_tells_it_reports_or_not() {
        for (signal, expected) in [(6, 134), (9, 137), (11, 139), (10, 138)] {
            let ending = TargetEnding::Signaled { signal };
            assert_eq!(code(Facts { ending, ..CLEAN }), expected);
            let verdict = Verdict::of(&Facts {
                ending,
                counted_reports: 2,
                ..CLEAN
            });
            assert_eq!(verdict.exit_code, expected);
            assert!(verdict.has(Reason::NewReports), "both codes are named");
        }
    }

    #[test]
    fn a_time_out_comes_before_the_signal_that_it_sent() {
        let ending = TargetEnding::Signaled { signal: 15 };
        let verdict = Verdict::of(&Facts {
            ending,
            timed_out: true,
            ..CLEAN
        });
        assert_eq!(verdict.exit_code, 124);
        assert!(verdict.has(Reason::Signal));
        // A target that handles TERM and returns 0 has still run out of time.
        assert_eq!(
            code(Facts {
                timed_out: true,
                ..CLEAN
            }),
            124
        );
    }

    #[test]
    fn a_library_that_ends_the_target_is_our_failure_before_anything_else() {
        let verdict = Verdict::of(&Facts {
            ending: TargetEnding::Signaled { signal: 6 },
            insertion_refusals: 1,
            timed_out: true,
            counted_reports: 1,
            ..CLEAN
        });
        assert_eq!(verdict.exit_code, 125);
        assert_eq!(verdict.applied[0].reason, Reason::InsertionRefused);
        assert!(verdict.has(Reason::Signal) && verdict.has(Reason::NewReports));
        assert_eq!(
            code(Facts {
                insertion_refusals: 1,
                ..CLEAN
            }),
            125
        );
    }

    #[test]
    fn what_shows_a_way_past_the_hooks_fails_a_run_that_is_clean_otherwise() {
        let undone = Verdict::of(&Facts {
            hooks_undone: 1,
            ..CLEAN
        });
        assert_eq!(undone.exit_code, 87);
        assert!(undone.has(Reason::HooksUndone) && !undone.is_clean());
        let bypassed = Verdict::of(&Facts {
            bypasses: 1,
            counted_reports: 1,
            ..CLEAN
        });
        assert_eq!(bypassed.exit_code, 86, "the crash comes first");
        assert!(bypassed.has(Reason::Bypassed));
    }

    #[test]
    fn a_known_crash_fails_nothing_and_is_not_clean() {
        let known = |ending| Known { reports: 1, ending };
        let beside = Facts {
            known: known(None),
            ..CLEAN
        };
        let verdict = Verdict::of(&beside);
        assert_eq!(verdict.exit_code, 0);
        assert!(!verdict.is_clean() && verdict.has(Reason::KnownCrash));
        let ended = Facts {
            ending: TargetEnding::Signaled { signal: 11 },
            known: known(Some(11)),
            ..CLEAN
        };
        let verdict = Verdict::of(&ended);
        assert_eq!(verdict.exit_code, 0);
        assert!(!verdict.is_clean() && !verdict.has(Reason::Signal));
        // Whatever else there is counts as before.
        for (facts, expected) in [
            (
                Facts {
                    counted_reports: 1,
                    ..ended
                },
                86,
            ),
            (
                Facts {
                    lost_work: 1,
                    ..ended
                },
                87,
            ),
            (
                Facts {
                    proof_missing: true,
                    ..ended
                },
                88,
            ),
            (
                Facts {
                    timed_out: true,
                    ..ended
                },
                124,
            ),
            (
                Facts {
                    unwatched: true,
                    ..ended
                },
                125,
            ),
            (
                Facts {
                    known: known(None),
                    ..ended
                },
                139,
            ),
            (
                Facts {
                    ending: TargetEnding::Exited { code: 3 },
                    ..beside
                },
                3,
            ),
        ] {
            assert_eq!(code(facts), expected);
            assert!(Verdict::of(&facts).has(Reason::KnownCrash));
        }
    }

    #[test]
    fn could_not_watch_is_never_no_crash() {
        let verdict = Verdict::of(&Facts {
            unwatched: true,
            ..CLEAN
        });
        assert_eq!(verdict.exit_code, 125);
        assert!(!verdict.is_clean());
    }

    #[test]
    fn gates_rank_crash_then_proof_then_lost_work_then_the_targets_status() {
        let failing = TargetEnding::Exited { code: 1 };
        let all = Facts {
            ending: failing,
            counted_reports: 1,
            proof_missing: true,
            lost_work: 1,
            ..CLEAN
        };
        let verdict = Verdict::of(&all);
        let codes: Vec<u8> = verdict.applied.iter().map(|applied| applied.code).collect();
        assert_eq!(codes, [86, 88, 87, 1]);
        assert_eq!(
            code(Facts {
                lost_work: 7,
                ..CLEAN
            }),
            87
        );
        assert_eq!(
            code(Facts {
                proof_missing: true,
                lost_work: 1,
                ..CLEAN
            }),
            88
        );
    }
}

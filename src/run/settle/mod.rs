//! Step 6: how long to watch on after the target has ended.
//!
//! No fixed sleep. What is waited for follows from what is known of the processes: nothing, when
//! all are known to have ended cleanly; *its* report, for each that crashed; a while, when the
//! end of some cannot be told. The wait ends at the notification of a change, not at its limit.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde::Serialize;

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expected {
    /// Processes that a crash signal ended: a report is due for each.
    pub crashed: BTreeSet<i32>,
    /// Processes that are gone in the middle of a hooked call: a report may be due.
    pub suspects: BTreeSet<i32>,
    /// Processes that are gone outside of any hooked call, nobody knows how: killed, most often.
    /// A report of each ends the doubt about it.
    pub gone: BTreeSet<i32>,
    /// Why the end of processes that cannot be named cannot be told; `None` without such.
    pub doubt: Option<Doubt>,
}

impl Expected {
    /// The doubt that is left when the reports of these processes have come.
    fn doubt_after(&self, reported: &BTreeSet<i32>) -> Option<Doubt> {
        self.doubt.or_else(|| {
            let all_told = self.gone.is_subset(reported) && self.suspects.is_subset(reported);
            (!all_told).then_some(Doubt::Vanished)
        })
    }
}

/// Why the end of some processes cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// Processes with a ledger are gone without having closed it.
    Vanished,
    /// There were descendants, and no ledger to tell of them.
    UntracedDescendants,
    /// Whether there were descendants is not known.
    DescendantsUnknown,
    /// A ledger could not be read.
    UnreadableLedger,
}

/// What a look at the folders found, as far as settling cares.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Processes of which a whole report has appeared.
    pub reported: BTreeSet<i32>,
    /// Reports that are being written: hidden files that will be renamed, or half a file.
    pub pending: usize,
}

/// How long each kind of wait may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Where the end of some processes cannot be told.
    pub settle: Duration,
    /// For a report that is due.
    pub report_wait: Duration,
}

/// What is being waited for right now, for the progress line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waiting<'a> {
    /// The reports of these processes.
    Reports(&'a BTreeSet<i32>),
    /// Reports that are being written.
    Pending(usize),
    /// Nothing in particular.
    Doubt(Doubt),
}

/// How settling ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Settled {
    /// From the target's end to the end of settling, in seconds.
    pub seconds: f64,
    /// Why it took that long.
    pub reason: SettleReason,
    /// Processes whose report was due and did not come.
    pub missing: BTreeSet<i32>,
    /// Reports that were still being written at the end.
    pub pending: usize,
}

/// Why settling took as long as it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SettleReason {
    /// Every process is known to have ended cleanly.
    AllAccountedFor,
    /// Every report that was due has come.
    ReportsCame,
    /// A report that was due did not come in time.
    ReportMissing,
    /// The end of some processes cannot be told, and the time for that has passed.
    WatchedOn(Doubt),
}

/// Waits for what is due. `look` looks at the folders; `wait` blocks until they change or the
/// time given has passed; `elapsed` is the time since the target ended.
pub fn settle(
    expected: &Expected,
    limits: Limits,
    look: &mut dyn FnMut() -> Found,
    wait: &mut dyn FnMut(Duration, &Waiting<'_>),
    elapsed: &dyn Fn() -> Duration,
) -> Settled {
    loop {
        let found = look();
        let missing: BTreeSet<i32> = expected
            .crashed
            .difference(&found.reported)
            .copied()
            .collect();
        let suspects: BTreeSet<i32> = expected
            .suspects
            .difference(&found.reported)
            .copied()
            .collect();
        let doubt = expected.doubt_after(&found.reported);
        let (limit, waiting) = if !missing.is_empty() {
            (limits.report_wait, Waiting::Reports(&missing))
        } else if found.pending > 0 {
            (limits.report_wait, Waiting::Pending(found.pending))
        } else if !suspects.is_empty() {
            (limits.report_wait, Waiting::Reports(&suspects))
        } else if let Some(doubt) = doubt {
            (limits.settle, Waiting::Doubt(doubt))
        } else {
            (Duration::ZERO, Waiting::Pending(0))
        };
        let passed = elapsed();
        if passed < limit {
            wait(limit.saturating_sub(passed), &waiting);
            continue;
        }
        let reason = if !missing.is_empty() || found.pending > 0 {
            SettleReason::ReportMissing
        } else if let Some(doubt) = doubt {
            SettleReason::WatchedOn(doubt)
        } else if expected.crashed.is_empty() && found.reported.is_empty() {
            SettleReason::AllAccountedFor
        } else {
            SettleReason::ReportsCame
        };
        let pending = found.pending;
        return Settled {
            seconds: passed.as_secs_f64(),
            reason,
            missing,
            pending,
        };
    }
}

/// The clock of [`settle`] for a real run.
pub fn since(ended: Instant) -> impl Fn() -> Duration {
    move || ended.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    const LIMITS: Limits = Limits {
        settle: Duration::from_secs(1),
        report_wait: Duration::from_secs(30),
    };

    /// Settles against a script: what each look finds, the last one for ever; every wait takes
    /// `step`. Returns the result, the number of looks, and the time that passed.
    fn play(expected: &Expected, script: &[Found], step: Duration) -> (Settled, usize, Duration) {
        let clock = Cell::new(Duration::ZERO);
        let looks = Cell::new(0);
        let settled = settle(
            expected,
            LIMITS,
            &mut || {
                let at = looks.get().min(script.len() - 1);
                looks.set(looks.get() + 1);
                script[at].clone()
            },
            &mut |limit, _| clock.set(clock.get() + step.min(limit)),
            &|| clock.get(),
        );
        (settled, looks.get(), clock.get())
    }

    fn found(reported: &[i32], pending: usize) -> Found {
        Found {
            reported: reported.iter().copied().collect(),
            pending,
        }
    }

    fn crashed(pids: &[i32]) -> Expected {
        Expected {
            crashed: pids.iter().copied().collect(),
            ..Expected::default()
        }
    }

    const STEP: Duration = Duration::from_millis(100);

    #[test]
    fn nothing_due_takes_one_look_and_no_time() {
        let (settled, looks, time) = play(&Expected::default(), &[found(&[], 0)], STEP);
        assert_eq!(
            (settled.reason, looks, time),
            (SettleReason::AllAccountedFor, 1, Duration::ZERO)
        );
    }

    #[test]
    fn a_crash_waits_for_its_own_report_and_no_longer() {
        let script = [
            found(&[], 0),
            found(&[9], 0),
            found(&[9], 1),
            found(&[9, 7], 0),
        ];
        let (settled, looks, _) = play(&crashed(&[7]), &script, STEP);
        assert_eq!((settled.reason, looks), (SettleReason::ReportsCame, 4));
        assert!(settled.missing.is_empty());
    }

    #[test]
    fn a_report_that_never_comes_is_said_to_be_missing() {
        let (settled, _, time) = play(&crashed(&[7]), &[found(&[], 0)], STEP);
        assert_eq!(settled.reason, SettleReason::ReportMissing);
        assert_eq!(settled.missing, BTreeSet::from([7]));
        assert_eq!(time, LIMITS.report_wait);
    }

    #[test]
    fn a_report_in_the_making_is_waited_for_though_nothing_was_due() {
        let script = [found(&[], 1), found(&[], 1), found(&[12], 0)];
        let (settled, looks, _) = play(&Expected::default(), &script, STEP);
        assert_eq!((settled.reason, looks), (SettleReason::ReportsCame, 3));
    }

    #[test]
    fn doubt_watches_on_for_the_settle_time() {
        let doubt = Some(Doubt::UntracedDescendants);
        let expected = Expected {
            doubt,
            ..Expected::default()
        };
        let (settled, _, time) = play(&expected, &[found(&[], 0)], STEP);
        assert_eq!(
            settled.reason,
            SettleReason::WatchedOn(Doubt::UntracedDescendants)
        );
        assert_eq!(time, LIMITS.settle);
    }

    #[test]
    fn the_report_of_a_process_that_is_gone_ends_the_doubt_about_it() {
        let expected = Expected {
            gone: BTreeSet::from([5, 6]),
            ..Expected::default()
        };
        let script = [found(&[], 0), found(&[5], 0), found(&[5, 6], 0)];
        let (settled, looks, time) = play(&expected, &script, STEP);
        assert_eq!((settled.reason, looks), (SettleReason::ReportsCame, 3));
        assert!(time < LIMITS.settle);
        let (settled, _, time) = play(&expected, &[found(&[5], 0)], STEP);
        assert_eq!(settled.reason, SettleReason::WatchedOn(Doubt::Vanished));
        assert_eq!(time, LIMITS.settle);
    }

    #[test]
    fn a_suspect_is_waited_for_and_its_absence_is_no_missing_report() {
        let expected = Expected {
            suspects: BTreeSet::from([5]),
            ..Expected::default()
        };
        let (settled, _, time) = play(&expected, &[found(&[], 0)], STEP);
        assert!(settled.missing.is_empty());
        assert_eq!(time, LIMITS.report_wait);
    }
}

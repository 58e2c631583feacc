use std::sync::Mutex;

use proptest::prelude::*;

use super::*;
use crate::lock::Reentrant;

const LIMITS: Limits = Limits {
    warn_ms: 1_000,
    interval_ms: 5_000,
    timeout_ms: 7_000,
    abort: false,
};

fn all_due(schedule: &mut Schedule, waited_ms: u64) -> Vec<Due> {
    std::iter::from_fn(|| schedule.due(waited_ms)).collect()
}

#[test]
fn a_wait_is_told_at_its_times() {
    let mut schedule = Schedule::new(LIMITS);
    assert_eq!(schedule.next_ms(), Some(1_000));
    assert_eq!(all_due(&mut schedule, 999), []);
    assert_eq!(all_due(&mut schedule, 1_000), [Due::Warning]);
    assert_eq!(schedule.next_ms(), Some(6_000));
    assert_eq!(all_due(&mut schedule, 6_100), [Due::Reminder]);
    assert_eq!(schedule.next_ms(), Some(7_000));
    assert_eq!(all_due(&mut schedule, 7_000), [Due::TimedOut]);
    assert_eq!(schedule.next_ms(), Some(11_100));
    assert_eq!(
        all_due(&mut schedule, 60_000),
        [Due::Reminder],
        "one, not nine"
    );
}

#[test]
fn nothing_more_is_due_after_one_warning_without_interval_and_limit() {
    let mut schedule = Schedule::new(Limits {
        interval_ms: 0,
        timeout_ms: 0,
        ..LIMITS
    });
    assert_eq!(all_due(&mut schedule, 5_000), [Due::Warning]);
    assert_eq!(schedule.next_ms(), None);
    assert_eq!(all_due(&mut schedule, u64::MAX), []);
}

#[test]
fn both_are_due_after_a_long_sleep() {
    let mut schedule = Schedule::new(LIMITS);
    assert_eq!(
        all_due(&mut schedule, 3_600_000),
        [Due::Warning, Due::TimedOut]
    );
}

#[test]
fn sentences_name_the_threads() {
    let long = |due, abort| Report::Long {
        due,
        waiter: 12,
        holder: Some(34),
        waited_ms: 1_000,
        abort,
    };
    assert_eq!(
        long(Due::Warning, false).to_string(),
        "thread 12 has waited 1000 ms for the lock, which thread 34 holds"
    );
    assert!(
        long(Due::TimedOut, true)
            .to_string()
            .ends_with("the process is aborted (AGX_FIX_LOCK_ABORT_ON_TIMEOUT)")
    );
}

static TOLD: Mutex<Vec<Report>> = Mutex::new(Vec::new());

static WATCH: Watch = Watch::new(
    Limits {
        warn_ms: 5,
        interval_ms: 5,
        timeout_ms: 12,
        abort: false,
    },
    |report| TOLD.lock().expect("not poisoned").push(*report),
);

#[test]
fn a_long_wait_is_told_by_the_one_who_waits() {
    let lock = Reentrant::new(());
    lock.watch(&WATCH);
    lock.lock(1);
    let me = os::thread_id();
    std::thread::scope(|scope| {
        let lock = &lock;
        let waiter = scope.spawn(move || {
            lock.lock(2);
            // SAFETY: locked in the line above.
            unsafe { lock.unlock() };
            os::thread_id()
        });
        let timed_out = |report: &Report| {
            matches!(
                report,
                Report::Long {
                    due: Due::TimedOut,
                    ..
                }
            )
        };
        while !TOLD.lock().expect("not poisoned").iter().any(timed_out) {
            std::thread::yield_now();
        }
        // SAFETY: locked above.
        unsafe { lock.unlock() };
        let waiter_id = waiter.join().expect("no panic");
        let told = TOLD.lock().expect("not poisoned");
        let (last, rest) = told.split_last().expect("told");
        assert!(matches!(last, Report::Over { waited_ms: 12.. }), "{last:?}");
        for report in rest {
            let Report::Long { waiter, holder, .. } = report else {
                panic!("{report:?} in the middle");
            };
            assert_eq!((*waiter, *holder), (waiter_id, Some(me)));
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// However late the waiter wakes: one warning, which comes first, at most one error, and never before their times.
    #[test]
    fn a_schedule_keeps_its_limits(
        warn_ms in 0_u64..3_000, interval_ms in 0_u64..3_000, timeout_ms in 0_u64..3_000,
        sleeps in prop::collection::vec(0_u64..5_000, 1..20),
    ) {
        let mut schedule = Schedule::new(Limits { warn_ms, interval_ms, timeout_ms, abort: false });
        let (mut waited, mut warned, mut timed_out) = (0, None, None);
        for late in sleeps {
            let Some(next) = schedule.next_ms() else { break };
            waited = next.max(waited) + late;
            let due = all_due(&mut schedule, waited);
            prop_assert!(!due.is_empty(), "woken for nothing");
            for due in due {
                match due {
                    Due::Warning => {
                        prop_assert_eq!(warned, None);
                        prop_assert!(waited >= warn_ms);
                        warned = Some(waited);
                    }
                    Due::Reminder => {
                        let before = warned.expect("a warning comes first");
                        prop_assert!(interval_ms != 0 && waited >= before + interval_ms);
                        warned = Some(waited);
                    }
                    Due::TimedOut => {
                        prop_assert_eq!(timed_out, None);
                        prop_assert!(timeout_ms != 0 && waited >= timeout_ms);
                        timed_out = Some(waited);
                    }
                }
            }
        }
        if timeout_ms != 0 && waited >= timeout_ms {
            prop_assert!(timed_out.is_some(), "waited {waited}, limit {timeout_ms}");
        }
    }
}

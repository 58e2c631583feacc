//! What is done about long waits for a lock, where `AGX_FIX_DEADLOCK_DETECT` asks for it.

use std::fmt;

use crate::os::{self, NEVER};
use crate::sync::{AtomicU64, Ordering, constant};

/// What the variables say. Milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `AGX_FIX_LOCK_WARN_MS`: a wait of this length is told.
    pub warn_ms: u64,
    /// `AGX_FIX_LOCK_LOG_INTERVAL_MS`: it is told again after each such time; 0 for once only.
    pub interval_ms: u64,
    /// `AGX_FIX_LOCK_TIMEOUT_MS`: a wait of this length is an error; 0 for none.
    pub timeout_ms: u64,
    /// `AGX_FIX_LOCK_ABORT_ON_TIMEOUT`: the error ends the process.
    pub abort: bool,
}

impl Limits {
    /// The published defaults.
    pub const DEFAULT: Self = Self {
        warn_ms: 1_000,
        interval_ms: 5_000,
        timeout_ms: 0,
        abort: false,
    };
}

/// What is due at some point of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// The first warning.
    Warning,
    /// A further one.
    Reminder,
    /// The error.
    TimedOut,
}

/// What one wait has led to, and will.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    limits: Limits,
    /// When the next warning comes.
    warn_at: Option<u64>,
    warned: bool,
    timed_out: bool,
}

impl Schedule {
    /// A wait that begins.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            warn_at: Some(limits.warn_ms),
            warned: false,
            timed_out: false,
        }
    }

    /// What is due when so much of the wait is over; to be asked until there is nothing.
    ///
    /// Reminders that were slept through (a machine that was suspended, a stopped process) are not made up for.
    pub fn due(&mut self, waited_ms: u64) -> Option<Due> {
        if self.warn_at.is_some_and(|at| waited_ms >= at) {
            let interval = self.limits.interval_ms;
            self.warn_at = (interval != 0).then(|| waited_ms.saturating_add(interval));
            let first = !self.warned;
            self.warned = true;
            return Some(if first { Due::Warning } else { Due::Reminder });
        }
        if self.is_limited() && waited_ms >= self.limits.timeout_ms {
            self.timed_out = true;
            return Some(Due::TimedOut);
        }
        None
    }

    /// How much of the wait will be over when something is due next; `None` if nothing is any more.
    pub fn next_ms(&self) -> Option<u64> {
        let timeout = self.is_limited().then_some(self.limits.timeout_ms);
        [self.warn_at, timeout].into_iter().flatten().min()
    }

    fn is_limited(&self) -> bool {
        self.limits.timeout_ms != 0 && !self.timed_out
    }
}

/// What a watch tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// The wait is long.
    Long {
        /// What is due; never [`Due::TimedOut`] with `abort`.
        due: Due,
        /// The thread that waits.
        waiter: u64,
        /// The thread that had the lock a moment ago, if it is known.
        holder: Option<u64>,
        /// Length of the wait so far.
        waited_ms: u64,
        /// Whether the process is to end for it.
        abort: bool,
    },
    /// The wait is over.
    Over {
        /// Its length.
        waited_ms: u64,
    },
}

impl fmt::Display for Report {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Over { waited_ms } => write!(to, "waited {waited_ms} ms for the lock"),
            Self::Long {
                due,
                waiter,
                holder,
                waited_ms,
                abort,
            } => {
                let error = if due == Due::TimedOut { "error: " } else { "" };
                write!(
                    to,
                    "{error}thread {waiter} has waited {waited_ms} ms for the lock, "
                )?;
                match holder {
                    Some(holder) => write!(to, "which thread {holder} holds")?,
                    None => write!(to, "whose holder is not known")?,
                }
                match (due, abort) {
                    (Due::TimedOut, true) => {
                        write!(
                            to,
                            "; the process is aborted (AGX_FIX_LOCK_ABORT_ON_TIMEOUT)"
                        )
                    }
                    (Due::TimedOut, false) => write!(
                        to,
                        "; it goes on waiting (AGX_FIX_LOCK_ABORT_ON_TIMEOUT=1 aborts instead)"
                    ),
                    _ => Ok(()),
                }
            }
        }
    }
}

/// Limits, and whom to tell. Told on the thread that waits, which does not have the lock; [`Report::Over`] where it has.
pub struct Watch {
    limits: Limits,
    tell: fn(&Report),
}

impl Watch {
    /// A watch over waits.
    pub const fn new(limits: Limits, tell: fn(&Report)) -> Self {
        Self { limits, tell }
    }

    /// Waits for a lock of any kind, telling on the way; whether it was had.
    ///
    /// `lock_until` waits until a time of [`os::monotonic_ns`] ([`NEVER`]: for ever) and says whether it has the lock;
    /// `holder` is the system's id of the thread that has it. The wait ends at the deadline, whatever the limits are.
    pub fn wait(
        &self,
        deadline_ns: u64,
        lock_until: impl Fn(u64) -> bool,
        holder: impl Fn() -> Option<u64>,
    ) -> bool {
        let started = os::monotonic_ns();
        let waited_ms = || os::monotonic_ns().saturating_sub(started) / 1_000_000;
        let mut schedule = Schedule::new(self.limits);
        loop {
            let next = schedule.next_ms().map_or(NEVER, |next_ms| {
                started.saturating_add(next_ms.saturating_mul(1_000_000))
            });
            if lock_until(next.min(deadline_ns)) {
                (self.tell)(&Report::Over {
                    waited_ms: waited_ms(),
                });
                return true;
            }
            let waited_ms = waited_ms();
            while let Some(due) = schedule.due(waited_ms) {
                (self.tell)(&Report::Long {
                    due,
                    waiter: os::thread_id(),
                    holder: holder(),
                    waited_ms,
                    abort: due == Due::TimedOut && self.limits.abort,
                });
            }
            if deadline_ns != NEVER && os::monotonic_ns() >= deadline_ns {
                (self.tell)(&Report::Over { waited_ms });
                return false;
            }
        }
    }
}

/// The system's id of the thread that holds a lock, for others to read.
pub struct Holder(AtomicU64);

impl Holder {
    constant! {
        /// Nobody.
        pub fn new() -> Self {
            Self(AtomicU64::new(0))
        }
    }

    /// The thread, at some moment just now.
    pub fn get(&self) -> Option<u64> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            thread => Some(thread),
        }
    }

    /// This thread has the lock now.
    pub fn set(&self, thread: u64) {
        self.0.store(thread, Ordering::Relaxed);
    }

    /// The thread that has the lock is about to give it back.
    pub fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

#[cfg(all(test, not(loom)))]
#[path = "watch_tests.rs"]
mod tests;

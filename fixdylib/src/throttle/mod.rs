//! At most so many command buffers in flight: committed, and not complete (`AGX_FIX_MAX_INFLIGHT`).
//!
//! A commit beyond that waits until an earlier one is complete, in the order of arrival, and at most for the throttle's
//! patience (`AGX_FIX_THROTTLE_WAIT_MS`): a program may need more in flight to make progress, as one whose buffer waits for
//! an event that a later buffer signals.

mod slots;

use crate::lock::Plain;
use crate::os::{self, EventCount};
use crate::sync::{AtomicU32, AtomicU64, Ordering, array, constant};

use slots::{Arrival, Slots, Ticket};

/// How a commit was admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// There was room.
    AtOnce,
    /// It waited so many milliseconds for another to be complete.
    Waited(u64),
    /// It goes although as many as are allowed are in flight: its patience was over, or too many wait.
    LetThrough,
}

/// Bounds the command buffers in flight. Allocates nothing.
///
/// Follows `BUFFERS` (a power of two) in flight, and lets `WAITERS` commits wait at once; what is beyond goes. Those who wait
/// sleep on one of `COUNTS` counts, so that a completion wakes few besides the one it is for.
pub struct Throttle<
    const BUFFERS: usize = 1024,
    const WAITERS: usize = 256,
    const COUNTS: usize = 32,
> {
    limit: AtomicU32,
    patience_ms: AtomicU64,
    slots: Plain<Slots<BUFFERS, WAITERS>>,
    admitted: [EventCount; COUNTS],
}

impl<const BUFFERS: usize, const WAITERS: usize, const COUNTS: usize>
    Throttle<BUFFERS, WAITERS, COUNTS>
{
    constant! {
        /// At most `limit` in flight (0: no limit), and no commit that waits longer than the patience.
        pub fn new(limit: u32, patience_ms: u64) -> Self {
            Self {
                limit: AtomicU32::new(limit),
                patience_ms: AtomicU64::new(patience_ms),
                slots: Plain::new(Slots::new()),
                admitted: array![EventCount::new(); COUNTS],
            }
        }
    }

    /// Sets what [`Self::new`] takes. Before the first commit.
    pub fn configure(&self, limit: u32, patience_ms: u64) {
        self.patience_ms.store(patience_ms, Ordering::Relaxed);
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// Whether there is a limit.
    pub fn is_on(&self) -> bool {
        self.limit.load(Ordering::Relaxed) != 0
    }

    /// To be called before the commit of the command buffer at this address, with no lock held that a completion, or the
    /// program's code that leads to one, could need.
    pub fn admit(&self, buffer: u64) -> Admitted {
        let limit = self.limit.load(Ordering::Relaxed);
        if limit == 0 {
            return Admitted::AtOnce;
        }
        match self.slots.with(|slots| slots.arrive(buffer, limit)) {
            Arrival::Goes => Admitted::AtOnce,
            Arrival::NoRoom => Admitted::LetThrough,
            Arrival::Waits(ticket) => self.wait(ticket),
        }
    }

    #[cold]
    fn wait(&self, ticket: Ticket) -> Admitted {
        let started = os::monotonic_ns();
        let patience_ns = self
            .patience_ms
            .load(Ordering::Relaxed)
            .saturating_mul(1_000_000);
        // One before the deadline that would be none.
        let deadline = started.saturating_add(patience_ns).min(os::NEVER - 1);
        let admitted = self.count(ticket);
        loop {
            let seen = admitted.read();
            if !self.slots.with(|slots| slots.is_waiting(ticket)) {
                break;
            }
            if !admitted.wait_past(seen, deadline) {
                if self.slots.with(|slots| slots.give_up(ticket)) {
                    return Admitted::LetThrough;
                }
                break;
            }
        }
        Admitted::Waited(os::monotonic_ns().saturating_sub(started) / 1_000_000)
    }

    /// The command buffer at this address is complete, or will never be: its place is free. Any other address is ignored.
    pub fn completed(&self, buffer: u64) {
        let limit = self.limit.load(Ordering::Relaxed);
        if limit == 0 {
            return;
        }
        if let Some(ticket) = self.slots.with(|slots| slots.complete(buffer, limit)) {
            self.count(ticket).advance();
        }
    }

    fn count(&self, ticket: Ticket) -> &EventCount {
        &self.admitted[ticket.0 as usize % COUNTS]
    }

    /// Command buffers in flight, as far as they are followed.
    pub fn in_flight(&self) -> u32 {
        self.slots.with(|slots| slots.in_flight())
    }

    /// The most that were in flight at once.
    pub fn most(&self) -> u32 {
        self.slots.with(|slots| slots.most())
    }

    /// In the child of a `fork`, whose parent's command buffers are not its own. Async-signal-safe.
    pub fn reset_after_fork(&self) {
        self.slots.reset_after_fork(Slots::reset);
        for count in &self.admitted {
            count.reset_after_fork();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;

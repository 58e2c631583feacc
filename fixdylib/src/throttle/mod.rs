//! At most so many command buffers in flight: committed, and not complete (`AGX_FIX_MAX_INFLIGHT`).
//!
//! A commit beyond that waits until an earlier one is complete, in the order of arrival, and at most for the throttle's
//! patience (`AGX_FIX_THROTTLE_WAIT_MS`): a program may need more in flight to make progress, as one whose buffer waits for
//! an event that a later buffer signals.
//!
//! Completions are announced ([`Throttle::completed`]). A buffer of which none will be is asked instead, by the commits that
//! wait for room; the throttle keeps it retained until it has answered, so that there is something to ask.

mod asking;
mod slots;

use crate::lock::Plain;
use crate::os::{self, EventCount};
use crate::sync::{AtomicU32, AtomicU64, Ordering, array, constant};
use std::mem::forget;

pub use asking::Ask;
#[cfg(any(test, loom))]
pub use asking::Nobody;
use slots::{Arrival, Freed, Slots, Ticket};

/// How often a commit that waits asks those in flight of which no completion is announced: there is no event to wait for. A
/// message to each is far less than a thousandth of that time, and command buffers run for longer than that.
const ASK_EVERY_NS: u64 = 1_000_000;

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
    /// program's code that leads to one, could need. `announced` if [`Self::completed`] will be called for it; others are
    /// asked through `ask`.
    ///
    /// What `ask` throws passes through, and the commit then takes no place.
    pub fn admit(&self, buffer: u64, announced: bool, ask: &impl Ask) -> Admitted {
        let limit = self.limit.load(Ordering::Relaxed);
        if limit == 0 {
            return Admitted::AtOnce;
        }
        let arrival = self.slots.with(|slots| {
            if !announced {
                slots.will_ask();
            }
            slots.arrive(buffer, limit)
        });
        let admitted = match arrival {
            Arrival::Goes => Admitted::AtOnce,
            Arrival::NoRoom => Admitted::LetThrough,
            Arrival::Waits(ticket) => self.wait(ticket, buffer, ask),
        };
        if !announced && ask.hold(buffer) && !self.slots.with(|slots| slots.ask(buffer)) {
            ask.let_go(buffer);
        }
        admitted
    }

    #[cold]
    fn wait(&self, ticket: Ticket, buffer: u64, ask: &impl Ask) -> Admitted {
        let started = os::monotonic_ns();
        let patience_ns = self
            .patience_ms
            .load(Ordering::Relaxed)
            .saturating_mul(1_000_000);
        // One before the deadline that would be none.
        let deadline = started.saturating_add(patience_ns).min(os::NEVER - 1);
        let admitted = self.count(ticket);
        let queued = Queued {
            throttle: self,
            ticket,
            buffer,
            ask,
        };
        loop {
            let seen = admitted.read();
            if !self.slots.with(|slots| slots.is_waiting(ticket)) {
                break;
            }
            let until = if self.slots.with(|slots| slots.asks()) {
                self.ask_all(ask);
                deadline.min(os::monotonic_ns().saturating_add(ASK_EVERY_NS))
            } else {
                deadline
            };
            if !admitted.wait_past(seen, until) && os::monotonic_ns() >= deadline {
                if self.slots.with(|slots| slots.give_up(ticket)) {
                    forget(queued);
                    return Admitted::LetThrough;
                }
                break;
            }
        }
        forget(queued);
        Admitted::Waited(os::monotonic_ns().saturating_sub(started) / 1_000_000)
    }

    /// The command buffer at this address is complete, or will never be: its place is free. Any other address is ignored.
    pub fn completed(&self, buffer: u64, ask: &impl Ask) {
        let limit = self.limit.load(Ordering::Relaxed);
        if limit != 0 {
            let freed = self.slots.with(|slots| slots.complete(buffer, limit));
            self.pass_on(freed, buffer, limit, ask);
        }
    }

    /// A place is free: wakes who may go for it, and gives the retain of the buffer that had it back.
    fn pass_on(&self, freed: Freed, buffer: u64, limit: u32, ask: &impl Ask) {
        let mut next = freed.next;
        while let Some(ticket) = next {
            self.count(ticket).advance();
            next = self.slots.with(|slots| slots.admit_next(limit));
        }
        if freed.let_go {
            ask.let_go(buffer);
        }
    }

    fn count(&self, ticket: Ticket) -> &EventCount {
        &self.admitted[ticket.0 as usize % COUNTS]
    }

    /// Command buffers in flight, as far as they are followed.
    #[allow(dead_code)] // asked by tests; the library tells the most
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

/// A commit in the queue. Dropped where something that was asked threw: the commit will not be made.
struct Queued<'a, A: Ask, const BUFFERS: usize, const WAITERS: usize, const COUNTS: usize> {
    throttle: &'a Throttle<BUFFERS, WAITERS, COUNTS>,
    ticket: Ticket,
    buffer: u64,
    ask: &'a A,
}

impl<A: Ask, const BUFFERS: usize, const WAITERS: usize, const COUNTS: usize> Drop
    for Queued<'_, A, BUFFERS, WAITERS, COUNTS>
{
    fn drop(&mut self) {
        // Either way it has a place now.
        self.throttle.slots.with(|slots| slots.give_up(self.ticket));
        self.throttle.completed(self.buffer, self.ask);
    }
}

#[cfg(all(test, not(loom)))]
mod tests;

//! Rings of events, one for each thread that calls a hooked method.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use agx_ledger::Counter;
use agx_ledger::layout::{BODY, EventRecord, RING_CAPACITY, RING_EVENTS, RING_STRIDE, RingHeader};

use super::{count, header, whole};
use crate::{clock, os};

/// What this thread keeps. Without a destructor, so that a hooked call is safe while other destructors run.
pub struct Thread {
    ring: Cell<*mut RingHeader>,
    asked: Cell<bool>,
}

thread_local! {
    static THREAD: Thread = const { Thread { ring: Cell::new(ptr::null_mut()), asked: Cell::new(false) } };
}

/// The key whose destructor frees a thread's ring.
static KEY: OnceLock<Option<libc::pthread_key_t>> = OnceLock::new();

/// The calling thread's state. Its address identifies the thread among the living.
#[inline]
pub fn thread() -> *const Thread {
    THREAD.with(ptr::from_ref)
}

/// Forks that led to this process, of which a call remembers the low eight bits.
static GENERATION: AtomicU8 = AtomicU8::new(0);

/// One call in the ring: where its event stands, and by what to know that it is still that event.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The event; null for none.
    pub event: *mut EventRecord,
    /// Low half of the event's number.
    pub number: u32,
    /// In the child of a `fork`, a call that was open across it has its event in the parent's ring, which is not mapped.
    pub generation: u8,
}

impl Entry {
    const NONE: Self = Self {
        event: ptr::null_mut(),
        number: 0,
        generation: 0,
    };

    #[inline]
    fn is_gone(self) -> bool {
        self.event.is_null() || self.generation != GENERATION.load(Ordering::Relaxed)
    }

    /// Records how far a call came.
    #[inline]
    pub fn mark(self, phase: u32) {
        if self.is_gone() {
            return;
        }
        // SAFETY: an entry is used on the thread that made it, while that thread has the ring.
        let record = unsafe { &*self.event };
        // Many nested calls may have gone round the ring.
        if record.number.load(Ordering::Relaxed) as u32 == self.number {
            record.phase.store(phase, Ordering::Release);
        }
    }

    /// Records that a call is over.
    #[inline]
    pub fn end(self, phase: u32) {
        if self.is_gone() {
            return;
        }
        self.mark(phase);
        let index = self.number.wrapping_sub(1) as usize % RING_EVENTS;
        // SAFETY: the event with this number stands at this index of its ring, whose header comes before the first.
        let depth = unsafe { &(*self.event.sub(index).cast::<RingHeader>().sub(1)).depth };
        depth.store(
            depth.load(Ordering::Relaxed).saturating_sub(1),
            Ordering::Relaxed,
        );
    }
}

impl Thread {
    /// Records that a call begins, in one of the phases.
    #[inline]
    pub fn begin(&self, slot: u32, object: u64, phase: u32) -> Entry {
        let mut ring = self.ring.get();
        if ring.is_null() {
            ring = self.claim();
            if ring.is_null() {
                return uncounted();
            }
        }
        // SAFETY: a claimed ring stays mapped for as long as the thread has it, and only this thread writes to it.
        let head = unsafe { &*ring };
        let number = head.head.load(Ordering::Relaxed);
        let index = number as usize % RING_EVENTS;
        // SAFETY: a ring is a header followed by `RING_EVENTS` events.
        let event = unsafe { ring.add(1).cast::<EventRecord>().add(index) };
        // SAFETY: as above.
        let record = unsafe { &*event };
        let number = number.wrapping_add(1);
        record.number.store(number, Ordering::Relaxed);
        record.ticks.store(clock::stamp(), Ordering::Relaxed);
        record.object.store(object, Ordering::Relaxed);
        record.slot.store(slot, Ordering::Relaxed);
        record.phase.store(phase, Ordering::Relaxed);
        head.head.store(number, Ordering::Release);
        let (calls, depth) = (&head.calls, &head.depth);
        calls.store(
            calls.load(Ordering::Relaxed).wrapping_add(1),
            Ordering::Relaxed,
        );
        depth.store(
            depth.load(Ordering::Relaxed).wrapping_add(1),
            Ordering::Relaxed,
        );
        Entry {
            event,
            number: number as u32,
            generation: GENERATION.load(Ordering::Relaxed),
        }
    }

    #[cold]
    #[inline(never)]
    fn claim(&self) -> *mut RingHeader {
        if self.asked.get() {
            return ptr::null_mut();
        }
        let Some(start) = whole() else {
            return ptr::null_mut();
        };
        self.asked.set(true);
        // Rings that nobody has used come first, so that a dead thread's last events stay as long as they can.
        for reuse in [false, true] {
            for index in 0..RING_CAPACITY {
                // SAFETY: the body holds `RING_CAPACITY` rings from `BODY.rings` on.
                let ring = unsafe {
                    start
                        .add(BODY.rings + index * RING_STRIDE)
                        .cast::<RingHeader>()
                };
                // SAFETY: the mapping is aligned to pages and the offsets to eight bytes.
                let head = unsafe { &*ring };
                if !reuse && head.thread.load(Ordering::Relaxed) != 0 {
                    continue;
                }
                if head
                    .owned
                    .compare_exchange(0, 1, Ordering::AcqRel, Ordering::Relaxed)
                    .is_ok()
                {
                    wipe(ring);
                    head.thread.store(os::thread_id(), Ordering::Release);
                    header()
                        .rings_at
                        .used
                        .fetch_max(u32::try_from(index + 1).unwrap_or(0), Ordering::Release);
                    self.ring.set(ring);
                    give_back_at_exit(ring);
                    return ring;
                }
            }
        }
        ptr::null_mut()
    }
}

/// A call of a thread without a ring.
#[cold]
fn uncounted() -> Entry {
    count(Counter::MethodCalls, 1);
    count(Counter::DroppedEvents, 1);
    Entry::NONE
}

/// Removes the events of the thread that had the ring before; its calls stay counted.
fn wipe(ring: *mut RingHeader) {
    // SAFETY: the ring was just claimed by this thread.
    let head = unsafe { &*ring };
    head.head.store(0, Ordering::Relaxed);
    head.depth.store(0, Ordering::Relaxed);
    for index in 0..RING_EVENTS {
        // SAFETY: a ring is a header followed by `RING_EVENTS` events.
        unsafe {
            (*ring.add(1).cast::<EventRecord>().add(index))
                .number
                .store(0, Ordering::Relaxed);
        }
    }
}

/// Makes the key. Called before the first hook is installed, so that no `fork` can come in between.
pub fn prepare() {
    KEY.get_or_init(|| {
        let mut key = 0;
        // SAFETY: `key` is valid for a write; the destructor has the right type.
        (unsafe { libc::pthread_key_create(&raw mut key, Some(give_back)) } == 0).then_some(key)
    });
}

fn give_back_at_exit(ring: *mut RingHeader) {
    if let Some(Some(key)) = KEY.get() {
        // SAFETY: the key exists. If there is no memory for the value, the ring stays with the dead thread.
        unsafe { libc::pthread_setspecific(*key, ring.cast()) };
    }
}

/// Runs when a thread ends. A hooked call in a later destructor claims a ring again, and the key is set again.
extern "C" fn give_back(ring: *mut c_void) {
    THREAD.with(|thread| {
        // After a fork the value may be the parent's ring, which is no longer mapped: only the current one is ours.
        if ptr::eq(thread.ring.get(), ring.cast()) && !ring.is_null() {
            thread.ring.set(ptr::null_mut());
            thread.asked.set(false);
            // SAFETY: the ring is this thread's and mapped.
            unsafe {
                (*ring.cast::<RingHeader>())
                    .owned
                    .store(0, Ordering::Release);
            }
        }
    });
}

/// In the child of a `fork`: the parent's ring is not this thread's. Calls that are open across the fork are not
/// recorded as over: their entries belong to the parent's file.
pub fn forget() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    THREAD.with(|thread| {
        thread.ring.set(ptr::null_mut());
        thread.asked.set(false);
    });
}

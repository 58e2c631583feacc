//! Rings of events, one for each thread that calls a hooked method.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use agx_ledger::Counter;
use agx_ledger::layout::{
    BODY, EventRecord, RING_CAPACITY, RING_EVENTS, RING_STRIDE, RingHeader, event_phase,
};

use super::{count, header, whole};
use crate::{arch, os};

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

/// One call in the ring: where its event stands and which number it has.
#[derive(Clone, Copy)]
pub struct Entry {
    event: *mut EventRecord,
    number: u64,
}

impl Entry {
    /// No event.
    pub const NONE: Self = Self {
        event: ptr::null_mut(),
        number: 0,
    };
}

impl Thread {
    /// Records that a call begins to wait for the lock.
    #[inline]
    pub fn begin(&self, slot: u32, object: u64) -> Entry {
        let mut ring = self.ring.get();
        if ring.is_null() {
            ring = self.claim();
            if ring.is_null() {
                count(Counter::MethodCalls, 1);
                count(Counter::DroppedEvents, 1);
                return Entry::NONE;
            }
        }
        // SAFETY: a claimed ring stays mapped for as long as the thread has it, and only this thread writes to it.
        let head = unsafe { &*ring };
        let number = head.head.load(Ordering::Relaxed);
        let index = usize::try_from(number % RING_EVENTS as u64).unwrap_or(0); // below RING_EVENTS
        // SAFETY: a ring is a header followed by `RING_EVENTS` events.
        let event = unsafe { ring.add(1).cast::<EventRecord>().add(index) };
        // SAFETY: as above.
        let record = unsafe { &*event };
        record.number.store(number + 1, Ordering::Relaxed);
        record.ticks.store(arch::ticks(), Ordering::Relaxed);
        record.object.store(object, Ordering::Relaxed);
        record.slot.store(slot, Ordering::Relaxed);
        record.phase.store(event_phase::WAITING, Ordering::Relaxed);
        head.head.store(number + 1, Ordering::Release);
        head.calls
            .store(head.calls.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        head.depth
            .store(head.depth.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        Entry {
            event,
            number: number + 1,
        }
    }

    /// Records how far a call came.
    #[inline]
    pub fn mark(entry: Entry, phase: u32) {
        if entry.event.is_null() {
            return;
        }
        // SAFETY: an entry is used on the thread that made it, while that thread has the ring.
        let record = unsafe { &*entry.event };
        // Many nested calls may have gone round the ring.
        if record.number.load(Ordering::Relaxed) == entry.number {
            record.phase.store(phase, Ordering::Release);
        }
    }

    /// Records that a call is over.
    #[inline]
    pub fn end(&self, entry: Entry, phase: u32) {
        let ring = self.ring.get();
        // A call that was open across a fork has its entry in the parent's ring, which the child does not map.
        let distance = (entry.event as usize).wrapping_sub(ring as usize);
        if ring.is_null() || distance >= RING_STRIDE {
            return;
        }
        Self::mark(entry, phase);
        // SAFETY: the ring is this thread's.
        let depth = unsafe { &(*ring).depth };
        depth.store(
            depth.load(Ordering::Relaxed).saturating_sub(1),
            Ordering::Relaxed,
        );
    }

    #[cold]
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
    THREAD.with(|thread| {
        thread.ring.set(ptr::null_mut());
        thread.asked.set(false);
    });
}

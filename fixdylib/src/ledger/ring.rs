//! Rings of events, one for each thread that calls a hooked method.

mod entry;

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};

use agx_ledger::Counter;
use agx_ledger::layout::{
    BODY, EventRecord, NO_LOCK, RING_CAPACITY, RING_EVENTS, RING_STRIDE, RingHeader, STAMP_EVERY,
    event_phase,
};

use super::{count, count_locked, header, whole};
use crate::{clock, os};

pub use entry::Entry;

/// What this thread keeps. Without a destructor, so that a hooked call is safe while other destructors run.
pub struct Thread {
    ring: Cell<*mut RingHeader>,
    /// The ring's first event; null where events are not kept.
    events: Cell<*mut EventRecord>,
    /// See [`Thread::owner`]; 0 before the first call.
    owner: Cell<u64>,
    asked: Cell<bool>,
}

thread_local! {
    static THREAD: Thread = const {
        Thread {
            ring: Cell::new(ptr::null_mut()),
            events: Cell::new(ptr::null_mut()),
            owner: Cell::new(0),
            asked: Cell::new(false),
        }
    };
}

/// The head of a ring in cache lines of its own, as in the file.
#[repr(align(128))]
struct Unfiled(RingHeader);

/// Heads of rings for a process without a file, or whose file has no room for them.
static UNFILED: [Unfiled; RING_CAPACITY] = [const {
    Unfiled(RingHeader {
        thread: AtomicU64::new(0),
        calls: AtomicU64::new(0),
        head: AtomicU64::new(0),
        depth: AtomicU32::new(0),
        owned: AtomicU32::new(0),
        acquisitions: AtomicU64::new(0),
        ticks: AtomicU64::new(0),
        holds: AtomicU32::new(0),
        waits: AtomicU32::new(0),
    })
}; RING_CAPACITY];
/// Events are not wanted (`AGX_FIX_EVENTS=0`).
static SILENT: AtomicBool = AtomicBool::new(false);
/// The key whose destructor frees a thread's ring.
static KEY: OnceLock<Option<libc::pthread_key_t>> = OnceLock::new();
/// Threads that were given a number.
static SERIAL: AtomicU64 = AtomicU64::new(0);
/// The number of the living thread that has the ring at this place; 0 for none.
static LIVING: [AtomicU64; RING_CAPACITY] = [const { AtomicU64::new(0) }; RING_CAPACITY];
/// Low bits of a thread's number: the place of its ring, or this.
const NO_RING: u64 = 0xff;
const _: () = assert!(RING_CAPACITY <= NO_RING as usize);

/// Keeps no events from now on. Called before the first hook is installed.
pub fn keep_no_events() {
    SILENT.store(true, Ordering::Relaxed);
}

/// Whether a thread lives, by [`Thread::owner`]. One without a ring counts as living.
pub fn is_alive(owner: u64) -> bool {
    LIVING
        .get((owner & NO_RING) as usize)
        .is_none_or(|living| living.load(Ordering::SeqCst) == owner)
}

/// The ring at this place.
fn ring_at(place: usize) -> *mut RingHeader {
    match whole() {
        // SAFETY: the body holds `RING_CAPACITY` rings from `BODY.rings` on.
        Some(start) => unsafe { start.add(BODY.rings + place * RING_STRIDE).cast() },
        None => (&raw const UNFILED[place].0).cast_mut(),
    }
}

/// Calls, and outermost acquisitions of locks, that the rings have counted.
pub fn totals() -> (u64, u64) {
    let mut totals = (0_u64, 0_u64);
    for place in 0..RING_CAPACITY {
        // SAFETY: a ring stays mapped, or is static.
        let ring = unsafe { &*ring_at(place) };
        let calls = ring.calls.load(Ordering::Relaxed);
        totals.0 += calls.wrapping_add(ring.head.load(Ordering::Relaxed));
        totals.1 += ring.acquisitions.load(Ordering::Relaxed);
    }
    totals
}

/// The calling thread's state. Its address identifies the thread among the living.
#[inline]
pub fn thread() -> *const Thread {
    THREAD.with(ptr::from_ref)
}

/// Forks that led to this process, of which a call remembers the low eight bits.
static GENERATION: AtomicU8 = AtomicU8::new(0);

/// The event that comes next, of the thread that asked for it.
pub struct Next<'a> {
    head: &'a RingHeader,
    /// Null where events are not kept.
    events: *mut EventRecord,
    last: u64,
}

impl Next<'_> {
    /// [`Thread::begin`].
    #[inline]
    pub fn begin(self, slot: u32, object: u64, outermost: bool) -> Entry {
        if outermost {
            acquired(self.head);
        }
        if self.events.is_null() {
            bump(&self.head.calls);
            return Entry::NONE;
        }
        record(self.head, self.events, self.last, slot, object)
    }
}

/// The ring's thread has taken the lock that every call shares.
#[inline]
fn acquired(head: &RingHeader) {
    bump(&head.acquisitions);
    head.holds.store(1, Ordering::Relaxed);
}

/// Writes the event after the one with the number `last`. Only the ring's thread may.
#[inline]
fn record(head: &RingHeader, events: *mut EventRecord, last: u64, slot: u32, object: u64) -> Entry {
    // SAFETY: the ring has `RING_EVENTS` events.
    let event = unsafe { events.add(last as usize % RING_EVENTS) };
    // SAFETY: as above.
    let record = unsafe { &*event };
    let number = last.wrapping_add(1);
    record.number.store(number, Ordering::Relaxed);
    record
        .ticks
        .store(head.ticks.load(Ordering::Relaxed), Ordering::Relaxed);
    record.object.store(object, Ordering::Relaxed);
    record.slot.store(slot, Ordering::Relaxed);
    record.phase.store(event_phase::ENTERED, Ordering::Relaxed);
    head.head.store(number, Ordering::Release);
    head.depth.store(
        head.depth.load(Ordering::Relaxed).wrapping_add(1),
        Ordering::Relaxed,
    );
    Entry {
        event,
        number: number as u32,
        generation: GENERATION.load(Ordering::Relaxed),
    }
}

/// Adds 1 to what one thread alone writes.
#[inline]
fn bump(value: &AtomicU64) -> u64 {
    let next = value.load(Ordering::Relaxed).wrapping_add(1);
    value.store(next, Ordering::Relaxed);
    next
}

/// What a wait is recorded as: the number of a lock, plus 1, or something that is none.
fn awaited(domain: usize) -> u32 {
    u32::try_from(domain + 1).unwrap_or(NO_LOCK).min(NO_LOCK)
}

impl Thread {
    /// A number for the thread that no other has or had.
    #[inline]
    pub fn owner(&self) -> u64 {
        self.owner.get()
    }

    /// [`Self::owner`], for a thread that may not have called before.
    pub fn number(&self) -> u64 {
        if self.owner() == 0 {
            self.claim();
        }
        self.owner()
    }

    /// Records that a call is inside; `outermost` if it has just taken the lock that every call shares.
    #[inline]
    pub fn begin(&self, slot: u32, object: u64, outermost: bool) -> Entry {
        let mut ring = self.ring.get();
        if ring.is_null() {
            ring = self.claim();
            if ring.is_null() {
                return self.uncounted(outermost);
            }
        }
        // SAFETY: a claimed ring stays mapped for as long as the thread has it, and only this thread writes to it.
        let head = unsafe { &*ring };
        if outermost {
            acquired(head);
        }
        let events = self.events.get();
        if events.is_null() {
            bump(&head.calls);
            return Entry::NONE;
        }
        let last = head.head.load(Ordering::Relaxed);
        if last.wrapping_add(1).is_multiple_of(STAMP_EVERY) {
            stamp(head);
        }
        record(head, events, last, slot, object)
    }

    /// The next event, if the thread has a ring and the clock need not be read; else [`Self::next_stamped`] may be the way.
    #[inline]
    pub fn next(&self) -> Option<Next<'_>> {
        let head = self.ring()?;
        let events = self.events.get();
        let last = head.head.load(Ordering::Relaxed);
        let stamps = last.wrapping_add(1).is_multiple_of(STAMP_EVERY);
        // Without events the number stays where it is.
        (!stamps || events.is_null()).then_some(Next { head, events, last })
    }

    /// The next event, for which the clock is read, if the thread has a ring; else [`Self::begin`] is the way.
    #[inline]
    pub fn next_stamped(&self) -> Option<Next<'_>> {
        let head = self.ring()?;
        let events = self.events.get();
        let last = head.head.load(Ordering::Relaxed);
        if !events.is_null() {
            stamp(head);
        }
        Some(Next { head, events, last })
    }

    /// The thread's ring, once it has called.
    #[inline]
    fn ring(&self) -> Option<&RingHeader> {
        // SAFETY: null, or a ring that the thread has.
        unsafe { self.ring.get().as_ref() }
    }

    /// Reads the clock for the events from here on.
    pub fn stamp(&self) {
        if let Some(ring) = self.ring() {
            stamp(ring);
        }
    }

    /// Records that a call begins with a wait for a lock ([`Self::waits`]).
    #[cold]
    pub fn begin_waiting(&self, slot: u32, object: u64, domain: usize) -> Entry {
        self.stamp();
        let entry = self.begin(slot, object, false);
        self.waits(entry, domain);
        entry
    }

    /// Records that a call waits: for a lock, or for something that is none.
    #[cold]
    pub fn waits(&self, entry: Entry, domain: usize) {
        entry.mark(event_phase::WAITING);
        if let Some(ring) = self.ring() {
            ring.waits.store(awaited(domain), Ordering::Relaxed);
        }
    }

    /// Records that a call has the lock for which it waited; `outermost` if it had none before.
    #[cold]
    pub fn waited(&self, entry: Entry, outermost: bool) {
        count_locked(Counter::LockContentions);
        self.goes_on(entry, outermost);
    }

    /// Records that a call waits no longer; `outermost` if it has just taken its first lock.
    #[cold]
    pub fn goes_on(&self, entry: Entry, outermost: bool) {
        entry.mark(event_phase::ENTERED);
        match self.ring() {
            Some(ring) => {
                ring.waits.store(0, Ordering::Relaxed);
                if outermost {
                    bump(&ring.acquisitions);
                    ring.holds.store(1, Ordering::Relaxed);
                }
            }
            None if outermost => count(Counter::LockAcquisitions, 1),
            None => {}
        }
    }

    /// Records which lock the thread has; `None` for none.
    pub fn holds(&self, domain: Option<usize>) {
        if let Some(ring) = self.ring() {
            ring.holds
                .store(domain.map_or(0, awaited), Ordering::Relaxed);
        }
    }

    #[cold]
    #[inline(never)]
    fn claim(&self) -> *mut RingHeader {
        if self.asked.get() {
            return ptr::null_mut();
        }
        self.asked.set(true);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed).wrapping_add(1) << 8;
        self.owner.set(serial | NO_RING);
        // Rings that nobody has used come first, so that a dead thread's last events stay as long as they can.
        for reuse in [false, true] {
            for (index, living) in LIVING.iter().enumerate() {
                let ring = ring_at(index);
                // SAFETY: the mapping is aligned to pages and the offsets to eight bytes, or the head is static.
                let head = unsafe { &*ring };
                if !reuse && head.thread.load(Ordering::Relaxed) != 0 {
                    continue;
                }
                if head
                    .owned
                    .compare_exchange(0, 1, Ordering::AcqRel, Ordering::Relaxed)
                    .is_ok()
                {
                    if whole().is_some() {
                        // SAFETY: a ring of the file is a header followed by its events.
                        let events = unsafe { ring.add(1).cast::<EventRecord>() };
                        wipe(head, events);
                        if !SILENT.load(Ordering::Relaxed) {
                            self.events.set(events);
                        }
                        header()
                            .rings_at
                            .used
                            .fetch_max(u32::try_from(index + 1).unwrap_or(0), Ordering::Release);
                    }
                    head.thread.store(os::thread_id(), Ordering::Release);
                    let owner = serial | index as u64;
                    self.owner.set(owner);
                    living.store(owner, Ordering::SeqCst);
                    self.ring.set(ring);
                    give_back_at_exit(ring);
                    stamp(head);
                    return ring;
                }
            }
        }
        ptr::null_mut()
    }

    /// A call of a thread without a ring.
    #[cold]
    fn uncounted(&self, outermost: bool) -> Entry {
        debug_assert!(self.asked.get());
        count(Counter::MethodCalls, 1);
        count(Counter::DroppedEvents, 1);
        if outermost {
            count(Counter::LockAcquisitions, 1);
        }
        Entry::NONE
    }
}

/// Reads the clock for the events of a ring.
fn stamp(ring: &RingHeader) {
    ring.ticks.store(clock::stamp(), Ordering::Relaxed);
}

/// Removes the events of the thread that had the ring before; its calls stay counted.
fn wipe(head: &RingHeader, events: *mut EventRecord) {
    head.calls
        .fetch_add(head.head.swap(0, Ordering::Relaxed), Ordering::Relaxed);
    head.depth.store(0, Ordering::Relaxed);
    head.holds.store(0, Ordering::Relaxed);
    head.waits.store(0, Ordering::Relaxed);
    for index in 0..RING_EVENTS {
        // SAFETY: the ring was just claimed by this thread, and has `RING_EVENTS` events.
        unsafe { (*events.add(index)).number.store(0, Ordering::Relaxed) };
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
            let owner = thread.owner.get();
            thread.clear();
            if let Some(living) = LIVING.get((owner & NO_RING) as usize) {
                living.store(0, Ordering::SeqCst);
            }
            // SAFETY: the ring is this thread's, and mapped or static.
            unsafe {
                (*ring.cast::<RingHeader>())
                    .owned
                    .store(0, Ordering::Release);
            }
            crate::hooks::thread_ended();
        }
    });
}

impl Thread {
    fn clear(&self) {
        self.ring.set(ptr::null_mut());
        self.events.set(ptr::null_mut());
        self.owner.set(0);
        self.asked.set(false);
    }
}

/// In the child of a `fork`: the parent's ring is not this thread's. Calls that are open across the fork are not
/// recorded as over: their entries belong to the parent's file.
pub fn forget() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    for living in &LIVING {
        living.store(0, Ordering::Relaxed);
    }
    for Unfiled(ring) in &UNFILED {
        ring.owned.store(0, Ordering::Relaxed);
    }
    THREAD.with(Thread::clear);
}

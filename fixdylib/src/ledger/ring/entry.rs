//! One call's event, for as long as the call lasts.

use std::ptr;
use std::sync::atomic::Ordering;

use agx_ledger::layout::{EventRecord, RING_EVENTS, RingHeader};

use super::GENERATION;

/// One call in the ring: where its event stands, and by what to know that it is still that event.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The event; null for none.
    pub event: *mut EventRecord,
    /// Low end of the event's number: 23 bits of it are enough.
    pub number: u32,
    /// In the child of a `fork`, a call that was open across it has its event in the parent's ring, which is not mapped.
    pub generation: u8,
}

/// The bits of an event's number by which an [`Entry`] knows it.
const NUMBER: u32 = 0x7f_ffff;

impl Entry {
    /// No event.
    pub const NONE: Self = Self {
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
        if (record.number.load(Ordering::Relaxed) as u32 ^ self.number) & NUMBER == 0 {
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
        let ring = unsafe { &*self.event.sub(index).cast::<RingHeader>().sub(1) };
        let depth = ring.depth.load(Ordering::Relaxed).saturating_sub(1);
        ring.depth.store(depth, Ordering::Relaxed);
        if depth == 0 {
            ring.holds.store(0, Ordering::Relaxed);
        }
    }
}

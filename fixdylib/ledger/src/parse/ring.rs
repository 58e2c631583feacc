//! One thread's ring.

use std::mem::offset_of;

use super::bytes::Bytes;
use super::clock::Clock;
use crate::layout::{EventRecord, FIRST_RING_HEADER_LEN, RingHeader};
use crate::model::{Event, EventPhase, Ring};

pub struct RingShape {
    pub header_len: usize,
    pub event_stride: usize,
    pub events: usize,
}

impl RingShape {
    pub fn fits(&self, stride: usize) -> bool {
        self.header_len >= FIRST_RING_HEADER_LEN
            && self.event_stride >= size_of::<EventRecord>()
            && self.events > 0
            && self
                .event_stride
                .checked_mul(self.events)
                .and_then(|len| len.checked_add(self.header_len))
                <= Some(stride)
    }
}

pub fn read_ring(
    ring: Bytes<'_>,
    shape: &RingShape,
    clock: Clock,
    torn: &mut usize,
) -> Option<Ring> {
    let thread = ring.u64(offset_of!(RingHeader, thread))?;
    if thread == 0 {
        return None;
    }
    let head = ring.u64(offset_of!(RingHeader, head))?;
    let mut events = Vec::new();
    for index in 0..shape.events {
        let event = Bytes(ring.slice(
            shape.header_len + index * shape.event_stride,
            shape.event_stride,
        )?);
        let number = event.u64(offset_of!(EventRecord, number))?;
        if number == 0 {
            continue;
        }
        // A writer numbers an event before it moves the head, so that one event may be ahead of it.
        if (number - 1) % shape.events as u64 != index as u64 || number > head.saturating_add(1) {
            *torn += 1;
            continue;
        }
        let event = Event {
            time_ns: clock.epoch_ns(event.u64(offset_of!(EventRecord, ticks))?),
            slot: event.u32(offset_of!(EventRecord, slot))?,
            object: event.u64(offset_of!(EventRecord, object))?,
            phase: EventPhase::from_number(event.u32(offset_of!(EventRecord, phase))?),
        };
        events.push((number, event));
    }
    events.sort_unstable_by_key(|(number, _)| *number);
    let calls = ring.u64(offset_of!(RingHeader, calls))?;
    let knows_locks = shape.header_len >= size_of::<RingHeader>();
    let lock = |at| {
        let number = ring.u32(at).filter(|_| knows_locks)?;
        number.checked_sub(1)
    };
    Some(Ring {
        thread,
        calls: if knows_locks {
            calls.saturating_add(head)
        } else {
            calls
        },
        acquisitions: ring
            .u64(offset_of!(RingHeader, acquisitions))
            .filter(|_| knows_locks)
            .unwrap_or(0), // counted elsewhere in the files of the first libraries
        holds: lock(offset_of!(RingHeader, holds)),
        waits: lock(offset_of!(RingHeader, waits)),
        depth: ring.u32(offset_of!(RingHeader, depth))?,
        owned: ring.u32(offset_of!(RingHeader, owned))? != 0,
        events: events.into_iter().map(|(_, event)| event).collect(),
    })
}

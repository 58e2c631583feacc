//! Encoders that calls are about to enter: those of calls that wait for a lock, or that go on without it.
//!
//! Such a call holds no reference to its receiver. If the thread that has the lock ends that encoder, and this library's
//! retain is the last one, the call would find it freed. So it says, before it waits, whom it expects; who is about to
//! give a retain back looks here first, and keeps it while the encoder is expected
//! ([`track`](super::around)).
//!
//! Encoders are counted by a hash within their lock's domain: one that shares a count with another is kept a little
//! longer than it need be, never shorter. What lies before the announcement (the message on its way to the hook) is out
//! of reach: that the receiver lives until then is the program's to see to, as without this library.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use crate::lock::order::SHARDS;

/// Counts in a domain.
const BUCKETS: usize = 64;

/// What is expected in one domain, in cache lines that no other shares ([`crate::lock::Reentrant`]).
#[repr(align(128))]
struct Domain {
    calls: [AtomicU32; BUCKETS],
    /// Encoders that are kept for them, or more. Written by who has the domain's lock.
    kept: AtomicUsize,
}

static DOMAINS: [Domain; SHARDS] = [const {
    Domain {
        calls: [const { AtomicU32::new(0) }; BUCKETS],
        kept: AtomicUsize::new(0),
    }
}; SHARDS];

fn at(domain: usize) -> &'static Domain {
    &DOMAINS[domain & (SHARDS - 1)]
}

fn calls(domain: usize, encoder: u64) -> &'static AtomicU32 {
    // Objects are multiples of sixteen bytes; the product's upper bits depend on all bits of the address.
    let mixed = (encoder >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    &at(domain).calls[(mixed >> 52) as usize & (BUCKETS - 1)]
}

/// A call is about to wait for the lock of `domain`, to enter `encoder`. [`met`] must follow.
pub fn expect(domain: usize, encoder: u64) {
    calls(domain, encoder).fetch_add(1, Ordering::SeqCst);
}

/// The call is over.
pub fn met(domain: usize, encoder: u64) {
    let calls = calls(domain, encoder);
    let lower = |it: u32| it.checked_sub(1);
    // Not below 0: in the child of a `fork`, a call that was open across it is no longer counted.
    let (Ok(_) | Err(_)) = calls.fetch_update(Ordering::SeqCst, Ordering::SeqCst, lower);
}

/// Whether a call may be about to enter the encoder.
pub fn is_expected(domain: usize, encoder: u64) -> bool {
    calls(domain, encoder).load(Ordering::SeqCst) != 0
}

/// So many encoders are kept in `domain`, whose lock the caller has. Who keeps one more is to ask [`is_expected`] again after
/// this: a call without the lock may have seen none kept, and be over.
pub fn keeps(domain: usize, count: usize) {
    at(domain).kept.store(count, Ordering::SeqCst);
}

/// Whether an encoder may be kept in `domain`.
pub fn is_any_kept(domain: usize) -> bool {
    at(domain).kept.load(Ordering::SeqCst) != 0
}

/// In the child of a `fork`: who waited is not here. Async-signal-safe.
pub fn reset_after_fork() {
    for domain in &DOMAINS {
        domain.kept.store(0, Ordering::Relaxed);
        for calls in &domain.calls {
            calls.store(0, Ordering::Relaxed);
        }
    }
}

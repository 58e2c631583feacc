//! Whether a call's receiver is what its hook's class promises, found without a message and mostly without a call.
//!
//! A hook can be reached with anything as its receiver: code that fetched the method with `method_getImplementation` may
//! call it with a proxy, a tagged pointer, an instance of some other class. Nothing may be read at an offset of such an
//! object, nor may it be tracked or retained; the original gets it as it came.

use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::slots::Slot;
use crate::ledger::count;
use crate::runtime::{self, Id};
use agx_ledger::Counter;

/// No object has these bits in its address: objects are aligned, and tagged pointers have the lowest bit (x86-64) or the
/// highest one (arm64; objc-internal.h, `_OBJC_TAG_MASK`).
const NEVER: u64 = 1 << 63 | 7;

/// The bits of an object's first word that say its class. Apple's runtime keeps counts in the others.
static CLASS_BITS: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Asks the runtime which bits say the class. Called before the first hook is installed.
pub fn prepare() {
    CLASS_BITS.store(runtime::class_bits(), Ordering::Relaxed);
}

/// Whether `receiver` is no instance of the hooked class or a subclass. Counted (`odd_receivers`).
///
/// A hit costs two loads beside the receiver's own first word, which the message has just read. A slot that was not told
/// its class finds nothing odd but nil and tagged pointers.
#[inline]
pub fn is_odd(slot: &Slot, receiver: u64) -> bool {
    if receiver & NEVER != 0 || receiver == 0 {
        return odd();
    }
    // SAFETY: a receiver that is neither nil nor tagged is an object, which starts with its class word. It is read as the
    // runtime may change its count in another thread.
    let word = unsafe { (receiver as *const usize).read_volatile() };
    let class = word & CLASS_BITS.load(Ordering::Relaxed);
    if slot.seen[0].load(Ordering::Relaxed) == class {
        return false;
    }
    is_odd_unseen(slot, receiver, class)
}

#[cold]
#[inline(never)]
fn odd() -> bool {
    count(Counter::OddReceivers, 1);
    true
}

/// The other class that was seen lately, or one that was not: base classes are reached from several subclasses in turn.
#[cold]
#[inline(never)]
fn is_odd_unseen(slot: &Slot, receiver: u64, class: usize) -> bool {
    if slot.seen[1].load(Ordering::Relaxed) == class {
        return false;
    }
    let hooked = slot.class();
    // SAFETY: the receiver is an object, as above; the lineage is of classes.
    let expected = hooked.is_null()
        || unsafe {
            runtime::lineage(runtime::class_of(receiver as *mut c_void as Id))
                .any(|it| it == hooked)
        };
    if !expected {
        return odd();
    }
    slot.seen[1].store(slot.seen[0].load(Ordering::Relaxed), Ordering::Relaxed);
    slot.seen[0].store(class, Ordering::Relaxed);
    false
}

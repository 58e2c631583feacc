//! Whether a call's receiver is what its hook's class promises, found without a message and mostly without a call.
//!
//! A hook can be reached with anything as its receiver: code that fetched the method with `method_getImplementation` may
//! call it with a proxy, a tagged pointer, an instance of some other class. Nothing may be read at an offset of such an
//! object, nor may it be tracked or retained; the original gets it as it came.

use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::domains;
use super::slots::{self, Slot};
use crate::ledger::count;
use crate::runtime::{self, Id};
use agx_ledger::Counter;

/// No object has these bits in its address: objects are aligned, and tagged pointers have the lowest bit (x86-64) or the
/// highest one (arm64; objc-internal.h, `_OBJC_TAG_MASK`).
const NEVER: u64 = 1 << 63 | 7;

/// The bits of an object's first word that say its class. Apple's runtime keeps counts in the others.
static CLASS_BITS: AtomicUsize = AtomicUsize::new(usize::MAX);

/// In a class word that a slot remembers: calls on such an object may take the short way, under the one lock that there is.
/// No class has this bit in its address, nor the next one, and a slot that remembers nothing does not have them either.
const SHORT_WAY: usize = 1;
/// The same, where there are many locks.
const NARROW_SHORT_WAY: usize = 2;
const WAYS: usize = SHORT_WAY | NARROW_SHORT_WAY;

/// Asks the runtime which bits say the class. Called before the first hook is installed.
pub fn prepare() {
    CLASS_BITS.store(runtime::class_bits(), Ordering::Relaxed);
}

/// Whether the call may take the short way ([`super::quick`]): the receiver is of a class that was found to be right, the
/// call is work, and there is one lock, without a watch.
#[inline]
pub fn is_quick(slot: &Slot, receiver: u64) -> bool {
    is_seen(slot, receiver, SHORT_WAY)
}

/// [`is_quick`] where there are many locks.
#[inline]
pub fn is_quick_in_domain(slot: &Slot, receiver: u64) -> bool {
    is_seen(slot, receiver, NARROW_SHORT_WAY)
}

#[inline]
fn is_seen(slot: &Slot, receiver: u64, way: usize) -> bool {
    if receiver & NEVER != 0 || receiver == 0 {
        return false;
    }
    let remembered = class_word(receiver) | way;
    slot.seen[0].load(Ordering::Relaxed) == remembered
        || slot.seen[1].load(Ordering::Relaxed) == remembered
}

/// What says the class in an object, which is neither nil nor tagged.
#[inline]
fn class_word(object: u64) -> usize {
    // SAFETY: a receiver that is neither nil nor tagged is an object, which starts with its class word. It is read as the
    // runtime may change its count in another thread.
    let word = unsafe { (object as *const usize).read_volatile() };
    word & CLASS_BITS.load(Ordering::Relaxed)
}

/// Whether this may be the address of an object: it is neither nil nor tagged.
pub fn is_object(address: u64) -> bool {
    address & NEVER == 0 && address != 0
}

/// Whether `receiver` is what [`is_odd`] looks for, without counting what is not.
pub fn fits(number: usize, receiver: u64) -> bool {
    if !is_object(receiver) {
        return false;
    }
    let class = class_word(receiver);
    let slot = slots::get(number);
    slot.seen
        .iter()
        .any(|it| it.load(Ordering::Relaxed) & !WAYS == class)
        || is_instance(slot, receiver)
}

/// Whether `receiver`, which is an object, is an instance of the class whose method the slot hooks, where that was told.
fn is_instance(slot: &Slot, receiver: u64) -> bool {
    let hooked = slot.class();
    // SAFETY: the receiver is an object, as the caller says; the lineage is of classes.
    hooked.is_null()
        || unsafe {
            runtime::lineage(runtime::class_of(receiver as *mut c_void as Id))
                .any(|it| it == hooked)
        }
}

/// Whether `receiver` is no instance of the class whose method the slot hooks or a subclass. Counted (`odd_receivers`).
///
/// A hit costs two loads beside the receiver's own first word, which the message has just read. A slot that was not told
/// its class finds nothing odd but nil and tagged pointers.
#[inline]
pub fn is_odd(number: usize, receiver: u64) -> bool {
    if receiver & NEVER != 0 || receiver == 0 {
        return odd();
    }
    let class = class_word(receiver);
    if slots::get(number).seen[0].load(Ordering::Relaxed) & !WAYS == class {
        return false;
    }
    is_odd_unseen(number, receiver, class)
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
fn is_odd_unseen(number: usize, receiver: u64, class: usize) -> bool {
    let slot = slots::get(number);
    if slot.seen[1].load(Ordering::Relaxed) & !WAYS == class {
        return false;
    }
    if !is_instance(slot, receiver) {
        return odd();
    }
    slot.seen[1].store(slot.seen[0].load(Ordering::Relaxed), Ordering::Relaxed);
    let way = match (domains::has_short_way(number), domains::is_narrow()) {
        (false, _) => 0,
        (true, false) => SHORT_WAY,
        (true, true) => NARROW_SHORT_WAY,
    };
    slot.seen[0].store(class | way, Ordering::Relaxed);
    false
}

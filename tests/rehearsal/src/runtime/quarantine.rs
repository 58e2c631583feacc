//! Where freed objects rest before their memory goes back to the allocator.

use super::Id;
use std::collections::VecDeque;
use std::ptr;
use std::sync::{Mutex, PoisonError};

/// Freed objects that stay mapped, poisoned. A fresh object in the same place would turn a use after free into a silent success, and
/// a page given back to the system would fault before the poison is read: a thread may be held up between its load and its use
/// while the others free some thousands.
const SIZE: usize = 16_384;

/// What freed memory is filled with. As a pointer it is canonical, never mapped on Linux (above the heap, far below the libraries),
/// and says in a report what happened. Apple's runtime masks an `isa` before it follows it (`ISA_MASK` in objc4's `isa.h`): of the two
/// masks for arm64 one leaves it as it is, the other leaves 0xa5a5a5a50; a Mac maps nothing at either.
const POISON: u64 = 0x0000_5a5a_5a5a_5a50;

static RESTING: Mutex<VecDeque<usize>> = Mutex::new(VecDeque::new());

/// Poisons an object and lets its memory rest; the one that has rested longest is freed.
///
/// # Safety
/// The memory, `size` bytes, came from `malloc` or `calloc`, and nobody holds a reference to it.
pub unsafe fn rest(object: Id, size: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        for word in 0..size / size_of::<u64>() {
            object.cast::<u64>().add(word).write_volatile(POISON);
        }
    }
    let oldest = {
        let mut resting = RESTING.lock().unwrap_or_else(PoisonError::into_inner);
        resting.push_back(object.expose_provenance());
        if resting.len() > SIZE {
            resting.pop_front()
        } else {
            None
        }
    };
    if let Some(address) = oldest {
        // SAFETY: it came here by the same promise. `object_dispose` would read the poisoned class.
        unsafe { libc::free(ptr::with_exposed_provenance_mut(address)) }
    }
}

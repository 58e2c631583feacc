//! The only code that touches registers by name: a caller that loads all of them, and an entry that saves all of them.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub use aarch64::*;
#[cfg(target_arch = "x86_64")]
pub use x86_64::*;

/// Methods that can have a recorder of their own. A slot is a few bytes of code that loads the slot's number.
pub const SLOTS: usize = 1536;

/// The code of a slot.
pub fn thunk(slot: usize) -> *const () {
    assert!(slot < SLOTS, "slot {slot} of {SLOTS}");
    // SAFETY: takes and changes nothing.
    let first = unsafe { thunks() };
    first.wrapping_add(slot * THUNK_BYTES).cast()
}

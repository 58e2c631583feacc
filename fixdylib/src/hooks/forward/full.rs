//! The forwarder that carries everything: floating registers, any number of stack words, and every kind of result.
//!
//! [`machine::full_entry`] saves the registers into a [`Frame`] on the stack and calls [`run`], which enters, has
//! [`machine::invoke`] load them again for the original, and leaves. Both say in their unwind tables how to get out of
//! them, so that an exception of the original passes through, and meets the guard of [`run`] on its way.

use super::machine::{self, Frame};
use crate::hooks::engine::{Open, fact};
use crate::hooks::{quick, slots};

/// # Safety
/// Called by [`machine::full_entry`] with the registers and the stack of a call of the method whose original is in the slot.
pub unsafe extern "C-unwind" fn run(frame: *mut Frame) {
    // SAFETY: the entry's frame is this call's alone.
    let number = unsafe { (*frame).number } as usize;
    let slot = slots::get(number);
    let result_bytes = slot.result_bytes();
    // SAFETY: as above.
    let receiver = unsafe { (*frame).receiver(result_bytes > 0) };
    let call = quick::enter(number, receiver);
    if call.has(fact::SKIPPED) {
        // SAFETY: as above; the caller of a method with its result in memory gave room for all of it.
        unsafe { (*frame).return_zeros(result_bytes) };
        return;
    }
    let open = Open {
        number,
        receiver,
        call,
    };
    // SAFETY: the original takes its arguments from these registers and stack words, as its shape says; what it does not
    // take, it does not read.
    unsafe {
        (*frame).words = slot.stack_words();
        machine::invoke(slot.original(), frame);
    }
    std::mem::forget(open);
    // SAFETY: as above.
    let object = unsafe { (*frame).integer_results[0] };
    quick::leave(number, receiver, call, object);
}

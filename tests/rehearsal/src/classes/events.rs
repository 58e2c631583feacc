//! `IOGPUMetalCommandBuffer`'s event methods, which assert that no encoder is open.

use super::{command_buffer, resources};
use crate::failure::{Assertion, fail};
use crate::queue_thread::Step;
use crate::runtime::class::Method;
use crate::runtime::{Id, NIL, Sel, send};

/// The methods, to be added to the class.
pub fn iogpu_methods() -> [Method; 3] {
    [
        Method::new(
            c"encodeSignalEvent:value:",
            c"v@:@Q",
            encode_signal::<true> as *const (),
        ),
        Method::new(
            c"encodeWaitForEvent:value:",
            c"v@:@Q",
            encode_wait::<true> as *const (),
        ),
        Method::new(
            c"encodeWaitForEvent:value:timeout:",
            c"v@:@QI",
            encode_wait_timeout::<true> as *const (),
        ),
    ]
}

#[unsafe(export_name = "-[IOGPUMetalCommandBuffer encodeSignalEvent:value:]")]
#[inline(never)]
unsafe extern "C-unwind" fn encode_signal<const LOCAL: bool>(
    this: Id,
    _: Sel,
    event: Id,
    value: u64,
) {
    // SAFETY: a method runs on a live instance of its class; the event is alive.
    unsafe {
        if command_buffer::current_encoder(this) != NIL {
            fail(&Assertion {
                method: c"-[IOGPUMetalCommandBuffer encodeSignalEvent:value:]",
                line: 426,
                sentence: c"encodeSignalEvent:value: with uncommitted encoder",
            });
        }
        send!(this, "commitEncoder"; ());
        command_buffer::append(this, Step::Signal(resources::event_state(event), value));
    }
}

#[unsafe(export_name = "-[IOGPUMetalCommandBuffer encodeWaitForEvent:value:]")]
#[inline(never)]
unsafe extern "C-unwind" fn encode_wait<const LOCAL: bool>(
    this: Id,
    _: Sel,
    event: Id,
    value: u64,
) {
    // SAFETY: a method runs on a live instance of its class; the event is alive.
    unsafe {
        send!(this, "encodeWaitForEvent:value:timeout:", event => Id, value => u64, 0 => u32; ());
    }
}

/// The time-out is not modelled: a rehearsal's events are signalled, or it hangs as a GPU would.
#[unsafe(export_name = "-[IOGPUMetalCommandBuffer encodeWaitForEvent:value:timeout:]")]
#[inline(never)]
unsafe extern "C-unwind" fn encode_wait_timeout<const LOCAL: bool>(
    this: Id,
    _: Sel,
    event: Id,
    value: u64,
    _timeout: u32,
) {
    // SAFETY: a method runs on a live instance of its class; the event is alive.
    unsafe {
        if command_buffer::current_encoder(this) != NIL {
            fail(&Assertion {
                method: c"-[IOGPUMetalCommandBuffer encodeWaitForEvent:value:timeout:]",
                line: 488,
                sentence: c"encodeWaitForEvent:value: with uncommitted encoder",
            });
        }
        send!(this, "commitEncoder"; ());
        command_buffer::append(this, Step::Wait(resources::event_state(event), value));
    }
}

//! Completions of command buffers: most are announced by a hooked method; the others are asked for.

use std::ffi::CStr;
use std::mem::transmute;
use std::sync::atomic::{AtomicUsize, Ordering};

use agx_policy::encoding::{Signature, Type};
use agx_policy::rules::Role;

use crate::hooks::slots;
use crate::runtime::{self, Class, Id, Selector, known};
use crate::throttle::Ask;

/// `MTLCommandBufferStatusCompleted` and `MTLCommandBufferStatusError` (MTLCommandBuffer.h): nothing comes after either.
const OVER: [usize; 2] = [4, 5];

/// Asks command buffers for their `status`.
pub struct ByStatus;

impl Ask for ByStatus {
    fn hold(&self, buffer: u64) -> bool {
        // SAFETY: the receiver of the commit that was just admitted, or the object that it is a proxy for.
        unsafe { runtime::retain(buffer as Id) }
    }

    fn is_complete(&self, buffer: u64) -> bool {
        let selector = known::STATUS.get();
        // SAFETY: the object is retained, and its class's method was seen to have this type ([`is_announced`]).
        unsafe {
            runtime::implementation_for(buffer as Id, selector).is_some_and(|code| {
                let status: unsafe extern "C-unwind" fn(Id, Selector) -> usize = transmute(code);
                OVER.contains(&status(buffer as Id, selector))
            })
        }
    }

    fn let_go(&self, buffer: u64) {
        // SAFETY: retained by `hold`.
        unsafe { runtime::release(buffer as Id) };
    }
}

/// Classes that were looked at, and in the lowest bit whether their completions count as announced; 0 for none. One that
/// finds no room is looked at each time.
static SEEN: [AtomicUsize; 16] = [const { AtomicUsize::new(0) }; 16];

/// Whether a hooked method will say that this command buffer is complete, or nothing else could: its class has no such
/// hook, and answers `status` with an integer of eight bytes, is one to ask instead.
pub fn is_announced(buffer: u64) -> bool {
    // SAFETY: the receiver of a commit, or the object that it is a proxy for.
    let class = unsafe { runtime::class_of(buffer as Id) };
    for seen in &SEEN {
        let known = seen.load(Ordering::Relaxed);
        if known & !1 == class as usize {
            return known & 1 != 0;
        }
        if known == 0 {
            break;
        }
    }
    // SAFETY: an object of the class exists.
    let announced = unsafe { has_hook(buffer as Id, class) || !answers_status(class) };
    let word = class as usize | usize::from(announced);
    for seen in &SEEN {
        let before = seen.compare_exchange(0, word, Ordering::Relaxed, Ordering::Relaxed);
        if before.is_ok() || before == Err(word) {
            break;
        }
    }
    announced
}

/// Whether a message that announces the completion of `object` arrives in a hook.
///
/// # Safety
/// `object` is an object of `class`.
unsafe fn has_hook(object: Id, class: Class) -> bool {
    slots::bound().any(|(number, _, _)| {
        let slot = slots::get(number);
        if slot.role() != Role::Completion {
            return false;
        }
        // SAFETY: promised by the caller; a bound slot has its selector's name, which the runtime keeps.
        unsafe {
            let selector = runtime::selector(CStr::from_ptr(slot.selector().cast()));
            runtime::lineage(class).any(|it| it == slot.class())
                && runtime::implementation_for(object, selector).is_some_and(slots::is_hook)
        }
    })
}

/// Whether the class answers `status` as a command buffer's does (`NSUInteger`, no argument).
///
/// # Safety
/// `class` is a class of the runtime.
unsafe fn answers_status(class: Class) -> bool {
    // SAFETY: promised by the caller, for the lineage too.
    let own = |it| unsafe { runtime::own_methods(it) }.into_iter();
    // SAFETY: as above.
    let methods = unsafe { runtime::lineage(class) }.flat_map(own);
    let found = methods
        .filter(|it| it.name == c"status")
        .map(|it| Signature::parse(it.encoding.to_bytes()))
        .next();
    found.flatten().is_some_and(|signature| {
        signature.result == Type::Integer(8) && signature.arguments.is_empty()
    })
}

//! Where objects keep what tells them apart: the instance variables of a slot's receivers, and what its calls do beside work.

use std::ffi::CStr;
use std::sync::atomic::{AtomicI32, AtomicU8, AtomicU32, Ordering};

use agx_policy::rules::{Family, Role};

use crate::hooks::forward::SLOTS;
use crate::runtime::{self, Class};

/// Where the instance variable is by which a slot's receivers are told apart; negative for none.
static OFFSETS: [AtomicI32; SLOTS] = [const { AtomicI32::new(-1) }; SLOTS];
/// Bits of [`kind`].
static KINDS: [AtomicU8; SLOTS] = [const { AtomicU8::new(0) }; SLOTS];
/// `_queue` in a command buffer: 0 while unknown, offset + 1, or `u32::MAX` where two classes differ.
static QUEUE: AtomicU32 = AtomicU32::new(0);

/// What there is to a slot.
pub mod kind {
    pub const ENCODER: u8 = 1;
    pub const PROXY: u8 = 2;
    pub const POOL: u8 = 4;
    pub const COMMITS: u8 = 8;
    /// The receiver is under construction: its variables are not set.
    pub const INIT: u8 = 16;
}

/// Notes where the receivers of a slot keep what tells them apart. Called before the hook is installed.
///
/// # Safety
/// `class` is a class of the runtime.
pub unsafe fn describe(slot: usize, class: Class, family: Family, role: Role, selector: &CStr) {
    // SAFETY: promised by the caller.
    let offset = |name| unsafe { runtime::ivar_offset(class, name) };
    let name = selector.to_bytes();
    let mut kinds = 0;
    let at = match family {
        Family::Encoder => {
            kinds |= kind::ENCODER;
            offset(c"_commandBuffer")
        }
        Family::Buffer => {
            let queue = offset(c"_queue");
            if let Some(found) = queue.and_then(|it| u32::try_from(it + 1).ok()) {
                let known = QUEUE.load(Ordering::Relaxed);
                if known != found {
                    QUEUE.store(if known == 0 { found } else { u32::MAX }, Ordering::Relaxed);
                }
            }
            queue
        }
        Family::Proxy => {
            kinds |= kind::PROXY;
            if name.starts_with(b"commit") {
                kinds |= kind::COMMITS;
            }
            offset(c"_commandBuffer")
        }
    };
    if matches!(
        role,
        Role::Commit | Role::CommitReusable | Role::CommitBlocking
    ) {
        kinds |= kind::COMMITS;
    }
    if matches!(role, Role::Init | Role::Factory | Role::SubFactory)
        || name == b"destroyImpl"
        || name.starts_with(b"deferredEnd")
    {
        kinds |= kind::POOL;
    }
    if matches!(role, Role::Init | Role::BufferInit) {
        kinds |= kind::INIT;
    }
    OFFSETS[slot].store(
        at.and_then(|it| i32::try_from(it).ok()).unwrap_or(-1),
        Ordering::Relaxed,
    );
    KINDS[slot].store(kinds, Ordering::Relaxed);
}

/// Whether one of these bits of [`kind`] is set.
pub fn is(slot: usize, kinds: u8) -> bool {
    KINDS[slot].load(Ordering::Relaxed) & kinds != 0
}

/// The word at an offset of an object; 0 where there is none.
fn word(object: u64, offset: i32) -> u64 {
    let Ok(offset) = usize::try_from(offset) else {
        return 0;
    };
    if object == 0 {
        return 0;
    }
    let field = (object as usize).wrapping_add(offset) as *const u64;
    // SAFETY: the object is an instance of a class that has the variable at this offset. It is read as another thread may
    // write it.
    unsafe { field.read_volatile() }
}

/// Whether a slot is a proxy's, whose calls reach the real command buffer.
pub fn is_proxy(slot: usize) -> bool {
    is(slot, kind::PROXY)
}

/// Whether a slot's receivers are encoders.
pub fn is_encoder(slot: usize) -> bool {
    is(slot, kind::ENCODER)
}

/// Whether a slot's receivers are encoders, and its calls touch neither the pool nor a command buffer.
pub fn is_encoder_alone(slot: usize) -> bool {
    KINDS[slot].load(Ordering::Relaxed) == kind::ENCODER
}

/// The command buffer that a call commits, itself or through the one that it is a proxy for; 0 if it commits none.
pub fn commits(slot: usize, receiver: u64) -> u64 {
    if !is(slot, kind::COMMITS) {
        0
    } else if is_proxy(slot) {
        word(receiver, OFFSETS[slot].load(Ordering::Relaxed))
    } else {
        receiver
    }
}

/// The command buffer of an encoder, as the encoder says; 0 where it does not.
pub fn buffer_of_encoder(slot: usize, encoder: u64) -> u64 {
    if is(slot, kind::ENCODER) {
        word(encoder, OFFSETS[slot].load(Ordering::Relaxed))
    } else {
        0
    }
}

/// The queue of a command buffer, as the buffer says; 0 where it does not.
pub fn queue_of(buffer: u64) -> u64 {
    match QUEUE.load(Ordering::Relaxed) {
        0 | u32::MAX => 0,
        at => word(buffer, i32::try_from(at - 1).unwrap_or(-1)),
    }
}

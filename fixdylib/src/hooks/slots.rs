//! Slots: one for each hooked method of each class, so that a hook finds its original without a look-up.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU8, AtomicU32, AtomicUsize, Ordering};

use agx_ledger::Reason;

use super::forward::{self, POOLS};
use crate::runtime::Imp;
use agx_policy::abi::{Returns, Shape};
use agx_policy::rules::Role;

/// No census entry, no instance variable.
pub const NONE: u32 = u32::MAX;

/// What a hook knows.
pub struct Slot {
    original: AtomicPtr<c_void>,
    role: AtomicU8,
    /// Offset of `_impl` in the receiver; negative where it is not to be looked at.
    impl_offset: AtomicI32,
    /// Number of the census entry, or [`NONE`].
    census: AtomicU32,
    /// Selector's name, for the one line about a call that was not made.
    selector: AtomicPtr<c_void>,
}

static SLOTS: [Slot; forward::SLOTS] = [const {
    Slot {
        original: AtomicPtr::new(ptr::null_mut()),
        role: AtomicU8::new(0),
        impl_offset: AtomicI32::new(0),
        census: AtomicU32::new(0),
        selector: AtomicPtr::new(ptr::null_mut()),
    }
}; forward::SLOTS];

/// Slots in use of each pool. Changed by one thread at a time.
static USED: [AtomicUsize; POOLS.len()] = [const { AtomicUsize::new(0) }; POOLS.len()];

impl Slot {
    /// The method's code before it was hooked.
    #[inline]
    pub fn original(&self) -> Imp {
        self.original.load(Ordering::Acquire)
    }

    /// Has the hook run other code instead: a published version's originals go by the selector alone.
    pub fn set_original(&self, original: Imp) {
        self.original.store(original.cast_mut(), Ordering::Release);
    }

    /// Whether this happens around it.
    #[inline]
    pub fn is(&self, role: Role) -> bool {
        self.role.load(Ordering::Relaxed) == role as u8
    }

    /// What happens around it.
    pub fn role(&self) -> Role {
        Role::ALL[usize::from(self.role.load(Ordering::Relaxed)) % Role::ALL.len()]
    }

    /// Where `_impl` is in the receiver, if it is to be looked at.
    #[inline]
    pub fn impl_offset(&self) -> Option<usize> {
        usize::try_from(self.impl_offset.load(Ordering::Relaxed)).ok()
    }

    /// The census entry.
    pub fn census(&self) -> u32 {
        self.census.load(Ordering::Relaxed)
    }

    /// Sets the census entry.
    pub fn set_census(&self, entry: u32) {
        self.census.store(entry, Ordering::Relaxed);
    }

    /// The selector's name, NUL-terminated; null before the slot is filled.
    pub fn selector(&self) -> *const c_void {
        self.selector.load(Ordering::Relaxed)
    }
}

/// A slot by its number, which is below [`forward::SLOTS`].
#[inline]
pub fn get(slot: usize) -> &'static Slot {
    &SLOTS[slot]
}

/// What goes into a slot.
pub struct Filling<'a> {
    /// How the arguments travel.
    pub shape: Shape,
    /// What happens around the call.
    pub role: Role,
    /// The method's code now.
    pub original: Imp,
    /// Where `_impl` is, if it is to be looked at.
    pub impl_offset: Option<usize>,
    /// The selector's name.
    pub selector: &'a std::ffi::CStr,
}

/// Fills a free slot; its number and the code to install.
///
/// # Errors
/// [`Reason::TooMuchStack`] or [`Reason::ReturnKind`] if nothing carries the shape, [`Reason::NoForwarder`] if all that
/// do are in use.
pub fn fill(filling: &Filling<'static>) -> Result<(usize, Imp), Reason> {
    let shape = filling.shape;
    let mut why = Reason::ReturnKind;
    for (pool, used) in POOLS.iter().zip(&USED) {
        let in_memory = |it| matches!(it, Returns::Memory(_));
        let returned = pool.returns == shape.returns
            || (cfg!(target_arch = "x86_64")
                && in_memory(pool.returns)
                && in_memory(shape.returns));
        if !returned || (shape.floats && !pool.floats) {
            continue;
        }
        if shape.stack_words > pool.stack_words {
            if why == Reason::ReturnKind {
                why = Reason::TooMuchStack;
            }
            continue;
        }
        let index = used.load(Ordering::Relaxed);
        if index >= pool.capacity() {
            why = Reason::NoForwarder;
            continue;
        }
        used.store(index + 1, Ordering::Relaxed);
        let number = pool.first + index;
        let slot = get(number);
        slot.role.store(filling.role as u8, Ordering::Relaxed);
        let offset = filling
            .impl_offset
            .and_then(|it| i32::try_from(it).ok())
            .unwrap_or(-1);
        slot.impl_offset.store(offset, Ordering::Relaxed);
        slot.selector.store(
            filling.selector.as_ptr().cast_mut().cast(),
            Ordering::Relaxed,
        );
        slot.census.store(NONE, Ordering::Relaxed);
        slot.original
            .store(filling.original.cast_mut(), Ordering::Release);
        return Ok((number, pool.forwarder(index)));
    }
    Err(why)
}

/// Whether this code is a hook.
pub fn is_hook(implementation: Imp) -> bool {
    POOLS.iter().zip(&USED).any(|(pool, used)| {
        (0..used.load(Ordering::Relaxed).min(pool.capacity()))
            .any(|index| pool.forwarder(index) == implementation)
    })
}

//! Slots: one for each hooked method of each class, so that a hook finds its original without a look-up.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{
    AtomicI32, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicUsize, Ordering,
};

use agx_ledger::Reason;

use super::forward::{self, POOLS};
use crate::runtime::{Class, Imp, Method};
use agx_policy::abi::{Returns, Shape};
use agx_policy::rules::Role;

/// No census entry, no instance variable.
pub const NONE: u32 = u32::MAX;

/// What a hook knows: one cache line, what each call reads first.
#[repr(C, align(64))]
pub struct Slot {
    original: AtomicPtr<c_void>,
    /// The class words of the objects that were last found to be of the hook's class, and whether their calls may take the
    /// short way. See [`super::receiver`].
    pub(super) seen: [AtomicUsize; 2],
    role: AtomicU8,
    stack_words: AtomicU8,
    /// Bytes of a result in memory; 0 for other results.
    result_bytes: AtomicU16,
    /// Offset of `_impl` in the receiver; negative where it is not to be looked at.
    impl_offset: AtomicI32,
    /// The class whose method is hooked; null where it was not told.
    class: AtomicPtr<c_void>,
    /// The method, where it was told.
    method: AtomicPtr<c_void>,
    /// Selector's name, for the one line about a call that was not made.
    selector: AtomicPtr<c_void>,
    /// Number of the census entry, or [`NONE`].
    census: AtomicU32,
}

static SLOTS: [Slot; forward::SLOTS] = [const {
    Slot {
        original: AtomicPtr::new(ptr::null_mut()),
        seen: [const { AtomicUsize::new(0) }; 2],
        role: AtomicU8::new(0),
        stack_words: AtomicU8::new(0),
        result_bytes: AtomicU16::new(0),
        impl_offset: AtomicI32::new(0),
        class: AtomicPtr::new(ptr::null_mut()),
        method: AtomicPtr::new(ptr::null_mut()),
        selector: AtomicPtr::new(ptr::null_mut()),
        census: AtomicU32::new(0),
    }
}; forward::SLOTS];

const _: () = assert!(size_of::<Slot>() == 64);

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

    /// Words of the stack that the method's arguments take.
    pub fn stack_words(&self) -> u64 {
        self.stack_words.load(Ordering::Relaxed).into()
    }

    /// Bytes of the method's result where that is in memory; otherwise 0.
    pub fn result_bytes(&self) -> usize {
        self.result_bytes.load(Ordering::Relaxed).into()
    }

    /// The class whose method is hooked; null where it was not told.
    pub fn class(&self) -> Class {
        self.class.load(Ordering::Acquire)
    }

    /// The method, where it was told.
    fn method(&self) -> Option<Method> {
        let method = self.method.load(Ordering::Acquire);
        (!method.is_null()).then_some(method)
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
    let mut why = Reason::TooMuchStack;
    for (pool, used) in POOLS.iter().zip(&USED) {
        if !pool.carries(shape) {
            continue;
        }
        let index = used.load(Ordering::Relaxed);
        if index >= pool.capacity {
            why = Reason::NoForwarder;
            continue;
        }
        let number = pool.first + index;
        let slot = get(number);
        let result_bytes = match shape.returns {
            Returns::Memory(bytes) => bytes,
            _ => 0,
        };
        let stack_words = u8::try_from(shape.stack_words).map_err(|_| Reason::TooMuchStack)?;
        used.store(index + 1, Ordering::Release);
        slot.role.store(filling.role as u8, Ordering::Relaxed);
        slot.stack_words.store(stack_words, Ordering::Relaxed);
        slot.result_bytes.store(result_bytes, Ordering::Relaxed);
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

/// Tells a filled slot whose method it stands for, so that odd receivers and replaced hooks are noticed.
///
/// `method` is to be null where the runtime may free it.
pub fn bind(number: usize, class: Class, method: Method) {
    let slot = get(number);
    slot.class.store(class.cast_mut(), Ordering::Release);
    slot.method.store(method, Ordering::Release);
}

/// The slots that were told their method: number, method, and the hook that was installed there.
pub fn bound() -> impl Iterator<Item = (usize, Method, Imp)> {
    POOLS.iter().zip(&USED).flat_map(|(pool, used)| {
        let used = used.load(Ordering::Acquire).min(pool.capacity);
        (0..used).filter_map(move |index| {
            let number = pool.first + index;
            Some((number, get(number).method()?, pool.forwarder(index)))
        })
    })
}

/// The slots that were told their class, whether or not their hooks still stand.
pub fn told() -> impl Iterator<Item = usize> {
    POOLS.iter().zip(&USED).flat_map(|(pool, used)| {
        let used = used.load(Ordering::Acquire).min(pool.capacity);
        (pool.first..pool.first + used).filter(|number| !get(*number).class().is_null())
    })
}

/// Whether this code is a hook.
pub fn is_hook(implementation: Imp) -> bool {
    POOLS.iter().zip(&USED).any(|(pool, used)| {
        pool.index_of(implementation)
            .is_some_and(|index| index < used.load(Ordering::Acquire))
    })
}

//! The library's `sync.rs`, with loom's parts.

pub use loom::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};

use loom::cell::UnsafeCell;

/// Loom's parts cannot be made in a constant.
macro_rules! constant {
    ($(#[$meta:meta])* $vis:vis fn $($rest:tt)*) => { $(#[$meta])* #[allow(clippy::new_without_default)] $vis fn $($rest)* };
}
pub(crate) use constant;

/// See the library's.
macro_rules! array {
    ($each:expr; $count:expr) => {
        std::array::from_fn(|_| $each)
    };
}
pub(crate) use array;

/// A value that something else guards; loom complains where two threads meet in it.
pub struct Guarded<T>(UnsafeCell<T>);

impl<T> Guarded<T> {
    /// Around `value`.
    pub fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// The value's address, for `with`.
    pub fn with<R>(&self, with: impl FnOnce(*mut T) -> R) -> R {
        self.0.with_mut(with)
    }
}

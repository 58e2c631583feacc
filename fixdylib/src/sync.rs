//! What the locks are built from. The models of `fixdylib/models/` compile the same locks against a version of this module
//! that tries every order in which threads can meet.

use std::cell::UnsafeCell;
pub use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};

/// A function that can make a static here, and cannot in a model.
macro_rules! constant {
    ($(#[$meta:meta])* $vis:vis fn $($rest:tt)*) => { $(#[$meta])* $vis const fn $($rest)* };
}
pub(crate) use constant;

/// An array of the same expression, evaluated for each place.
macro_rules! array {
    ($each:expr; $count:expr) => {
        [const { $each }; $count]
    };
}
pub(crate) use array;

/// A value that something else guards.
pub struct Guarded<T>(UnsafeCell<T>);

impl<T> Guarded<T> {
    /// Around `value`.
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// The value's address, for `with`. What is done with it is the caller's to justify.
    #[inline]
    pub fn with<R>(&self, with: impl FnOnce(*mut T) -> R) -> R {
        with(self.0.get())
    }
}

//! Selectors of the messages that the library sends, found once.
//!
//! GCC's runtime takes a lock to find a selector by its name. Another thread may have it at a `fork`, and then the child
//! would wait for ever.

use std::ffi::{CStr, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::Selector;

/// A selector by its name.
pub struct Known {
    name: &'static CStr,
    found: AtomicPtr<c_void>,
}

pub static RETAIN: Known = Known::new(c"retain");
pub static RELEASE: Known = Known::new(c"release");
pub static RETAIN_COUNT: Known = Known::new(c"retainCount");
/// A command buffer's.
pub static STATUS: Known = Known::new(c"status");

impl Known {
    const fn new(name: &'static CStr) -> Self {
        Self {
            name,
            found: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// The selector.
    pub fn get(&self) -> Selector {
        let found = self.found.load(Ordering::Acquire);
        if !found.is_null() {
            return found;
        }
        let found = super::selector(self.name);
        self.found.store(found.cast_mut(), Ordering::Release);
        found
    }
}

/// Finds them all. Called before the first hook is installed.
pub fn prepare() {
    for known in [&RETAIN, &RELEASE, &RETAIN_COUNT, &STATUS] {
        known.get();
    }
}

//! The system's mutexes, of the kinds that the published versions use (`std::mutex`, `std::recursive_mutex`), and a
//! condition to wait for with one.

#[cfg(target_os = "linux")]
#[path = "mutex/linux.rs"]
mod native;
#[cfg(target_os = "macos")]
#[path = "mutex/macos.rs"]
mod native;

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::time::Duration;

use agx_policy::policies::LockKind;

use crate::os;

/// A mutex that stays where it is: for statics only.
pub struct Mutex(UnsafeCell<libc::pthread_mutex_t>);

// SAFETY: the system's mutexes are for use from several threads.
unsafe impl Sync for Mutex {}

impl Mutex {
    /// A free plain mutex.
    pub const fn new() -> Self {
        Self(UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER))
    }

    /// Makes it a free mutex of this kind, whatever it was; false if the system refuses.
    ///
    /// # Safety
    /// No thread uses the mutex meanwhile, or there is only the calling one left after a `fork`.
    pub unsafe fn make(&self, kind: LockKind) -> bool {
        let kind = match kind {
            LockKind::Plain => libc::PTHREAD_MUTEX_NORMAL,
            LockKind::Recursive | LockKind::Scoped => libc::PTHREAD_MUTEX_RECURSIVE,
        };
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: the attributes are initialised before they are used; nobody uses the mutex. One that a parent's thread
        // holds is not destroyed but written over, which both systems allow: it is a word in memory.
        unsafe {
            if libc::pthread_mutexattr_init(attributes.as_mut_ptr()) != 0 {
                return false;
            }
            let made = libc::pthread_mutexattr_settype(attributes.as_mut_ptr(), kind) == 0
                && libc::pthread_mutex_init(self.0.get(), attributes.as_ptr()) == 0;
            libc::pthread_mutexattr_destroy(attributes.as_mut_ptr());
            made
        }
    }

    /// Takes the mutex if no other thread has it; of a plain one, if nobody has it.
    #[inline]
    pub fn try_lock(&self) -> bool {
        // SAFETY: the mutex is initialised.
        unsafe { libc::pthread_mutex_trylock(self.0.get()) == 0 }
    }

    /// Takes the mutex, waiting for it. For ever, where it is a plain one that the caller has.
    pub fn lock(&self) {
        // SAFETY: as above. The kinds used here cannot fail but for 2^32 levels.
        unsafe { libc::pthread_mutex_lock(self.0.get()) };
    }

    /// Takes the mutex, waiting for it until this time of [`os::monotonic_ns`] at most; whether it did.
    pub fn lock_until(&self, deadline_ns: u64) -> bool {
        if deadline_ns == os::NEVER {
            self.lock();
            return true;
        }
        let left = deadline_ns.saturating_sub(os::monotonic_ns());
        // SAFETY: the mutex is initialised.
        unsafe { native::lock_for(self.0.get(), Duration::from_nanos(left)) }
    }

    /// Gives one level back.
    ///
    /// # Safety
    /// The calling thread has the mutex.
    #[inline]
    pub unsafe fn unlock(&self) {
        // SAFETY: promised by the caller.
        unsafe { libc::pthread_mutex_unlock(self.0.get()) };
    }
}

/// A condition that stays where it is: for statics only.
pub struct Condition(UnsafeCell<libc::pthread_cond_t>);

// SAFETY: the system's conditions are for use from several threads.
unsafe impl Sync for Condition {}

impl Condition {
    /// A condition; [`Self::make`] comes before its use.
    pub const fn new() -> Self {
        Self(UnsafeCell::new(libc::PTHREAD_COND_INITIALIZER))
    }

    /// Makes it a condition for which nobody waits; false if the system refuses.
    ///
    /// # Safety
    /// As for [`Mutex::make`].
    pub unsafe fn make(&self) -> bool {
        // SAFETY: promised by the caller.
        unsafe { native::make_condition(self.0.get()) }
    }

    /// Waits, with one level of the mutex given back meanwhile. May return without cause.
    ///
    /// # Safety
    /// The calling thread has the mutex.
    pub unsafe fn wait(&self, mutex: &Mutex) {
        // SAFETY: promised by the caller.
        unsafe { libc::pthread_cond_wait(self.0.get(), mutex.0.get()) };
    }

    /// As [`Self::wait`], for at most this long.
    ///
    /// # Safety
    /// The calling thread has the mutex.
    pub unsafe fn wait_for(&self, mutex: &Mutex, limit: Duration) {
        // SAFETY: promised by the caller.
        unsafe { native::wait_for(self.0.get(), mutex.0.get(), limit) };
    }

    /// Wakes all who wait.
    pub fn wake(&self) {
        // SAFETY: the condition is initialised.
        unsafe { libc::pthread_cond_broadcast(self.0.get()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static PLAIN: Mutex = Mutex::new();
    static RECURSIVE: Mutex = Mutex::new();
    static WAITED: Mutex = Mutex::new();
    static CONDITION: Condition = Condition::new();

    #[test]
    fn a_plain_one_does_not_nest_and_a_recursive_one_does() {
        // SAFETY: nobody else uses these; what is unlocked was locked here.
        unsafe {
            assert!(PLAIN.make(LockKind::Plain) && RECURSIVE.make(LockKind::Recursive));
            PLAIN.lock();
            assert!(!PLAIN.try_lock());
            assert!(!PLAIN.lock_until(os::deadline_in_ms(1)));
            PLAIN.unlock();
            assert!(PLAIN.lock_until(os::deadline_in_ms(1)));
            PLAIN.unlock();
            RECURSIVE.lock();
            assert!(RECURSIVE.try_lock());
            RECURSIVE.unlock();
            RECURSIVE.unlock();
        }
    }

    #[test]
    fn a_wait_ends_at_its_limit_with_the_mutex_in_hand() {
        // SAFETY: nobody else uses these, and the mutex is locked here.
        unsafe {
            assert!(WAITED.make(LockKind::Recursive) && CONDITION.make());
            WAITED.lock();
            CONDITION.wait_for(&WAITED, Duration::from_millis(1));
            std::thread::scope(|scope| {
                scope.spawn(|| assert!(!WAITED.try_lock()));
            });
            WAITED.unlock();
        }
    }
}

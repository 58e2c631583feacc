//! What the kernel does for a futex, exactly: it looks at the word and puts the thread to sleep in one step, wakes as many as it
//! is told and no others, and ends the sleep of those with a deadline when the time comes.

use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use loom::sync::{Condvar, Mutex};

use super::NEVER;

/// The time after [`expire`]: the last one, before which every deadline comes.
const EXPIRED_NS: u64 = NEVER - 1;

struct Bed {
    /// Address of the word, and a number of its own, for each that sleeps; oldest first.
    sleepers: Vec<(usize, u64)>,
    last: u64,
    is_expired: bool,
}

loom::lazy_static! {
    static ref BED: Mutex<Bed> = Mutex::new(Bed { sleepers: Vec::new(), last: 0, is_expired: false });
    static ref WOKEN: Condvar = Condvar::new();
    static ref NOW_NS: AtomicU64 = AtomicU64::new(0);
}

/// See the library's.
pub fn wait(word: &AtomicU32, value: u32, deadline_ns: u64) {
    let mut bed = BED.lock().expect("not poisoned");
    if word.load(Ordering::SeqCst) != value {
        return;
    }
    bed.last += 1;
    let me = bed.last;
    bed.sleepers.push((address(word), me));
    while bed.sleepers.iter().any(|(_, sleeper)| *sleeper == me) {
        if bed.is_expired && deadline_ns != NEVER {
            bed.sleepers.retain(|(_, sleeper)| *sleeper != me);
            return;
        }
        bed = WOKEN.wait(bed).expect("not poisoned");
    }
}

/// See the library's.
pub fn wake(word: &AtomicU32, count: u32) {
    let mut bed = BED.lock().expect("not poisoned");
    let mut left = count;
    bed.sleepers.retain(|(slept_on, _)| {
        let wakes = *slept_on == address(word) && left > 0;
        left -= u32::from(wakes);
        !wakes
    });
    WOKEN.notify_all();
}

fn address(word: &AtomicU32) -> usize {
    std::ptr::from_ref(word) as usize
}

/// Lets every deadline pass.
pub fn expire() {
    NOW_NS.store(EXPIRED_NS, Ordering::Release);
    let mut bed = BED.lock().expect("not poisoned");
    bed.is_expired = true;
    WOKEN.notify_all();
}

/// 0 until [`expire`].
pub fn monotonic_ns() -> u64 {
    NOW_NS.load(Ordering::Acquire)
}

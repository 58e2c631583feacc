//! Real forks, while other threads hold what the child then needs.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{Plain, Reentrant};
use crate::os;
use crate::throttle::{Nobody, Throttle};

const THREADS: usize = 8;
const FORKS: usize = 40;
/// A child that hangs is ended by the alarm, and then did not exit 0.
const CHILD_SECONDS: u32 = 20;

/// Forks `FORKS` times while `THREADS` threads `work`; each child must find what it asks for.
fn fork_while(work: impl Fn(usize) + Sync, in_child: impl Fn() -> bool) {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for thread in 1..=THREADS {
            let (work, is_over) = (&work, &is_over);
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    work(thread);
                }
            });
        }
        let good = (0..FORKS).filter(|_| fork_once(&in_child)).count();
        is_over.store(true, Ordering::Relaxed);
        assert_eq!(good, FORKS, "children that went on");
    });
}

fn fork_once(in_child: impl Fn() -> bool) -> bool {
    // SAFETY: the child calls async-signal-safe functions and code of ours that allocates nothing, and leaves at once.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "the system has no room for a process");
    if child == 0 {
        // SAFETY: neither has preconditions.
        unsafe {
            libc::alarm(CHILD_SECONDS);
            libc::_exit(i32::from(!in_child()));
        }
    }
    let mut status = 0;
    // SAFETY: `status` is valid for a write, and the child is ours.
    while unsafe { libc::waitpid(child, &raw mut status, 0) } != child {
        assert_eq!(os::errno(), libc::EINTR, "waiting for a child failed");
    }
    libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0
}

const ME: usize = 100;

#[test]
fn a_lock_that_a_thread_of_the_parent_held_is_free_in_the_child() {
    let lock = Reentrant::new(0_u64);
    fork_while(
        |thread| {
            lock.lock(thread);
            // SAFETY: locked in the line above.
            unsafe {
                lock.with(|value| *value += 1);
                lock.unlock();
            }
        },
        || {
            let was_mine = lock.reset_after_fork(ME);
            lock.lock(ME);
            lock.lock(ME);
            // SAFETY: locked twice above.
            unsafe {
                lock.unlock();
                lock.unlock();
            }
            !was_mine && !lock.is_held_by(ME) && lock.waiting() == 0
        },
    );
}

#[test]
fn a_lock_that_the_forking_thread_held_is_its_own_in_the_child() {
    let lock = Reentrant::new(());
    let forked = AtomicBool::new(false);
    std::thread::scope(|scope| {
        lock.lock(ME);
        lock.lock(ME);
        let waiter = scope.spawn(|| {
            lock.lock(1);
            assert!(forked.load(Ordering::Relaxed));
            // SAFETY: locked above.
            unsafe { lock.unlock() };
        });
        while lock.waiting() == 0 {
            std::thread::yield_now();
        }
        let good = fork_once(|| {
            let was_mine = lock.reset_after_fork(ME);
            // SAFETY: held twice since before the fork.
            unsafe {
                lock.unlock();
                lock.unlock();
            }
            was_mine && !lock.is_held_by(ME) && lock.try_lock(2).is_some()
        });
        forked.store(true, Ordering::Relaxed);
        // SAFETY: locked twice above; the child's are its own.
        unsafe {
            lock.unlock();
            lock.unlock();
        }
        waiter.join().expect("no panic");
        assert!(good);
    });
}

#[test]
fn a_plain_lock_goes_on_in_the_child() {
    let plain = Plain::new(0_u64);
    fork_while(
        |_| plain.with(|value| *value += 1),
        || {
            plain.reset_after_fork(|value| *value = 0);
            plain.with(|value| *value) == 0
        },
    );
}

#[test]
fn a_throttle_goes_on_in_the_child() {
    let throttle = Box::new(Throttle::<64, 16, 4>::new(2, 60_000));
    fork_while(
        |thread| {
            let buffer = (thread as u64) << 8;
            throttle.admit(buffer, true, &Nobody);
            throttle.completed(buffer, &Nobody);
        },
        || {
            throttle.reset_after_fork();
            throttle.admit(0x10_0000, true, &Nobody);
            throttle.admit(0x20_0000, true, &Nobody);
            let full = throttle.in_flight() == 2;
            throttle.completed(0x10_0000, &Nobody);
            throttle.completed(0x20_0000, &Nobody);
            full && throttle.in_flight() == 0
        },
    );
}

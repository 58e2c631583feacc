//! Work on many files at once whose results come in the order of the files.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::panic;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// How many files may be worked on or be done beyond the one that is awaited, for each thread.
/// Bounds the results that are held at a time.
const AHEAD: usize = 16;

struct State<T> {
    /// The first item that nobody has taken.
    next: usize,
    /// The item whose result is given out next.
    given: usize,
    /// Results from `given` on.
    done: VecDeque<Option<T>>,
    stopped: bool,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    /// A result has been put in.
    filled: Condvar,
    /// A result has been taken out, or there is nothing more to do.
    room: Condvar,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // A thread that panics holds no lock while it works, and ends the whole by its panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self) {
        self.lock().stopped = true;
        self.room.notify_all();
        self.filled.notify_all();
    }
}

/// Tells the others when its thread ends, however it ends.
struct Ending<'a, T>(&'a Shared<T>);

impl<T> Drop for Ending<'_, T> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop();
        }
    }
}

/// Does `work` for every item on up to `threads` threads, and hands the results to `each` in the
/// order of the items, until it breaks. At most a few results a thread exist at a time.
///
/// # Panics
/// Where `work` or `each` does.
pub fn for_each<I: Sync, T: Send>(
    items: &[I],
    threads: usize,
    work: impl Fn(&I) -> T + Sync,
    mut each: impl FnMut(&I, T) -> ControlFlow<()>,
) {
    let threads = threads.min(items.len());
    if threads < 2 {
        for item in items {
            if each(item, work(item)).is_break() {
                return;
            }
        }
        return;
    }
    let shared = Shared {
        state: Mutex::new(State {
            next: 0,
            given: 0,
            done: VecDeque::new(),
            stopped: false,
        }),
        filled: Condvar::new(),
        room: Condvar::new(),
    };
    thread::scope(|scope| {
        let _ending = Ending(&shared);
        let workers: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| labour(&shared, items, AHEAD * threads, &work)))
            .collect();
        for item in items {
            let Some(result) = take(&shared) else { break };
            if each(item, result).is_break() {
                break;
            }
        }
        shared.stop();
        for worker in workers {
            if let Err(payload) = worker.join() {
                panic::resume_unwind(payload);
            }
        }
    });
}

fn labour<I, T>(shared: &Shared<T>, items: &[I], ahead: usize, work: &impl Fn(&I) -> T) {
    let _ending = Ending(shared);
    loop {
        let mut state = shared.lock();
        while !state.stopped && state.next < items.len() && state.next >= state.given + ahead {
            state = shared
                .room
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let at = state.next;
        let Some(item) = items.get(at).filter(|_| !state.stopped) else {
            return;
        };
        state.next += 1;
        drop(state);
        let result = work(item);
        let mut state = shared.lock();
        let slot = at - state.given;
        while state.done.len() <= slot {
            state.done.push_back(None);
        }
        state.done[slot] = Some(result);
        drop(state);
        if slot == 0 {
            shared.filled.notify_one();
        }
    }
}

/// The next result; `None` once a worker has panicked.
fn take<T>(shared: &Shared<T>) -> Option<T> {
    let mut state = shared.lock();
    loop {
        if let Some(result) = state.done.front_mut().and_then(Option::take) {
            state.done.pop_front();
            state.given += 1;
            drop(state);
            shared.room.notify_one();
            return Some(result);
        }
        if state.stopped {
            return None;
        }
        state = shared
            .filled
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn results_come_in_order_whatever_takes_longer() {
        let items: Vec<usize> = (0..1000).collect();
        for threads in [0, 1, 2, 3, 8] {
            let mut seen = Vec::new();
            let slow_first = |item: &usize| {
                let turns = if item.is_multiple_of(97) { 20_000 } else { 1 };
                (0..turns).fold(*item, |sum, _| std::hint::black_box(sum))
            };
            for_each(&items, threads, slow_first, |_, result| {
                seen.push(result);
                ControlFlow::Continue(())
            });
            assert_eq!(seen, items, "{threads} threads");
        }
    }

    #[test]
    fn a_break_ends_the_work_soon() {
        let items: Vec<usize> = (0..100_000).collect();
        let worked = AtomicUsize::new(0);
        let mut seen = 0;
        let work = |_: &usize| worked.fetch_add(1, Ordering::Relaxed);
        for_each(&items, 4, work, |_, _| {
            seen += 1;
            if seen == 10 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        assert_eq!(seen, 10);
        assert!(worked.load(Ordering::Relaxed) <= 10 + 4 * AHEAD + 4);
    }

    #[test]
    fn few_results_are_held_however_slow_the_first_is() {
        let items: Vec<usize> = (0..5000).collect();
        let (made, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let most = AtomicUsize::new(0);
        let work = |_: &usize| {
            let held = made.fetch_add(1, Ordering::SeqCst) - taken.load(Ordering::SeqCst);
            most.fetch_max(held, Ordering::SeqCst);
        };
        for_each(&items, 4, work, |_, ()| {
            taken.fetch_add(1, Ordering::SeqCst);
            ControlFlow::Continue(())
        });
        assert!(most.load(Ordering::SeqCst) <= 5 * AHEAD);
    }

    #[test]
    fn a_panic_is_passed_on() {
        let items: Vec<usize> = (0..1000).collect();
        let panicked = panic::catch_unwind(|| {
            let work = |item: &usize| assert_ne!(*item, 500);
            for_each(&items, 3, work, |_, ()| ControlFlow::Continue(()));
        });
        assert!(panicked.is_err());
    }
}

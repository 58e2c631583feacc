//! Two threads and one encoder, in every order: what the library promises about an encoder's life holds in each.
//!
//! The state machine and the lock are the library's. The driver, the program and the few lines by which the hooks tie all of
//! them together are played here. A thread that meets another inside the encoder, or an encoder that is gone, fails the test.

use agx_fix_models::lifecycle::{Commit, Entered, Lifecycle, Opened};
use agx_fix_models::lock::Reentrant;
use agx_fix_models::model;
use agx_fix_models::sync::{AtomicU32, Guarded, Ordering};
use loom::sync::Arc;
use loom::thread;

const ENCODER: u64 = 0x1000;
const BUFFER: u64 = 0x2000;
/// Switches of threads against their will, in one run.
const SWITCHES: usize = 3;

/// What a thread of the program does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// A work method, which calls `super`.
    Work,
    /// `endEncoding`, inside which the driver calls `destroyImpl`.
    End,
    /// `destroyImpl`, by itself.
    Destroy,
    /// The command buffer's `commit`.
    Commit,
}

/// The driver's side of the encoder.
struct Memory {
    is_alive: bool,
    has_impl: bool,
    work: u32,
}

/// What the lock protects.
struct State {
    lifecycle: Box<Lifecycle>,
    created: u32,
    released: u32,
    adopted: u32,
    made: u32,
    skipped: u32,
}

struct World {
    lock: Reentrant<State>,
    retains: AtomicU32,
    memory: Guarded<Memory>,
}

impl World {
    /// An encoder that the program has `retains` of; tracked if its factory was seen.
    fn new(retains: u32, is_tracked: bool) -> Self {
        let state = State {
            lifecycle: nothing_known(),
            created: 0,
            released: 0,
            adopted: 0,
            made: 0,
            skipped: 0,
        };
        let it = Self {
            lock: Reentrant::new(state),
            retains: AtomicU32::new(retains),
            memory: Guarded::new(Memory {
                is_alive: true,
                has_impl: true,
                work: 0,
            }),
        };
        if is_tracked {
            it.locked(1, || it.track(1));
        }
        it
    }

    fn locked(&self, me: usize, run: impl FnOnce()) {
        self.lock.lock(me);
        run();
        // SAFETY: locked above.
        unsafe { self.lock.unlock() };
    }

    fn state<R>(&self, with: impl FnOnce(&mut State) -> R) -> R {
        // SAFETY: every caller is inside `locked`, and no closure comes back here.
        unsafe { self.lock.with(with) }
    }

    /// The driver, or the allocator, uses the encoder.
    fn touch<R>(&self, with: impl FnOnce(&mut Memory) -> R) -> R {
        self.memory.with(|memory| {
            // SAFETY: loom fails the test where two threads are here.
            let memory = unsafe { &mut *memory };
            assert!(memory.is_alive, "used after it was freed");
            with(memory)
        })
    }

    fn release(&self) {
        if self.retains.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.touch(|memory| memory.is_alive = false);
        }
    }

    fn track(&self, me: usize) {
        let opened = self.state(|it| it.lifecycle.opened(ENCODER, BUFFER, me as u64));
        assert_eq!(opened, Opened::New);
        self.retains.fetch_add(1, Ordering::Relaxed);
        self.state(|it| it.created += 1);
    }

    fn step(&self, me: usize, step: Step) {
        self.locked(me, || match step {
            Step::Work => self.work(me),
            Step::End => self.end(me, true),
            Step::Destroy => self.end(me, false),
            Step::Commit => self.commit(me),
        });
    }

    fn work(&self, me: usize) {
        let mut entered = self.state(|it| it.lifecycle.enter(ENCODER, me as u64));
        let has_impl = self.touch(|memory| memory.has_impl);
        if entered == Entered::Untracked && has_impl {
            self.track(me);
            self.state(|it| it.adopted += 1);
            entered = self.state(|it| it.lifecycle.enter(ENCODER, me as u64));
        }
        if has_impl {
            self.touch(|memory| memory.work += 1);
            // `super`: the lock again, and the same encoder.
            self.locked(me, || {
                let inner = self.state(|it| it.lifecycle.enter(ENCODER, me as u64));
                self.leave(inner, false);
            });
            self.state(|it| it.made += 1);
        } else {
            self.state(|it| it.skipped += 1);
        }
        self.leave(entered, false);
    }

    fn end(&self, me: usize, is_whole: bool) {
        let entered = self.state(|it| it.lifecycle.enter(ENCODER, me as u64));
        if is_whole {
            self.locked(me, || self.end(me, false));
            // The driver's method goes on.
            self.touch(|memory| assert!(!memory.has_impl));
        } else {
            self.touch(|memory| memory.has_impl = false);
        }
        self.leave(entered, true);
    }

    fn leave(&self, entered: Entered, ended: bool) {
        let (Entered::Open(index) | Entered::AfterEnd(index)) = entered else {
            return;
        };
        if let Some(address) = self.state(|it| it.lifecycle.leave(index, ended)) {
            assert_eq!(address, ENCODER);
            self.state(|it| it.released += 1);
            self.release();
        }
    }

    fn commit(&self, me: usize) {
        let begun = self.state(|it| it.lifecycle.commit_begins(BUFFER));
        assert_ne!(
            begun,
            Commit::Nested,
            "another thread's commit is over when the lock is free"
        );
        while let Some(encoder) = self.state(|it| it.lifecycle.next_to_end(BUFFER, None)) {
            assert_eq!(encoder, ENCODER);
            self.locked(me, || self.end(me, true));
        }
        self.state(|it| it.lifecycle.commit_ends(BUFFER, false));
    }
}

/// On the heap at once: loom's threads have small stacks.
fn nothing_known() -> Box<Lifecycle> {
    static NOTHING: Lifecycle = Lifecycle::new();
    let mut place = Box::new_uninit();
    // SAFETY: both are one `Lifecycle`, which is plain data and owns nothing.
    unsafe {
        std::ptr::copy_nonoverlapping(&raw const NOTHING, place.as_mut_ptr(), 1);
        place.assume_init()
    }
}

/// Runs both threads' steps in every order, each with a retain of the program's that it gives back at its end.
fn run(is_tracked: bool, mine: &'static [Step], others: &'static [Step]) {
    model(SWITCHES, move || {
        let world = Arc::new(World::new(2, is_tracked));
        let play = |world: Arc<World>, me: usize, steps: &[Step]| {
            for step in steps {
                world.step(me, *step);
            }
            world.release();
        };
        let other = {
            let world = world.clone();
            thread::spawn(move || play(world, 2, others))
        };
        play(world.clone(), 1, mine);
        other.join().expect("no panic");
        check(&world, is_tracked, &[mine, others].concat());
    });
}

/// What holds when both are done.
fn check(world: &World, is_tracked: bool, steps: &[Step]) {
    let calls = steps.iter().filter(|it| **it == Step::Work).count();
    let work = world.memory.with(|memory| {
        // SAFETY: the other thread is gone.
        let memory = unsafe { &*memory };
        assert!(!memory.is_alive, "nobody holds it, and it is still there");
        memory.work
    });
    assert_eq!(world.retains.load(Ordering::Relaxed), 0);
    world.locked(1, || {
        world.state(|it| {
            assert_eq!(it.made, work);
            assert_eq!(
                (it.made + it.skipped) as usize,
                calls,
                "a call was lost uncounted"
            );
            assert_eq!(
                it.created, it.released,
                "what was taken was not given back, or twice"
            );
            assert_eq!(it.created, u32::from(is_tracked) + it.adopted);
            assert_eq!(it.lifecycle.others_open(BUFFER, 0), None, "still open");
            assert!(!it.lifecycle.is_inside());
        });
    });
}

#[test]
fn whoever_ends_it_the_other_s_work_is_made_or_counted() {
    for end in [Step::End, Step::Destroy, Step::Commit] {
        let others: &'static [Step] = match end {
            Step::Destroy => &[Step::Work, Step::Destroy],
            Step::Commit => &[Step::Work, Step::Commit],
            _ => &[Step::Work, Step::End],
        };
        run(true, &[Step::Work, Step::Work], others);
    }
}

#[test]
fn two_that_end_it_give_it_back_once() {
    for mine in [&[Step::End], &[Step::Destroy], &[Step::Commit]] {
        for others in [&[Step::End], &[Step::Destroy], &[Step::Commit]] {
            run(true, mine, others);
        }
    }
}

#[test]
fn all_four_calls_meet() {
    run(
        true,
        &[Step::Work, Step::End, Step::Work],
        &[Step::Destroy, Step::Commit],
    );
    run(
        true,
        &[Step::Work, Step::Commit, Step::Destroy],
        &[Step::Work, Step::End],
    );
}

#[test]
fn one_whose_factory_was_not_seen_is_adopted_once() {
    run(false, &[Step::Work, Step::End], &[Step::Work, Step::End]);
    run(false, &[Step::Work, Step::End], &[Step::Destroy]);
}

/// The program gives its only retain back as soon as its own call is over, as an autorelease pool does, while another thread
/// commits: what the commit ends is alive by the library's retain alone.
#[test]
fn a_commit_ends_what_the_program_let_go() {
    model(SWITCHES, || {
        let world = Arc::new(World::new(1, true));
        let other = {
            let world = world.clone();
            thread::spawn(move || world.step(2, Step::Commit))
        };
        world.step(1, Step::Work);
        world.release();
        other.join().expect("no panic");
        check(&world, true, &[Step::Work, Step::Commit]);
    });
}

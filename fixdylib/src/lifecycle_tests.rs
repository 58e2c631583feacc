use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

const ME: Owner = 1;
const OTHER: Owner = 2;

fn fresh() -> Box<Lifecycle> {
    Box::new(Lifecycle::new())
}

#[test]
fn an_encoder_is_released_once_when_it_ended_and_is_empty() {
    let mut it = fresh();
    assert_eq!(it.opened(0x100, 0x10, ME), Opened::New);
    let Entered::Open(work) = it.enter(0x100, ME) else {
        panic!("open")
    };
    let Entered::Open(end) = it.enter(0x100, ME) else {
        panic!("open")
    };
    assert_eq!(it.leave(end, true), None, "a call is inside it");
    assert_eq!(it.leave(work, false), Some(0x100));
    assert_eq!(it.open_count(), 0);
    let Entered::AfterEnd(late) = it.enter(0x100, ME) else {
        panic!("ended")
    };
    assert_eq!(
        it.leave(late, true),
        None,
        "the retain was given back before"
    );
}

#[test]
fn the_short_way_is_for_open_encoders_alone() {
    let mut it = fresh();
    assert_eq!(it.enter_at_home(0x100, ME), None, "unknown");
    it.opened(0x100, 0x10, ME);
    let work = it.enter_at_home(0x100, OTHER).expect("open");
    assert!(it.is_inside());
    assert_eq!(it.others_open(0x10, ME), None, "a call is inside it");
    assert!(it.leave_open(work));
    assert!(!it.is_inside());
    assert_eq!(it.others_open(0x10, ME), Some((0x100, OTHER)));

    let work = it.enter_at_home(0x100, ME).expect("open");
    let Entered::Open(end) = it.enter(0x100, ME) else {
        panic!("open")
    };
    assert_eq!(it.leave(end, true), None, "a call is inside it");
    assert!(!it.leave_open(work), "it was ended inside the call");
    assert_eq!(it.leave(work, false), Some(0x100), "nothing was changed");
    assert_eq!(it.enter_at_home(0x100, ME), None, "ended");
}

#[test]
fn a_reused_encoder_is_retained_again() {
    let mut it = fresh();
    it.opened(0x100, 0x10, ME);
    assert_eq!(it.opened(0x100, 0x10, ME), Opened::AlreadyOpen);
    let Entered::Open(end) = it.enter(0x100, ME) else {
        panic!("open")
    };
    assert_eq!(it.leave(end, true), Some(0x100));
    assert_eq!(it.opened(0x100, 0x20, ME), Opened::Reused);
    assert_eq!(it.next_to_end(0x10, None), None);
    assert_eq!(it.next_to_end(0x20, None), Some(0x100));
    assert_eq!(it.next_to_end(0x20, None), None, "asked for once");
}

/// Opens and ends encoders, and keeps them.
fn kept(addresses: &[u64]) -> Box<Lifecycle> {
    let mut it = fresh();
    for address in addresses {
        it.opened(*address, 0x10, ME);
        let Entered::Open(end) = it.enter(*address, ME) else {
            panic!("open")
        };
        assert_eq!(it.leave(end, true), Some(*address));
        it.keep(*address);
    }
    it
}

#[test]
fn a_kept_encoder_is_released_when_the_call_it_was_kept_for_leaves() {
    let mut it = kept(&[0x100, 0x200]);
    let Entered::AfterEnd(late) = it.enter(0x100, OTHER) else {
        panic!("ended")
    };
    assert_eq!(it.kept(0), Some((0, 0x200)), "nobody else gives it back");
    assert_eq!(it.leave(late, true), Some(0x100));
    assert_eq!(it.kept_count(), 1);
}

#[test]
fn kept_encoders_are_let_go_once() {
    let mut it = kept(&[0x100, 0x200, 0x300]);
    it.let_go(0x100);
    assert_eq!(it.kept(0), Some((0, 0x300)), "the last takes its place");
    it.let_go(0x100);
    assert_eq!(it.kept(1), Some((1, 0x200)));
    it.let_go(0x300);
    it.let_go(0x200);
    assert_eq!((it.kept(0), it.kept_count()), (None, 0));
    let Entered::AfterEnd(late) = it.enter(0x100, ME) else {
        panic!("ended")
    };
    assert_eq!(it.leave(late, false), None, "given back before");
}

#[test]
fn a_kept_encoder_that_is_handed_out_again_keeps_its_one_retain() {
    let mut it = kept(&[0x100]);
    assert_eq!(it.opened(0x100, 0x20, ME), Opened::AlreadyOpen);
    assert_eq!((it.kept_count(), it.open_count()), (0, 1));
    let Entered::Open(end) = it.enter(0x100, ME) else {
        panic!("open")
    };
    assert_eq!(it.leave(end, true), Some(0x100));
}

#[test]
fn idle_encoders_are_found_by_their_command_buffer() {
    let mut it = fresh();
    it.opened(0x100, 0x10, ME);
    it.opened(0x200, 0x20, ME);
    it.opened(0x300, 0x10, ME);
    let Entered::Open(inside) = it.enter(0x100, ME) else {
        panic!("open")
    };
    assert_eq!(it.idle_of(0x10, 0), Some((2, 0x300)));
    assert_eq!(it.leave(inside, false), None);
    assert_eq!(it.idle_of(0x10, 0), Some((0, 0x100)));
    it.not_retained(0x100);
    assert_eq!(
        it.idle_of(0x10, 0),
        Some((0, 0x300)),
        "the last took its place"
    );
    assert_eq!(it.idle_of(0x10, 1), None);
    assert_eq!(it.open_count(), 2);
}

#[test]
fn an_encoder_belongs_to_the_thread_that_used_it_last() {
    let mut it = fresh();
    it.opened(0x100, 0x10, ME);
    it.opened(0x200, 0x10, OTHER);
    it.opened(0x300, 0x20, OTHER);
    assert_eq!(it.others_open(0x10, ME), Some((0x200, OTHER)));
    assert_eq!(it.next_to_end(0x10, Some(ME)), Some(0x100));
    assert_eq!(it.next_to_end(0x10, Some(ME)), None);
    let Entered::Open(index) = it.enter(0x200, ME) else {
        panic!("open")
    };
    assert!(it.is_inside());
    assert_eq!(it.leave(index, false), None);
    assert!(!it.is_inside());
    assert_eq!(it.others_open(0x10, ME), None, "it is this thread's now");
    assert_eq!(it.next_to_end(0x10, Some(ME)), Some(0x200));
    assert_eq!(it.others_open(0x20, ME), Some((0x300, OTHER)));
    it.reset();
    assert_eq!(it.others_open(0x20, ME), None);
}

#[test]
fn commits_are_told_apart() {
    let mut it = fresh();
    assert_eq!(it.commit_begins(0x10), Commit::First);
    assert_eq!(it.commit_begins(0x10), Commit::Nested);
    it.commit_ends(0x10, false);
    assert!(it.is_committed(0x10));
    assert_eq!(it.commit_begins(0x10), Commit::Again);
    it.commit_ends(0x10, true);
    assert!(!it.is_committed(0x10));
    assert_eq!(it.commit_begins(0x10), Commit::First);
    it.commit_ends(0x10, false);
    it.born(0x10);
    assert_eq!(it.commit_begins(0x10), Commit::First);
}

#[test]
fn more_encoders_than_there_is_room_for_stay_untracked() {
    let mut it = fresh();
    let full = (1..=8192_u64)
        .filter(|n| it.opened(n * 64, 0x10, ME) == Opened::Full)
        .count();
    assert!(full >= 8192 - ENCODERS, "{full}");
    assert_eq!(it.open_count(), 8192 - full);
}

/// One step of one of three threads. As in the hooks, a thread that is inside a call keeps the lock until its outermost
/// call has returned, so that steps of others come only between those.
#[derive(Clone, Debug)]
enum Step {
    Open(u64, u64),
    /// Calls, nested so deep, of which the innermost may end the encoder.
    Calls(u64, u8, bool),
    Commit(u64),
    /// The thread's own encoders are ended, then the others': what an event comes to.
    Event(u64),
    /// A command buffer is made at this address.
    Born(u64),
}

fn steps() -> impl Strategy<Value = Vec<(Owner, Step)>> {
    let encoder = (1_u64..7).prop_map(|it| 0x1000 + it * 0x40);
    let buffer = (1_u64..4).prop_map(|it| it * 0x1_0000);
    let step = prop_oneof![
        (encoder.clone(), buffer.clone()).prop_map(|(encoder, buffer)| Step::Open(encoder, buffer)),
        (encoder, 1_u8..4, any::<bool>()).prop_map(|(it, deep, ends)| Step::Calls(it, deep, ends)),
        buffer.clone().prop_map(Step::Commit),
        buffer.clone().prop_map(Step::Event),
        buffer.prop_map(Step::Born),
    ];
    prop::collection::vec((1_u64..4, step), 0..120)
}

/// What the caller of the state machine does for it, and what must hold.
#[derive(Default)]
struct World {
    retains: HashMap<u64, i32>,
    created: u64,
    released: u64,
    calls: u64,
    seen: u64,
}

impl World {
    fn open(&mut self, it: &mut Lifecycle, encoder: u64, buffer: u64, me: Owner) {
        if matches!(it.opened(encoder, buffer, me), Opened::New | Opened::Reused) {
            *self.retains.entry(encoder).or_default() += 1;
            self.created += 1;
        }
    }

    fn release(&mut self, released: Option<u64>) {
        if let Some(encoder) = released {
            *self.retains.entry(encoder).or_default() -= 1;
            self.released += 1;
        }
    }

    /// A nest of calls; the encoder is retained while any of them is inside, unless it had ended before.
    fn nest(&mut self, it: &mut Lifecycle, encoder: u64, deep: u8, ends: bool, me: Owner) {
        if deep == 0 {
            return;
        }
        self.calls += 1;
        let outermost = !it.is_inside();
        let index = match it.enter(encoder, me) {
            Entered::Open(index) => {
                self.seen += 1;
                // Inside a call that came after the end nothing is retained any more.
                let retained = self.retains.get(&encoder).copied();
                assert!(!outermost || retained == Some(1), "alive inside a call");
                index
            }
            Entered::AfterEnd(index) => {
                self.seen += 1;
                index
            }
            // Adopted, as the hooks do.
            Entered::Untracked => {
                self.open(it, encoder, 0, me);
                let (Entered::Open(index) | Entered::AfterEnd(index)) = it.enter(encoder, me)
                else {
                    panic!("there is room for seven")
                };
                self.seen += 1;
                index
            }
        };
        self.nest(it, encoder, deep - 1, ends, me);
        let released = it.leave(index, ends && deep == 1);
        assert!(released.is_none() || released == Some(encoder));
        self.release(released);
    }

    fn end_all(&mut self, it: &mut Lifecycle, buffer: u64, whose: Option<Owner>, me: Owner) {
        while let Some(encoder) = it.next_to_end(buffer, whose) {
            assert!(!it.is_inside(), "destroyed while a call is inside");
            self.nest(it, encoder, 1, true, me);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// The invariants: an encoder is retained once from its opening until it has ended and nobody is inside, whoever ends
    /// it; no call goes unseen; a commit or an event leaves nothing of its buffer open; and when all is over, what was
    /// created was released.
    #[test]
    fn every_history_keeps_the_invariants(steps in steps()) {
        let mut it = fresh();
        let mut world = World::default();
        for (me, step) in steps {
            match step {
                Step::Open(encoder, buffer) => world.open(&mut it, encoder, buffer, me),
                Step::Calls(encoder, deep, ends) => world.nest(&mut it, encoder, deep, ends, me),
                Step::Commit(buffer) => {
                    let begun = it.commit_begins(buffer);
                    prop_assert_ne!(begun, Commit::Nested, "no commit is open");
                    prop_assert_eq!(it.commit_begins(buffer), Commit::Nested);
                    world.end_all(&mut it, buffer, None, me);
                    it.commit_ends(buffer, false);
                    prop_assert!(it.is_committed(buffer));
                    prop_assert_eq!(it.idle_of(buffer, 0), None);
                }
                Step::Event(buffer) => {
                    world.end_all(&mut it, buffer, Some(me), me);
                    if it.others_open(buffer, me).is_some() {
                        world.end_all(&mut it, buffer, None, me);
                    }
                    prop_assert_eq!(it.idle_of(buffer, 0), None);
                }
                Step::Born(buffer) => {
                    it.born(buffer);
                    prop_assert!(!it.is_committed(buffer));
                }
            }
            prop_assert!(!it.is_inside());
            prop_assert!(world.retains.values().all(|count| (0..=1).contains(count)));
            let held: i32 = world.retains.values().sum();
            prop_assert_eq!(usize::try_from(held).unwrap_or(usize::MAX), it.open_count());
        }
        prop_assert_eq!(world.calls, world.seen, "no call goes uncounted");
        for buffer in (0..4).map(|it| it * 0x1_0000) {
            world.end_all(&mut it, buffer, None, 9);
        }
        prop_assert_eq!(it.open_count(), 0);
        prop_assert_eq!(world.created, world.released);
    }
}

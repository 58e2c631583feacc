use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

fn fresh() -> Box<Lifecycle> {
    Box::new(Lifecycle::new())
}

#[test]
fn an_encoder_is_released_once_when_it_ended_and_is_empty() {
    let mut it = fresh();
    assert_eq!(it.opened(0x100, 0x10), Opened::New);
    let Entered::Open(work) = it.enter(0x100) else {
        panic!("open")
    };
    let Entered::Open(end) = it.enter(0x100) else {
        panic!("open")
    };
    assert_eq!(it.leave(end, true), None, "a call is inside it");
    assert_eq!(it.leave(work, false), Some(0x100));
    assert_eq!(it.open_count(), 0);
    let Entered::AfterEnd(late) = it.enter(0x100) else {
        panic!("ended")
    };
    assert_eq!(
        it.leave(late, true),
        None,
        "the retain was given back before"
    );
}

#[test]
fn a_reused_encoder_is_retained_again() {
    let mut it = fresh();
    it.opened(0x100, 0x10);
    assert_eq!(it.opened(0x100, 0x10), Opened::AlreadyOpen);
    let Entered::Open(end) = it.enter(0x100) else {
        panic!("open")
    };
    assert_eq!(it.leave(end, true), Some(0x100));
    assert_eq!(it.opened(0x100, 0x20), Opened::Reused);
    assert_eq!(it.next_to_end(0x10), None);
    assert_eq!(it.next_to_end(0x20), Some(0x100));
    assert_eq!(it.next_to_end(0x20), None, "asked for once");
}

#[test]
fn idle_encoders_are_found_by_their_command_buffer() {
    let mut it = fresh();
    it.opened(0x100, 0x10);
    it.opened(0x200, 0x20);
    it.opened(0x300, 0x10);
    let Entered::Open(inside) = it.enter(0x100) else {
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
        .filter(|n| it.opened(n * 64, 0x10) == Opened::Full)
        .count();
    assert!(full >= 8192 - ENCODERS, "{full}");
    assert_eq!(it.open_count(), 8192 - full);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Against a model of retains: never below zero, never two, and none left when everything has ended.
    #[test]
    fn retains_and_releases_balance(steps in prop::collection::vec((0_u64..6, 0_u8..4), 0..200)) {
        let mut it = fresh();
        let mut retains: HashMap<u64, i32> = HashMap::new();
        let mut inside: Vec<Index> = Vec::new();
        for (encoder, step) in steps {
            let address = 0x1000 + encoder * 0x40;
            match step {
                0 => if matches!(it.opened(address, 1), Opened::New | Opened::Reused) {
                    *retains.entry(address).or_default() += 1;
                },
                1 => if let Entered::Open(index) | Entered::AfterEnd(index) = it.enter(address) {
                    inside.push(index);
                },
                other => if let Some(index) = inside.pop()
                    && let Some(released) = it.leave(index, other == 3)
                {
                    *retains.entry(released).or_default() -= 1;
                },
            }
            prop_assert!(retains.values().all(|count| (0..=1).contains(count)), "{retains:?}");
        }
        for index in inside.drain(..).rev() {
            if let Some(released) = it.leave(index, false) {
                *retains.entry(released).or_default() -= 1;
            }
        }
        while let Some(address) = it.next_to_end(1) {
            if let Entered::Open(index) = it.enter(address) && let Some(released) = it.leave(index, true) {
                *retains.entry(released).or_default() -= 1;
            }
        }
        prop_assert_eq!(it.open_count(), 0);
        prop_assert!(retains.values().all(|count| *count == 0), "{:?}", retains);
    }
}

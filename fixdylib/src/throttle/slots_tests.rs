use std::collections::{BTreeSet, VecDeque};

use proptest::prelude::*;

use super::*;

const BUFFERS: usize = 1024;
const WAITERS: usize = 256;

fn fresh() -> Box<Slots<BUFFERS, WAITERS>> {
    Box::new(Slots::new())
}

#[test]
fn places_are_given_in_the_order_of_arrival() {
    let mut it = fresh();
    assert_eq!(it.arrive(0x10, 1), Arrival::Goes);
    assert_eq!(it.arrive(0x20, 1), Arrival::Waits(Ticket(1)));
    assert_eq!(it.arrive(0x30, 1), Arrival::Waits(Ticket(2)));
    assert_eq!(it.complete(0x10, 1).next, Some(Ticket(1)));
    assert!(!it.is_waiting(Ticket(1)) && it.is_waiting(Ticket(2)));
    assert_eq!(it.complete(0x20, 1).next, Some(Ticket(2)));
    assert_eq!(it.complete(0x30, 1).next, None);
    assert_eq!((it.in_flight(), it.most()), (0, 1));
}

#[test]
fn who_is_let_through_is_in_flight_too() {
    let mut it = fresh();
    it.arrive(0x10, 1);
    it.arrive(0x20, 1);
    it.arrive(0x30, 1);
    assert!(it.give_up(Ticket(1)));
    assert!(!it.give_up(Ticket(1)));
    assert_eq!(it.in_flight(), 2);
    assert_eq!(it.complete(0x10, 1).next, None, "one is still in flight");
    assert_eq!(it.complete(0x20, 1).next, Some(Ticket(2)));
}

#[test]
fn completions_of_strangers_and_second_ones_free_nothing() {
    let mut it = fresh();
    it.arrive(0x10, 1);
    it.arrive(0x20, 1);
    assert_eq!(it.complete(0x99, 1).next, None);
    assert_eq!(it.complete(0, 1).next, None);
    assert_eq!(it.complete(0x10, 1).next, Some(Ticket(1)));
    assert_eq!(it.complete(0x10, 1).next, None);
    assert_eq!(it.in_flight(), 1);
}

#[test]
fn a_buffer_that_comes_again_takes_one_place() {
    let mut it = fresh();
    assert_eq!(it.arrive(0x10, 2), Arrival::Goes);
    assert_eq!(it.arrive(0x10, 2), Arrival::Goes);
    assert_eq!(it.in_flight(), 1);
}

#[test]
fn one_that_is_announced_while_it_is_asked_keeps_its_place_until_it_has_answered() {
    let mut it: Box<Slots<2, 4>> = Box::new(Slots::new());
    it.arrive(0x10, 1);
    assert!(it.ask(0x10) && !it.ask(0x10) && !it.ask(0x20));
    let (place, asked) = it.next_to_ask(0).expect("one to ask");
    assert_eq!((asked, it.next_to_ask(0)), (0x10, None));
    let announced = it.complete(0x10, 1);
    assert_eq!((announced, it.in_flight()), (Freed::default(), 0));
    assert_eq!(it.complete(0x10, 1), Freed::default());
    let let_go = Freed {
        next: None,
        let_go: true,
    };
    assert_eq!(it.answered(place, false, 1), let_go);
    assert_eq!(it.arrive(0x10, 1), Arrival::Goes, "as a new one");
}

#[test]
fn one_that_cannot_be_followed_does_not_keep_the_next_waiting() {
    let mut it: Box<Slots<2, 4>> = Box::new(Slots::new());
    it.arrive(0x10, 1);
    it.arrive(0x20, 1);
    assert!(it.give_up(Ticket(1)));
    // Both places are taken; two more wait for a limit that has since been raised.
    it.arrive(0x30, 1);
    it.arrive(0x40, 1);
    assert_eq!(it.admit_next(4), Some(Ticket(2)));
    assert_eq!(it.admit_next(4), Some(Ticket(3)));
    assert_eq!(it.in_flight(), 2);
}

#[test]
fn beyond_what_can_be_followed_commits_go() {
    let mut it = fresh();
    let all = u64::try_from(2 * BUFFERS).expect("small");
    let followed = (1..=all)
        .filter(|n| it.arrive(n * 16, u32::MAX) == Arrival::Goes)
        .count();
    assert!(
        followed <= BUFFERS && followed > BUFFERS * 9 / 10,
        "{followed}"
    );
    let mut it = fresh();
    it.arrive(16, 1);
    let waiters = u64::try_from(WAITERS).expect("small");
    for n in 2..waiters + 2 {
        assert!(matches!(it.arrive(n * 16, 1), Arrival::Waits(_)));
    }
    assert_eq!(it.arrive(0x10_0000, 1), Arrival::NoRoom);
    assert_eq!(it.in_flight(), 2);
    it.reset();
    assert_eq!(it.arrive(16, 1), Arrival::Goes);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Against a set and a queue: never more in flight than allowed but for those let through, first come first served, and
    /// nobody waits while there is room.
    #[test]
    fn histories_agree_with_a_model(
        limit in 1_u32..4, steps in prop::collection::vec((0_u8..3, 1_u64..12), 0..200),
    ) {
        let mut it = fresh();
        let mut flying: BTreeSet<u64> = BTreeSet::new();
        let mut queue: VecDeque<(Ticket, u64)> = VecDeque::new();
        let mut let_through = 0;
        let room = usize::try_from(limit).expect("small");
        for (step, buffer) in steps {
            let address = buffer * 0x240;
            match step {
                0 if queue.iter().any(|(_, waits)| *waits == address) => {} // a commit does not come twice at once
                0 => match it.arrive(address, limit) {
                    Arrival::Goes => {
                        prop_assert!(flying.contains(&address) || flying.len() < room && queue.is_empty());
                        flying.insert(address);
                    }
                    Arrival::Waits(ticket) => {
                        prop_assert!(flying.len() >= room);
                        queue.push_back((ticket, address));
                    }
                    Arrival::NoRoom => prop_assert!(false, "there is room for all"),
                },
                1 => {
                    let flew = flying.remove(&address);
                    let next = if flew && flying.len() < room { queue.pop_front() } else { None };
                    prop_assert_eq!(it.complete(address, limit).next, next.map(|(ticket, _)| ticket));
                    prop_assert_eq!(it.admit_next(limit), None);
                    flying.extend(next.map(|(_, address)| address));
                }
                _ => if !queue.is_empty() {
                    let at = usize::try_from(buffer).expect("small") % queue.len();
                    let (ticket, address) = queue.remove(at).expect("in the queue");
                    prop_assert!(it.give_up(ticket));
                    prop_assert!(!it.is_waiting(ticket));
                    flying.insert(address);
                    let_through += 1;
                },
            }
            prop_assert_eq!(usize::try_from(it.in_flight()).expect("small"), flying.len());
            prop_assert!(flying.len() <= room + let_through);
            prop_assert!(queue.is_empty() || flying.len() >= room);
            prop_assert!(queue.iter().all(|(ticket, _)| it.is_waiting(*ticket)));
        }
    }
}

//! Threads that meet in an encoder: the table of who uses which.

use std::sync::Arc;

use agx_fix_models::model;
use agx_fix_models::sharing::{Overlap, Seen, Table};
use loom::thread;

const ENCODER: u64 = 0x1230;

/// A call of a thread, which stays inside.
fn arrives(table: &Arc<Table<1>>, thread: u64) -> thread::JoinHandle<Seen> {
    let table = table.clone();
    thread::spawn(move || table.arrives(ENCODER, thread))
}

#[test]
fn of_two_calls_that_are_inside_at_the_same_time_one_sees_the_other() {
    model(3, || {
        let table = Arc::new(Table::<1>::new());
        table.handed_out(ENCODER, 1);
        let other = arrives(&table, 2);
        let own = table.arrives(ENCODER, 1);
        let other = other.join().unwrap();
        let seen = [own, other].map(|it| it.overlap);
        let first = seen.iter().filter(|it| **it == Overlap::First).count();
        assert_eq!(first, 1, "told once: {seen:?}");
    });
}

#[test]
fn each_number_of_threads_is_told_once() {
    model(2, || {
        let table = Arc::new(Table::<1>::new());
        table.handed_out(ENCODER, 1);
        let others = [arrives(&table, 2), arrives(&table, 3)];
        let mut told: Vec<_> = others
            .into_iter()
            .filter_map(|it| it.join().unwrap().threads)
            .collect();
        // One may see both before the other tells: then it tells of both.
        told.sort_unstable();
        let steps: Vec<_> = told.iter().map(|(before, now)| now - before).collect();
        assert_eq!(steps.iter().sum::<u32>(), 3, "{told:?}");
        assert_eq!(told[0].0, 0);
    });
}

#[test]
fn a_place_is_taken_from_an_encoder_that_ended_and_never_from_a_new_one_at_its_address() {
    const OTHER: u64 = 0x4560;
    model(3, || {
        let table = Arc::new(Table::<1>::new());
        table.handed_out(ENCODER, 1);
        table.ended(ENCODER);
        let other = {
            let table = table.clone();
            thread::spawn(move || {
                table.handed_out(OTHER, 2);
            })
        };
        table.handed_out(ENCODER, 1);
        other.join().unwrap();
        // There is one place: whoever has it keeps it.
        let (own, other) = (table.arrives(ENCODER, 1), table.arrives(OTHER, 2));
        assert_ne!(own.unfollowed, other.unfollowed);
        assert!(!own.unmade && !other.unmade);
    });
}

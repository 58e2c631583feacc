use super::*;

const ENCODER: u64 = 0x1230;

fn table() -> Box<Table<64>> {
    Box::new(Table::new())
}

/// Calls that come and go one after the other; the numbers of threads that each told of.
fn calls(table: &Table<64>, threads: &[u64]) -> Vec<Option<(u32, u32)>> {
    threads
        .iter()
        .map(|thread| {
            let seen = table.arrives(ENCODER, *thread);
            assert!(seen.overlap == Overlap::None && !seen.unmade && !seen.unfollowed);
            table.leaves(ENCODER, *thread);
            seen.threads
        })
        .collect()
}

#[test]
fn threads_are_told_as_they_come_and_once_each() {
    let table = table();
    assert!(!table.handed_out(ENCODER, 1));
    assert_eq!(
        calls(&table, &[1, 1, 2, 1, 3, 2, 3]),
        [
            Some((0, 1)),
            None,
            Some((1, 2)),
            None,
            Some((2, 3)),
            None,
            None
        ]
    );
}

#[test]
fn who_made_an_encoder_is_one_of_its_threads() {
    let table = table();
    table.constructed(ENCODER, 1);
    table.constructed(ENCODER, 1); // the superclass's initialiser
    table.handed_out(ENCODER, 1);
    assert_eq!(calls(&table, &[2, 2]), [Some((0, 2)), None]);
}

#[test]
fn more_threads_than_are_told_apart_count_as_one_more() {
    let table = table();
    table.handed_out(ENCODER, 1);
    let many: Vec<u64> = (1..=20).collect();
    let told: Vec<_> = calls(&table, &many).into_iter().flatten().collect();
    let expected: Vec<_> = (0..=8).map(|it| (it, it + 1)).collect();
    assert_eq!(told, expected);
}

#[test]
fn calls_at_the_same_time_overlap_only_if_they_are_of_two_threads() {
    let table = table();
    table.handed_out(ENCODER, 1);
    for _ in 0..2 {
        let seen = table.arrives(ENCODER, 1);
        assert_eq!(seen.overlap, Overlap::None, "a call inside another");
    }
    table.leaves(ENCODER, 1);
    assert_eq!(table.arrives(ENCODER, 2).overlap, Overlap::First);
    table.leaves(ENCODER, 2);
    table.leaves(ENCODER, 1);
    let turn = table.arrives(ENCODER, 2);
    assert_eq!(turn.overlap, Overlap::None, "one after the other");
    assert_eq!(table.arrives(ENCODER, 1).overlap, Overlap::Again);
}

#[test]
fn an_encoder_that_nobody_was_seen_to_make_is_told_once() {
    let table = table();
    assert!(table.arrives(ENCODER, 1).unmade);
    assert!(!table.arrives(ENCODER, 1).unmade);
    // It called itself while it was made.
    assert!(table.handed_out(ENCODER, 1), "taken back");
    assert!(!table.handed_out(ENCODER, 1));
}

#[test]
fn a_life_ends_and_another_begins_at_the_same_address() {
    let table = table();
    table.handed_out(ENCODER, 1);
    assert_eq!(calls(&table, &[1, 2]), [Some((0, 1)), Some((1, 2))]);
    table.ended(ENCODER);
    assert_eq!(calls(&table, &[3]), [None], "after the end");
    table.handed_out(ENCODER, 3);
    assert_eq!(calls(&table, &[3]), [Some((0, 1))]);
    // One that was never ended, and whose memory is an encoder again.
    table.constructed(ENCODER, 4);
    assert_eq!(calls(&table, &[4]), [Some((0, 1))]);
}

#[test]
fn without_room_calls_are_counted_and_ended_encoders_make_some() {
    let table = table();
    for encoder in 1..=1_000_u64 {
        table.handed_out(encoder << 4, 1);
    }
    let unfollowed = |from: u64| {
        (from..from + 100)
            .filter(|it| table.arrives(it << 4, 1).unfollowed)
            .count()
    };
    assert_eq!(unfollowed(2_000), 100);
    for encoder in 1..=1_000_u64 {
        table.ended(encoder << 4);
    }
    assert!(unfollowed(3_000) < 100);
    table.reset_after_fork();
    assert_eq!(unfollowed(4_000).min(1), 1, "64 places for 100 encoders");
    table.reset_after_fork();
    assert!(table.arrives(ENCODER, 1).unmade);
}

/// As the driver does at a commit: seen as one more encoder, once in a few ten thousand, before an end began no life.
#[test]
fn an_encoder_that_is_ended_again_is_none_that_nobody_made() {
    let table: Box<Table<1>> = Box::new(Table::new());
    table.constructed(ENCODER, 1);
    table.arrives(ENCODER, 1);
    table.leaves(ENCODER, 1);
    table.ended(ENCODER);
    // Another one takes its place.
    table.constructed(ENCODER + 0x10, 2);
    assert_eq!(table.arrives_to_end(ENCODER, 1), Seen::default());
    table.leaves(ENCODER, 1);
    table.ended(ENCODER);
    let seen = table.arrives(ENCODER + 0x10, 2);
    assert_eq!((seen.threads, seen.unmade), (Some((0, 1)), false));
}

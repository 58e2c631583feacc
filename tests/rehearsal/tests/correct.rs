//! The correct application: it crashes with threads and without a lock, and only then.

mod workload;

use nix::libc::SIGSEGV;
use workload::{Ended, crashes, python, workload as run};

const DRIVER_FAULTS: [&str; 8] = [
    "impl",
    "setBuffer",
    "dispatch",
    "prepare",
    "spill",
    "bind",
    "any",
    "uaf",
];

fn assert_clean(ended: &Ended, command_buffers: u64, dispatches: u64) {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let line = format!(
        "iterations={command_buffers} dispatches asked={dispatches} executed={dispatches}\n"
    );
    assert_eq!(ended.stdout, line, "{ended:?}");
    assert_eq!(ended.stderr, "");
}

/// 16 dispatches, 4 in the coalesced encoder, one blit.
const DISPATCHES_OF_A_BUFFER: u64 = 21;

#[test]
fn one_thread_never_crashes() {
    for seed in 1..=20 {
        let seed = seed.to_string();
        let ended = run(&["--threads", "1", "--iterations", "500", "--seed", &seed]);
        assert_clean(&ended, 500, 500 * DISPATCHES_OF_A_BUFFER);
    }
    for fault in DRIVER_FAULTS {
        let ended = run(&["--threads", "1", "--iterations", "500", "--fault", fault]);
        assert_clean(&ended, 500, 500 * DISPATCHES_OF_A_BUFFER);
    }
}

#[test]
fn eight_threads_crash() {
    for fault in DRIVER_FAULTS {
        let crashed = crashes(10, SIGSEGV, |seed| run(&["--fault", fault, "--seed", seed]));
        assert!(crashed >= 9, "{fault}: {crashed} of 10 runs crashed");
    }
}

#[test]
fn a_lock_around_the_driver_cures_every_race_and_loses_nothing() {
    for fault in DRIVER_FAULTS {
        let ended = run(&["--app-lock", "--iterations", "500", "--fault", fault]);
        assert_clean(&ended, 8 * 500, 8 * 500 * DISPATCHES_OF_A_BUFFER);
    }
}

#[test]
fn a_driver_without_its_races_needs_no_lock() {
    for extra in [&[][..], &["--mps"][..]] {
        let ended = run(&[&["--fault", "none", "--iterations", "500"][..], extra].concat());
        assert_clean(&ended, 8 * 500, 8 * 500 * DISPATCHES_OF_A_BUFFER);
    }
}

#[test]
fn python_threads_crash_as_reliably_and_one_thread_never() {
    let crashed = crashes(10, SIGSEGV, |seed| python(&["--seed", seed]));
    assert!(crashed >= 9, "{crashed} of 10 runs crashed");
    for _ in 0..3 {
        assert_clean(
            &python(&["--threads", "1", "--iterations", "500"]),
            500,
            500 * 64,
        );
    }
}

#[test]
fn a_run_by_time_ends_and_counts_what_it_did() {
    let ended = run(&["--fault", "none", "--threads", "2", "--seconds", "0.1"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.starts_with("iterations="), "{ended:?}");
}

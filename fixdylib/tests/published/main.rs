//! The published versions in real processes, on GCC's runtime: each row of their table on real classes.
//!
//! Each test starts this program again as a *subject* with the library preloaded and a version chosen, and reads what it
//! prints and the ledger that it leaves. A subject that waits for the lock for ever is ended by the library's own
//! diagnostics, one that hangs otherwise by SIGALRM.

#![cfg(target_os = "linux")]

mod driver;
mod harness;
#[path = "../hooks/objc.rs"]
#[allow(dead_code)] // shared with the other tests
mod objc;
#[path = "../preloaded/mod.rs"]
mod preloaded;
mod subjects;

use std::env;
use std::os::unix::process::ExitStatusExt as _;

use agx_ledger::{Reason, State};
use agx_policy::published::{self, Object, VERSIONS};
use harness::{deadlocking, expect, run, run_all, run_with};
use preloaded::SUBJECT;

/// The entry of subjects; nothing to do in the test run itself.
#[test]
fn subject() {
    if let Ok(name) = env::var(SUBJECT) {
        subjects::run(&name);
    }
}

#[test]
fn a_long_wait_for_the_lock_is_told_counted_and_ends_the_process_where_asked() {
    let variables = [
        ("AGX_FIX_DEADLOCK_DETECT", "1"),
        ("AGX_FIX_LOCK_WARN_MS", "20"),
        ("AGX_FIX_LOCK_LOG_INTERVAL_MS", "50"),
        ("AGX_FIX_LOCK_TIMEOUT_MS", "300"),
        ("AGX_FIX_LOCK_ABORT_ON_TIMEOUT", "1"),
    ];
    // A thread that waits for itself, and one that waits for another.
    for (version, subject) in [("v1", "nested"), ("v2.9", "commit-inside")] {
        let outcome = run_with(version, subject, &variables);
        assert_eq!(outcome.status.signal(), Some(libc::SIGABRT), "{version}");
        assert_eq!(outcome.count("lock_long_waits"), 1);
        assert_eq!(outcome.count("lock_timeouts"), 1);
        assert!(outcome.count("lock_max_wait_ms") >= 300);
        let told = outcome
            .stderr
            .matches("ms for the lock, which thread")
            .count();
        assert!(
            told >= 3,
            "a warning, reminders, the error: {}",
            outcome.stderr
        );
    }
}

#[test]
fn the_published_list_is_hooked_and_nothing_else() {
    let has: [(Object, &str, &[&str]); 6] = [
        (
            Object::Compute,
            driver::COMPUTE,
            &[
                "setComputePipelineState:",
                "updateFence:",
                "endEncoding",
                "deferredEndEncoding",
                "destroyImpl",
            ],
        ),
        (Object::Compute, driver::COMPUTE_BASE, &["useHeap:"]),
        (
            Object::Blit,
            driver::BLIT,
            &[
                "updateFence:",
                "synchronizeResource:",
                "endEncoding",
                "dealloc",
            ],
        ),
        (
            Object::ParallelRender,
            driver::PARALLEL,
            &["renderCommandEncoder", "endEncoding"],
        ),
        (
            Object::Buffer,
            driver::BUFFER,
            &[
                "computeCommandEncoder",
                "blitCommandEncoder",
                "parallelRenderCommandEncoderWithDescriptor:",
                "commit",
                "encodeSignalEvent:value:",
                "encodeWaitForEvent:value:",
            ],
        ),
        (
            Object::MpsBuffer,
            driver::MPS,
            &["computeCommandEncoderWithDispatchType:"],
        ),
    ];
    for (column, (version, outcome)) in run_all("hooks").into_iter().enumerate() {
        let state = |class: &str, selector: &str| {
            let census = &outcome.ledger.census;
            let entry = census
                .iter()
                .find(|it| it.class == class && it.selector == selector);
            entry.map(|it| (it.state, it.reason))
        };
        for (object, class, selectors) in has {
            for selector in selectors {
                let hooked = published::hooks(column, object, selector);
                assert_eq!(
                    state(class, selector),
                    hooked.then_some((State::Hooked, None)),
                    "{version}: -[{class} {selector}]"
                );
            }
        }
        assert_eq!(state(driver::COMPUTE, "unpublished"), None);
        assert_eq!(state(driver::SAMPLED, "dispatchWaitFlush"), None);
        assert_eq!(
            state(driver::COMPUTE, "useHeaps:count:"),
            Some((State::Unhooked, Some(Reason::NotFound))),
            "{version}"
        );
        assert_eq!(outcome.count("hooks_unhooked"), 0, "{version}");
        let hooked = outcome
            .ledger
            .census
            .iter()
            .filter(|it| it.state == State::Hooked);
        assert_eq!(hooked.count() as u64, outcome.count("hooks_installed"));
        // Two of the driver's own class and two of the subclass, which inherits both hooks; its own method has none.
        assert_eq!(outcome.count("method_calls"), 4, "{version}");
    }
}

#[test]
fn calls_on_an_untracked_encoder() {
    // Calls made, retains, adopted, counted as untracked, dropped.
    let run = [2, 0, 0, 0, 0];
    let retained = [2, 1, 1, 0, 0];
    expect(
        "untracked",
        [
            ("v1", [2, 0, 1, 0, 0]),
            ("v2", retained),
            ("v2.2", run),
            ("v2.3", run),
            ("v2.4", retained),
            ("v2.4nr", [2, 3, 1, 0, 0]),
            ("v2.5", retained),
            ("v2.6", [2, 0, 0, 2, 0]),
            ("v2.7", retained),
            ("v2.8", retained),
            ("v2.9", [0, 0, 0, 0, 2]),
        ],
        |it| {
            let count = |name| i64::try_from(it.count(name)).expect("few");
            [
                it.saw("work"),
                it.saw("retains"),
                count("encoders_adopted"),
                count("untracked_calls"),
                count("dropped_untracked"),
            ]
        },
    );
}

#[test]
fn a_dropped_call_is_told_once() {
    let outcome = run("v2.9", "untracked");
    let told = outcome.stderr.matches("work was dropped").count();
    assert_eq!(told, 1, "{}", outcome.stderr);
    let skipped = outcome
        .ledger
        .census
        .iter()
        .find(|it| it.selector == "setComputePipelineState:")
        .expect("hooked");
    assert_eq!(skipped.skipped, 2);
}

#[test]
fn a_created_encoder_is_retained_until_it_ends() {
    // Created, released, retains left, calls made.
    let whole = (1, 1, 0, 2);
    expect(
        "created",
        [
            ("v1", (0, 0, 0, 2)),
            ("v2", whole),
            ("v2.2", whole),
            ("v2.3", whole),
            ("v2.4", whole),
            // One at the creation, and one for each of the three calls inside.
            ("v2.4nr", (1, 0, 4, 2)),
            ("v2.5", whole),
            ("v2.6", whole),
            ("v2.7", whole),
            ("v2.8", whole),
            ("v2.9", whole),
        ],
        |it| {
            (
                it.count("encoders_created"),
                it.count("encoders_released"),
                it.saw("retains"),
                it.saw("work"),
            )
        },
    );
}

#[test]
fn a_null_impl_is_looked_for_from_v2_3_on() {
    for (column, (version, outcome)) in run_all("null").into_iter().enumerate() {
        assert!(!outcome.hangs());
        let skips = if column < 3 { 0 } else { 2 };
        assert_eq!(outcome.count("null_impl_skips"), skips, "{version}");
        assert_eq!(outcome.saw("work").unsigned_abs(), 2 - skips, "{version}");
    }
}

#[test]
fn methods_run_under_the_lock_but_in_v2_2() {
    let others = VERSIONS.into_iter().filter(|it| *it != "v2.2");
    assert_eq!(deadlocking("work-inside"), others.collect::<Vec<_>>());
}

#[test]
fn a_nested_call_deadlocks_in_v1_alone() {
    assert_eq!(deadlocking("nested"), ["v1"]);
}

#[test]
fn factories_run_unlocked() {
    assert_eq!(deadlocking("factory-inside"), [""; 0]);
}

#[test]
fn destroy_impl_runs_under_the_lock_until_v2_3_and_never_in_v2_6() {
    assert_eq!(deadlocking("destroy-inside"), ["v1", "v2", "v2.3"]);
}

#[test]
fn destroying_an_encoder() {
    // Originals called, calls made, retains left, destroys blocked, dropped.
    expect(
        "destroy",
        [
            ("v1", [1, 2, 0, 0, 0]),
            ("v2", [1, 1, 1, 0, 1]),
            ("v2.2", [1, 2, 0, 0, 0]),
            ("v2.3", [1, 2, 0, 0, 0]),
            // The call after the destruction is one on an untracked encoder: retained again.
            ("v2.4", [1, 2, 1, 0, 0]),
            ("v2.4nr", [1, 2, 4, 0, 0]),
            ("v2.5", [1, 2, 1, 0, 0]),
            ("v2.6", [0, 2, 1, 1, 0]),
            ("v2.7", [1, 2, 1, 0, 0]),
            ("v2.8", [1, 2, 1, 0, 0]),
            ("v2.9", [1, 1, 0, 0, 1]),
        ],
        |it| {
            let count = |name| i64::try_from(it.count(name)).expect("few");
            [
                it.saw("destroys"),
                it.saw("work"),
                it.saw("retains"),
                count("destroys_blocked"),
                count("dropped_ended") + count("dropped_untracked"),
            ]
        },
    );
}

#[test]
fn commit_runs_under_the_lock_in_v2_9_alone() {
    assert_eq!(deadlocking("commit-inside"), ["v2.9"]);
}

#[test]
fn commit_ends_open_encoders_from_v2_7_on_and_leaks_in_v2_9() {
    // Ends, forced ends, commits counted, retains left.
    let unhooked = |retains| (0, 0, 0, retains);
    expect(
        "commit-open",
        [
            ("v1", unhooked(0)),
            ("v2", unhooked(0)),
            ("v2.2", unhooked(0)),
            ("v2.3", unhooked(1)),
            ("v2.4", unhooked(1)),
            ("v2.4nr", unhooked(2)),
            ("v2.5", unhooked(1)),
            ("v2.6", unhooked(1)),
            ("v2.7", (1, 1, 2, 0)),
            ("v2.8", (1, 1, 2, 0)),
            ("v2.9", (1, 1, 2, 1)),
        ],
        |it| {
            (
                it.saw("ends"),
                it.count("commit_forced_ends"),
                it.count("commits"),
                it.saw("retains"),
            )
        },
    );
}

#[test]
fn an_event_with_ones_own_encoder_open_waits_in_v2_8_and_hangs_in_v2_9() {
    for (version, outcome) in run_all("event-own") {
        assert_eq!(outcome.hangs(), version == "v2.9", "{version}");
        let waits = matches!(version, "v2.8" | "v2.9");
        assert_eq!(
            outcome.count("event_signals"),
            u64::from(waits),
            "{version}"
        );
        assert_eq!(outcome.count("event_encoder_waits"), u64::from(waits));
        let timed_out = version == "v2.8";
        assert_eq!(outcome.count("event_wait_timeouts"), u64::from(timed_out));
        if version != "v2.9" {
            assert_eq!(outcome.saw("events"), 1, "{version}");
        }
        if timed_out {
            let (_, rest) = outcome.stdout.split_once("waited ").expect("told");
            let waited: u64 = rest.split(' ').next().unwrap_or("").parse().expect("ms");
            assert!(waited >= 100, "{waited}");
        }
    }
}

#[test]
fn v2_9_signals_only_after_the_other_thread_s_encoder_has_ended() {
    let outcome = run("v2.9", "event-other");
    assert!(!outcome.hangs(), "{}", outcome.stderr);
    assert_eq!(
        (outcome.saw("events"), outcome.saw("ends_at_event")),
        (1, 1)
    );
    assert_eq!(outcome.count("event_wait_timeouts"), 0);
}

#[test]
fn a_blit_fence_runs_the_compute_encoder_s_code_in_v2_9() {
    for (version, outcome) in run_all("fence") {
        let wrong = version == "v2.9";
        let expected = if wrong { (2, 0) } else { (1, 1) };
        let saw = (outcome.saw("compute_fences"), outcome.saw("blit_fences"));
        assert_eq!(saw, expected, "{version}");
    }
}

#[test]
fn v2_retains_once_for_each_thread() {
    for (version, inside) in [("v2", "inside 2"), ("v2.5", "inside 1")] {
        let outcome = run(version, "threads");
        assert!(
            outcome.stdout.contains(inside),
            "{version}: {}",
            outcome.stdout
        );
        assert_eq!((outcome.saw("retains"), outcome.saw("work")), (0, 4));
        assert_eq!(outcome.count("encoders_open"), 0);
    }
}

#[test]
fn an_end_inside_a_call_defers_the_release() {
    for version in ["v2.4", "v2.5", "v2.7", "v2.8", "v2.9"] {
        let outcome = run(version, "end-inside");
        assert_eq!(outcome.count("deferred_releases"), 1, "{version}");
        assert_eq!(outcome.count("encoders_released"), 1, "{version}");
        assert_eq!(outcome.saw("retains"), 0, "{version}");
    }
    let at_once = run("v2.3", "end-inside");
    assert_eq!(at_once.count("deferred_releases"), 0);
    assert_eq!(at_once.saw("retains"), 0);
}

#[test]
fn work_after_the_end() {
    let after = |version| {
        let outcome = run(version, "late");
        (outcome.saw("work"), outcome.count("dropped_ended"))
    };
    assert_eq!(after("v2.3"), (2, 0));
    assert_eq!(after("v2.9"), (1, 1));
}

#[test]
fn an_exception_gives_the_lock_back() {
    for (version, outcome) in run_all("throw") {
        assert!(!outcome.hangs(), "{version} hangs");
        assert!(outcome.ledger.in_flight().is_empty(), "{version}");
    }
}

#[test]
fn a_child_of_fork_inside_a_call_goes_on() {
    for (version, outcome) in run_all("fork") {
        assert!(!outcome.hangs(), "{version} hangs");
        assert!(
            outcome.stdout.contains("child 9"),
            "{version}: {}",
            outcome.stdout
        );
    }
}

#[test]
fn encoders_of_mps_are_counted_where_its_factories_are_hooked() {
    for (column, (version, outcome)) in run_all("mps").into_iter().enumerate() {
        let hooked = published::hooks(
            column,
            Object::MpsBuffer,
            "computeCommandEncoderWithDispatchType:",
        );
        assert_eq!(
            outcome.count("mps_encoder_creates"),
            u64::from(hooked),
            "{version}"
        );
        let made = version != "v2.9" || hooked;
        assert_eq!(outcome.saw("work"), i64::from(made), "{version}");
    }
}

#[test]
fn v2_9_tracks_parallel_render_encoders_and_their_own() {
    let outcome = run("v2.9", "parallel");
    assert_eq!(outcome.count("parallel_encoder_creates"), 1);
    assert_eq!(outcome.count("encoders_created"), 2);
    assert_eq!(outcome.count("encoders_released"), 2);
    assert_eq!((outcome.saw("work"), outcome.saw("ends")), (1, 2));
}

//! `AGX_FIX_CENSUS` in real processes on GCC's runtime: hooks that somebody replaced, methods that came past them, calls
//! that did not return, and which threads shared which encoder.
//!
//! Each test starts this program again as a *subject* with the library preloaded, and reads the ledger that it leaves.

#![cfg(target_os = "linux")]

#[allow(dead_code)] // the tests of the hooks use more of it
#[path = "../hooks/driver.rs"]
mod driver;
#[allow(dead_code)] // as above
#[path = "../hooks/objc.rs"]
mod objc;
#[path = "../preloaded/mod.rs"]
mod preloaded;
mod subjects;

use std::env;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use agx_ledger::{CensusEntry, Ledger, Reason, State, Tally};
use preloaded::{SUBJECT, ledgers, subject_command, with_library};
use tempfile::TempDir;

/// The entry of subjects; nothing to do in the test run itself.
#[test]
fn subject() {
    if let Ok(name) = env::var(SUBJECT) {
        subjects::run(&name);
    }
}

struct Outcome {
    status: ExitStatus,
    stderr: String,
    ledgers: Vec<Ledger>,
}

impl Outcome {
    fn main(&self) -> &Ledger {
        let mut own = self.ledgers.iter().filter(|it| it.forked_from.is_none());
        own.next()
            .unwrap_or_else(|| panic!("no ledger; stderr: {}", self.stderr))
    }

    fn count(&self, name: &str) -> u64 {
        self.main().counter(name).expect(name)
    }

    /// Encoders of one, two, three and more threads.
    fn encoders(&self) -> [u64; 4] {
        ["one_thread", "two_threads", "three_threads", "many_threads"]
            .map(|it| self.count(&format!("encoders_{it}")))
    }

    fn method(&self, selector: &str) -> &CensusEntry {
        method(self.main(), selector)
    }

    fn tally(&self, selector: &str) -> Tally {
        self.method(selector).tally
    }
}

fn method<'a>(ledger: &'a Ledger, selector: &str) -> &'a CensusEntry {
    let mut found = ledger.census.iter().filter(|it| it.selector == selector);
    let first = found.next().unwrap_or_else(|| panic!("no {selector}"));
    assert_eq!(found.next(), None, "{selector} stands twice");
    first
}

fn run(name: &str, variables: &[(&str, &str)]) -> Outcome {
    let folder = TempDir::new().expect("a folder");
    let output = with_library(&mut subject_command(name), folder.path())
        .envs(variables.iter().copied())
        .output()
        .expect("starts");
    Outcome {
        status: output.status,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        ledgers: ledgers(folder.path()),
    }
}

/// Runs a subject with the census, which is to succeed and to take it.
fn census_with(name: &str, variables: &[(&str, &str)]) -> Outcome {
    let mut all = vec![("AGX_FIX_CENSUS", "1")];
    all.extend(variables);
    let outcome = run(name, &all);
    assert!(
        outcome.status.success(),
        "{:?}: {}",
        outcome.status,
        outcome.stderr
    );
    assert!(outcome.main().census_asked && outcome.main().census_taken);
    assert_eq!(outcome.count("caught_panics"), 0);
    outcome
}

fn census(name: &str) -> Outcome {
    census_with(name, &[])
}

/// This program's own name, whose code replaces hooks.
fn this_file() -> String {
    let path = env::current_exe().expect("a path");
    let name = path.file_name().expect("a name");
    name.to_str().expect("UTF-8").to_owned()
}

#[test]
fn a_hook_that_was_replaced_is_named_with_the_file_that_has_the_code_now() {
    let outcome = census("replaced");
    assert_eq!(outcome.count("hooks_replaced"), 1);
    let methods = outcome.main().in_state(State::Hooked).count() as u64;
    assert_eq!(outcome.count("census_methods"), methods);
    assert!(outcome.count("census_classes") >= 2);
    let found = outcome.method("throwIt");
    assert_eq!((found.replaced, found.late), (true, false));
    assert_eq!(found.image.as_deref(), Some(this_file().as_str()));
    assert!(!outcome.method("run:").replaced);
    assert_eq!(outcome.count("census_late"), 0);
}

#[test]
fn an_override_that_was_never_announced_is_found() {
    for (version, reason) in [("v3", Reason::Late), ("v2.9", Reason::Override)] {
        let outcome = census_with("unannounced", &[("AGX_FIX_VERSION", version)]);
        assert_eq!(outcome.count("census_late"), 1, "{version}");
        let all = &outcome.main().census;
        let mut late = all.iter().filter(|it| it.late);
        let found = late.next().expect("an entry");
        assert_eq!(found.class, subjects::UNANNOUNCED);
        assert_eq!(found.selector, "setComputePipelineState:");
        assert_eq!((found.state, found.reason), (State::Unhooked, Some(reason)));
        assert_eq!(found.image.as_deref(), Some(this_file().as_str()));
        let failed = all.iter().filter(|it| {
            it.state == State::Unhooked && !it.late && it.reason != Some(Reason::NotFound)
        });
        assert_eq!(outcome.count("hooks_unhooked"), failed.count() as u64);
    }
}

#[test]
fn a_method_that_was_added_after_its_class_was_gone_through_is_found() {
    let outcome = census("added-last");
    assert_eq!(outcome.count("census_late"), 1);
    let found = outcome.method("addedLast:");
    assert!(found.late && found.class == driver::ENCODER);
}

#[test]
fn encoders_are_counted_by_their_threads() {
    for scope in ["global", "queue", "buffer"] {
        let outcome = census_with("threads", &[("AGX_FIX_LOCK_SCOPE", scope)]);
        assert_eq!(outcome.encoders(), [3, 1, 0, 1], "{scope}");
        assert_eq!(outcome.count("encoder_threads_most"), 5, "{scope}");
        assert_eq!(outcome.count("encoders_overlapped"), 0, "{scope}");
        assert_eq!(outcome.count("encoders_seen_late"), 1, "{scope}");
        assert_eq!(outcome.count("encoders_unfollowed"), 0, "{scope}");
        let work = outcome.tally("setComputePipelineState:");
        assert_eq!((work.calls, work.left, work.threw), (9, 9, 0), "{scope}");
        assert_eq!((work.shared, work.threads_most), (2, 5), "{scope}");
        assert_eq!((work.first_seen, work.overlapped), (1, 0), "{scope}");
        let made = outcome.tally("computeCommandEncoder");
        assert_eq!((made.calls, made.left), (4, 4), "{scope}");
    }
}

#[test]
fn threads_that_meet_in_an_encoder_are_told_from_those_that_take_turns() {
    for scope in ["global", "buffer"] {
        let outcome = census_with("meet", &[("AGX_FIX_LOCK_SCOPE", scope)]);
        assert_eq!(outcome.encoders(), [0, 1, 0, 0], "{scope}");
        assert_eq!(outcome.count("encoders_overlapped"), 1, "{scope}");
        assert_eq!(outcome.tally("setComputePipelineState:").overlapped, 1);
    }
}

#[test]
fn what_the_library_does_to_an_encoder_is_no_use_by_a_thread() {
    let outcome = census("committed-elsewhere");
    assert_eq!(outcome.count("commit_forced_ends"), 1);
    assert_eq!(outcome.encoders(), [1, 0, 0, 0]);
}

#[test]
fn calls_that_did_not_return_are_told_from_those_that_did() {
    let outcome = census("throws");
    let threw = outcome.tally("throwIt");
    assert_eq!((threw.calls, threw.left, threw.threw), (1, 1, 1));
    let skipped = outcome.method("setComputePipelineState:");
    assert_eq!((skipped.tally.calls, skipped.tally.left), (2, 2));
    assert_eq!((skipped.tally.threw, skipped.skipped), (0, 1));
}

#[test]
fn a_process_that_is_killed_leaves_its_tallies_and_no_census() {
    let outcome = run("killed", &[("AGX_FIX_CENSUS", "1")]);
    assert_eq!(outcome.status.signal(), Some(libc::SIGKILL));
    assert!(outcome.main().census_asked && !outcome.main().census_taken);
    assert_eq!(outcome.count("census_methods"), 0);
    let inside = outcome.tally("run:");
    assert_eq!((inside.calls, inside.left), (1, 0));
    assert_eq!(outcome.encoders(), [1, 0, 0, 0]);
}

#[test]
fn a_child_of_fork_counts_its_own_calls() {
    let outcome = census("fork");
    let [parent] = &outcome
        .ledgers
        .iter()
        .filter(|it| it.forked_from.is_none())
        .collect::<Vec<_>>()[..]
    else {
        panic!("one process was started")
    };
    let child = outcome.ledgers.iter().find(|it| it.forked_from.is_some());
    let child = child.expect("the child's ledger");
    let calls = |ledger: &Ledger| method(ledger, "setComputePipelineState:").tally.calls;
    assert_eq!((calls(parent), calls(child)), (2, 1));
    assert!(
        child.census_asked && !child.census_taken,
        "it left through _exit"
    );
    assert_eq!(child.counter("encoders_seen_late"), Some(1));
}

#[test]
fn a_published_version_is_counted_as_well() {
    let outcome = census_with("threads", &[("AGX_FIX_VERSION", "v2.9")]);
    let work = outcome.tally("setComputePipelineState:");
    assert_eq!((work.calls, work.left), (9, 9));
    assert_eq!(outcome.count("encoder_threads_most"), 5);
}

#[test]
fn without_the_census_nothing_is_tallied() {
    let outcome = run("threads", &[("AGX_FIX_CENSUS", "0")]);
    assert!(outcome.status.success(), "{}", outcome.stderr);
    let ledger = outcome.main();
    assert!(!ledger.census_asked && !ledger.census_taken);
    assert_eq!(outcome.encoders(), [0; 4]);
    assert!(ledger.census.iter().all(|it| it.tally == Tally::default()));
}

//! What is hooked and what is not, in real processes on GCC's runtime: every family, wrappers, objects that are not what
//! their selector promises, classes that change after arming, and what the full forwarder does about exceptions and calls
//! that are not made.
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

use agx_ledger::{Ledger, Reason, State};
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
    stderr: String,
    ledger: Ledger,
}

impl Outcome {
    fn count(&self, name: &str) -> u64 {
        self.ledger.counter(name).expect(name)
    }

    fn finding(&self, class: &str, selector: &str) -> Option<(State, Option<Reason>)> {
        let mut found = self
            .ledger
            .census
            .iter()
            .filter(|it| it.class == class && it.selector == selector);
        let first = found.next().map(|it| (it.state, it.reason));
        assert_eq!(found.next(), None, "-[{class} {selector}] stands twice");
        first
    }
}

/// Runs a subject, which is to succeed.
fn succeeds(name: &str) -> Outcome {
    let folder = TempDir::new().expect("a folder");
    let output = with_library(&mut subject_command(name), folder.path())
        .output()
        .expect("starts");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{:?}: {stderr}", output.status);
    let ledger = ledgers(folder.path()).into_iter().next().expect("a ledger");
    assert_eq!(ledger.counter("caught_panics"), Some(0));
    Outcome { stderr, ledger }
}

#[test]
fn every_family_is_hooked_by_its_root() {
    let outcome = succeeds("families");
    for class in subjects::FAMILIES {
        assert_eq!(
            outcome.finding(&format!("Test{class}"), "setThing:"),
            Some((State::Hooked, None)),
            "{class}"
        );
    }
}

#[test]
fn a_wrapper_is_left_alone_with_its_reason() {
    let outcome = succeeds("families");
    let class = "MTLTestDebugComputeCommandEncoder";
    assert_eq!(outcome.finding(class, "setThing:"), None);
    assert_eq!(
        outcome.finding(class, "*"),
        Some((State::LeftAlone, Some(Reason::Wrapper)))
    );
    assert_eq!(outcome.finding("TestUnrelated", "setThing:"), None);
}

#[test]
fn an_exception_passes_through_the_full_forwarder_and_gives_the_lock_back() {
    let outcome = succeeds("throw");
    assert_eq!(outcome.ledger.in_flight(), []);
    assert_eq!(outcome.count("method_calls"), 4);
}

#[test]
fn a_call_that_is_not_made_returns_zeros_of_every_kind() {
    let outcome = succeeds("skip");
    assert_eq!(outcome.count("null_impl_skips"), 3);
}

#[test]
fn a_receiver_of_another_class_is_passed_on_untouched() {
    let outcome = succeeds("odd");
    assert_eq!(outcome.count("odd_receivers"), 3);
    assert_eq!(outcome.count("encoders_created"), 0);
    assert_eq!(outcome.count("null_impl_skips"), 0);
}

#[test]
fn subclasses_and_super_are_not_odd() {
    let outcome = succeeds("subclasses");
    assert_eq!(outcome.count("odd_receivers"), 0);
    assert_eq!(outcome.count("encoders_adopted"), 2);
}

#[test]
fn a_replaced_hook_is_counted_and_told_once() {
    let outcome = succeeds("replaced");
    assert_eq!(outcome.count("hooks_replaced"), 2);
    let told: Vec<_> = outcome
        .stderr
        .lines()
        .filter(|it| it.contains("somebody replaced the hook"))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("-[AGXTestComputeContext "), "{told:?}");
}

#[test]
fn a_hook_that_is_replaced_last_of_all_is_seen_at_the_exit() {
    assert_eq!(succeeds("replaced-last").count("hooks_replaced"), 1);
}

#[test]
fn a_method_that_is_added_later_is_hooked_with_the_next_class() {
    let outcome = succeeds("added");
    assert_eq!(
        outcome.finding(driver::ENCODER, "addedLater:"),
        Some((State::Hooked, None))
    );
}

#[test]
fn a_sub_encoder_belongs_to_the_command_buffer_of_its_parallel_encoder() {
    let outcome = succeeds("parallel");
    assert_eq!(outcome.count("encoders_created"), 2);
    assert_eq!(outcome.count("commit_forced_ends"), 2);
    assert_eq!(outcome.count("encoders_released"), 2);
}

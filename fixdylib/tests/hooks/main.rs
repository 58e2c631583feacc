//! The library in real processes, on GCC's runtime.
//!
//! Each test starts this program again as a *subject* with the library preloaded, and reads the ledger that it leaves.

#![cfg(target_os = "linux")]
#![allow(non_snake_case)] // the names of methods

mod abi;
mod driver;
mod long_waits;
mod meets;
mod objc;
#[path = "../preloaded/mod.rs"]
mod preloaded;
mod silent;
mod subjects;
mod throws;
mod waits;

use std::process::{Command, ExitStatus};
use std::{env, fs};

use agx_ledger::layout::exit_route;
use agx_ledger::{Degraded, EventPhase, ExitRoute, Ledger, Phase, Reason, State};
use preloaded::built::library;
use preloaded::{SUBJECT, subject_command, with_library};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use tempfile::TempDir;

/// The library that throws foreign exceptions.
const SHIM: &str = "AGX_TEST_SHIM";

/// The entry of subjects; nothing to do in the test run itself.
#[test]
fn subject() {
    if let Ok(name) = env::var(SUBJECT) {
        subjects::run(&name);
    }
}

struct Outcome {
    status: ExitStatus,
    stdout: String,
    stderr: String,
    ledgers: Vec<Ledger>,
}

impl Outcome {
    /// The ledger of the process that was started.
    fn main(&self) -> &Ledger {
        let mut own = self.ledgers.iter().filter(|it| it.forked_from.is_none());
        let found = own
            .next()
            .unwrap_or_else(|| panic!("no ledger; stderr: {}", self.stderr));
        assert!(own.next().is_none(), "one process was started");
        found
    }

    fn count(&self, name: &str) -> u64 {
        self.main().counter(name).expect(name)
    }
}

fn run(command: &mut Command, folder: &TempDir) -> Outcome {
    let output = with_library(command, folder.path())
        .output()
        .expect("starts");
    Outcome {
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        ledgers: preloaded::ledgers(folder.path()),
    }
}

fn run_subject(name: &str) -> Outcome {
    run(
        &mut subject_command(name),
        &TempDir::new().expect("a folder"),
    )
}

fn succeeds(name: &str) -> Outcome {
    let outcome = run_subject(name);
    assert!(
        outcome.status.success(),
        "{:?}: {}",
        outcome.status,
        outcome.stderr
    );
    outcome
}

#[test]
fn every_shape_arrives_and_returns() {
    let outcome = succeeds("abi");
    let ledger = outcome.main();
    for (name, encoding) in abi::CASES {
        let entry = ledger
            .census
            .iter()
            .find(|entry| entry.class == driver::ENCODER && entry.selector == format!("{name}:"))
            .unwrap_or_else(|| panic!("{name} is in the census"));
        assert_eq!(
            (entry.state, entry.encoding.as_deref()),
            (State::Hooked, Some(*encoding)),
            "{name}"
        );
    }
    assert_eq!(outcome.count("method_calls"), 3 * abi::CASES.len() as u64);
    assert_eq!(outcome.count("passed_untouched"), 0);
}

#[test]
fn what_is_not_hooked_says_why() {
    let outcome = succeeds("life");
    let reason = |selector: &str| {
        let found = outcome
            .main()
            .census
            .iter()
            .find(|it| it.selector == selector)
            .expect(selector);
        (found.state, found.reason)
    };
    assert_eq!(
        reason("dealloc"),
        (State::LeftAlone, Some(Reason::LifeCycle))
    );
    assert_eq!(
        reason("setVector:"),
        (State::Unhooked, Some(Reason::Vector))
    );
    assert_eq!(outcome.count("hooks_unhooked"), 1);
}

#[test]
fn encoders_are_tracked_ended_and_released() {
    let outcome = succeeds("life");
    assert_eq!(outcome.count("encoders_created"), 3);
    assert_eq!(outcome.count("encoders_released"), 3);
    assert_eq!(outcome.count("encoders_adopted"), 1);
    assert_eq!(outcome.count("commits"), 2);
    assert_eq!(outcome.count("commit_forced_ends"), 1);
    assert_eq!(outcome.count("commit_after_commit"), 1);
    assert_eq!(outcome.count("calls_after_end"), 1);
}

#[test]
fn a_call_into_null_is_not_made_counted_and_told_once() {
    let outcome = succeeds("null");
    assert_eq!(outcome.count("null_impl_skips"), 2);
    let told = outcome
        .stderr
        .lines()
        .filter(|line| line.contains("work was dropped"))
        .collect::<Vec<_>>();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("setComputePipelineState:"), "{told:?}");
    let skipped = outcome
        .main()
        .census
        .iter()
        .find(|it| it.selector == "setComputePipelineState:")
        .expect("hooked");
    assert_eq!(skipped.skipped, 2);
}

#[test]
fn an_exception_gives_the_lock_back() {
    let outcome = succeeds("throw");
    assert_eq!(outcome.main().in_flight(), []);
}

#[test]
fn an_exception_of_release_gives_the_lock_back() {
    let outcome = succeeds("release-throws");
    assert_eq!(outcome.main().in_flight(), []);
    assert_eq!(outcome.count("encoders_released"), 1);
}

#[test]
fn a_foreign_exception_passes_through_a_hook() {
    let folder = TempDir::new().expect("a folder");
    let shim = folder.path().join("foreign.so");
    let compiled = Command::new("c++")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&shim)
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/hooks/foreign.cpp"
        ))
        .status();
    match compiled {
        Ok(status) => assert!(status.success(), "{status}"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("skipped: there is no C++ compiler to throw with");
            return;
        }
        Err(error) => panic!("c++: {error}"),
    }
    let ledgers = TempDir::new().expect("a folder");
    let outcome = run(subject_command("foreign").env(SHIM, &shim), &ledgers);
    assert!(outcome.status.success(), "{}", outcome.stderr);
    assert_eq!(outcome.main().in_flight(), []);
    assert!(
        outcome.main().rings.iter().all(|ring| ring.depth == 0),
        "no call is open"
    );
}

#[test]
fn an_abandoned_encoder_is_given_back_or_seen() {
    let outcome = succeeds("abandoned");
    assert_eq!(outcome.count("encoders_created"), 4);
    assert_eq!(outcome.count("encoders_abandoned"), 2);
    assert_eq!(outcome.count("encoders_released"), 2);
    assert_eq!(outcome.count("encoders_open"), 2);
}

#[test]
fn threads_that_share_an_encoder_lose_nothing() {
    let outcome = succeeds("contend");
    let calls = subjects::THREADS * subjects::CALLS + 1;
    assert_eq!(outcome.count("method_calls"), calls);
    assert_eq!(outcome.count("lock_acquisitions"), calls);
    assert_eq!(outcome.count("encoders_created"), 1);
    assert_eq!(outcome.count("encoders_released"), 1);
    assert_eq!(outcome.count("encoders_open"), 0);
    assert_eq!(outcome.count("dropped_events"), 0);
}

/// Lets the process write files of so many bytes at most, and get an error for more: what a full disk does.
fn limit_files(command: &mut Command, bytes: libc::rlim_t) {
    let limit = libc::rlimit {
        rlim_cur: bytes,
        rlim_max: bytes,
    };
    // SAFETY: both calls are async-signal-safe.
    unsafe {
        command.pre_exec(move || {
            libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
            if libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit) == 0 {
                Ok(())
            } else {
                Err(std::io::Error::last_os_error())
            }
        });
    }
}

#[test]
fn without_room_for_the_header_there_is_no_ledger() {
    let mut command = subject_command("life");
    limit_files(&mut command, 100);
    let outcome = run(&mut command, &TempDir::new().expect("a folder"));
    assert!(outcome.status.success(), "{}", outcome.stderr);
    assert_eq!(outcome.ledgers, []);
    assert_eq!(
        outcome.stderr.matches("cannot write the ledger").count(),
        1,
        "{}",
        outcome.stderr
    );
    let reason = ".ledger: EFBIG (file too large); raise the limit of file sizes (ulimit -f)";
    assert!(outcome.stderr.contains(reason), "{}", outcome.stderr);
}

#[test]
fn without_room_for_the_body_the_hooks_stand_and_the_header_counts() {
    let mut command = subject_command("life");
    limit_files(&mut command, 64 * 1024);
    let outcome = run(&mut command, &TempDir::new().expect("a folder"));
    assert!(outcome.status.success(), "{}", outcome.stderr);
    assert_eq!(outcome.main().degraded, [Degraded::NoBodyRoom]);
    assert!(!outcome.main().armed);
    assert_eq!(outcome.count("commits"), 2);
    assert_eq!(outcome.count("encoders_released"), 3);
    assert_eq!(
        outcome.stderr.matches("cannot write the ledger").count(),
        1,
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_child_of_fork_has_its_own_ledger_and_a_free_lock() {
    let outcome = succeeds("fork");
    let parent = outcome.main();
    let child = outcome
        .ledgers
        .iter()
        .find(|it| it.forked_from == Some(parent.pid))
        .expect("the child's ledger");
    assert_eq!(
        (child.phase, child.exit_route, child.exit_status),
        (Phase::Exited, Some(ExitRoute::Immediate), Some(7))
    );
    assert_eq!(child.counter("method_calls"), Some(1));
    assert_eq!(child.census, parent.census);
    assert_eq!(child.executable, parent.executable);
    assert_eq!(parent.exit_route, Some(ExitRoute::AtExit));
}

#[test]
fn a_fork_inside_a_call_leaves_both_usable() {
    let outcome = succeeds("fork-inside");
    let parent = outcome.main();
    let child = outcome
        .ledgers
        .iter()
        .find(|it| it.forked_from == Some(parent.pid))
        .expect("the child's ledger");
    assert_eq!(child.exit_status, Some(5));
}

#[test]
fn after_sigkill_the_call_in_flight_is_named() {
    let outcome = run_subject("kill");
    assert_eq!(outcome.status.signal(), Some(libc::SIGKILL));
    let ledger = outcome.main();
    assert_eq!((ledger.phase, ledger.exited_ns), (Phase::Armed, None));
    let open = ledger.in_flight();
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!(open[0].method, format!("-[{} run:]", driver::ENCODER));
}

#[test]
fn after_sigsegv_the_call_in_flight_is_named() {
    let outcome = run_subject("segv");
    assert_eq!(outcome.status.signal(), Some(libc::SIGSEGV));
    let open = outcome.main().in_flight();
    assert_eq!(open.len(), 1, "{open:?}");
    assert!(
        open[0]
            .to_string()
            .contains("was inside -[AGXTestComputeContext run:] on 0x"),
        "{}",
        open[0]
    );
    let last = outcome
        .main()
        .rings
        .iter()
        .flat_map(|ring| &ring.events)
        .last()
        .expect("an event");
    assert_eq!(last.phase, EventPhase::Entered);
}

#[test]
fn a_child_of_vfork_does_not_close_its_parents_ledger() {
    let outcome = run_subject("vfork");
    assert_eq!(
        outcome.status.signal(),
        Some(libc::SIGKILL),
        "{}",
        outcome.stderr
    );
    assert_eq!(
        (outcome.ledgers.len(), outcome.main().phase),
        (1, Phase::Loaded)
    );
}

#[test]
fn a_process_without_classes_maps_its_header_and_no_more() {
    let folder = TempDir::new().expect("a folder");
    let outcome = run(&mut Command::new("/bin/true"), &folder);
    let ledger = outcome.main();
    assert!(outcome.status.success());
    assert_eq!(
        (ledger.phase, ledger.armed, ledger.objc_seen),
        (Phase::Exited, false, false)
    );
    assert_eq!(
        ledger.exit_route.map(ExitRoute::number),
        Some(exit_route::ATEXIT)
    );
    let file = fs::read_dir(folder.path())
        .expect("a folder")
        .next()
        .expect("a file")
        .expect("an entry");
    assert_eq!(file.metadata().expect("its length").len(), 4096);
}

#[test]
fn disabled_means_disabled_and_0_does_not() {
    for (value, hooks) in [("1", false), ("0", true)] {
        let folder = TempDir::new().expect("a folder");
        let outcome = run(
            subject_command("hooked").env("AGX_FIX_DISABLE", value),
            &folder,
        );
        assert_eq!(outcome.main().disabled, !hooks);
        assert_eq!(
            outcome.count("hooks_installed") > 0,
            hooks,
            "{value}: {}",
            outcome.stderr
        );
    }
}

#[test]
fn an_unknown_policy_hooks_nothing_and_says_so() {
    let outcome = run(
        subject_command("hooked").env("AGX_FIX_VERSION", "v9.9"),
        &TempDir::new().expect("a folder"),
    );
    assert!(outcome.main().policy_unknown);
    assert_eq!(outcome.count("hooks_installed"), 0);
    assert_eq!(
        outcome.stderr.matches("there is no policy `v9.9`").count(),
        1,
        "{}",
        outcome.stderr
    );
}

#[test]
fn what_a_terminal_would_obey_reaches_neither_stderr_nor_the_ledger() {
    let outcome = run(
        subject_command("hooked").env("AGX_FIX_VERSION", "\u{1b}]0;v9\u{7}\n\u{9b}2J"),
        &TempDir::new().expect("a folder"),
    );
    let told = r"there is no policy `\u{1b}]0;v9\u{7}\n\u{9b}2J`";
    assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
    assert_eq!(outcome.main().policy, r"\u{1b}]0;v9\u{7}");
}

#[test]
fn without_a_ledger_the_fix_works_and_says_so_once() {
    let mut command = subject_command("life");
    let output = command
        .env("LD_PRELOAD", library())
        .env("AGX_FIX_LEDGER_DIR", "/proc/no/such/folder")
        .output()
        .expect("starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert_eq!(
        stderr
            .matches("cannot open the ledger /proc/no/such/folder/")
            .count(),
        1,
        "{stderr}"
    );
    assert!(
        stderr.contains(".ledger: ENOENT (no such folder); make the folder"),
        "{stderr}"
    );
}

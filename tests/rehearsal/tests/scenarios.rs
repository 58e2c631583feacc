//! Each published failure can be had by name, and ends as documented where no fix is loaded.

mod workload;

use nix::libc::{SIGABRT, SIGSEGV};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use workload::{Ended, command, crashes, driver, workload as run};

fn scenario(name: &str, extra: &[&str]) -> Ended {
    run(&[&["--scenario", name, "--json"][..], extra].concat())
}

#[track_caller]
fn assert_outcome(ended: &Ended, code: i32, outcome: &str) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    assert_eq!(ended.stdout.lines().count(), 1, "{ended:?}");
    let field = format!("\"outcome\":\"{outcome}\"");
    assert!(ended.stdout.contains(&field), "{ended:?}");
}

#[test]
fn the_races_crash() {
    for name in [
        "freed",
        "unlocked",
        "untracked",
        "heavy",
        "two-devices",
        "uncovered",
    ] {
        let crashed = crashes(5, SIGSEGV, |seed| scenario(name, &["--seed", seed]));
        assert!(crashed >= 4, "{name}: {crashed} of 5 runs crashed");
    }
}

#[test]
fn the_broken_rules_abort() {
    for (name, sentence) in [
        (
            "open-commit",
            "commit command buffer with uncommitted encoder",
        ),
        ("first-call", "Command encoder released without endEncoding"),
        (
            "commit-race",
            "A command encoder is already encoding to this command buffer",
        ),
        ("event", "encodeSignalEvent:value: with uncommitted encoder"),
        (
            "event-late",
            "encodeSignalEvent:value: with uncommitted encoder",
        ),
        (
            "event-own",
            "encodeSignalEvent:value: with uncommitted encoder",
        ),
    ] {
        let ended = scenario(name, &[]);
        assert_eq!(ended.signal, Some(SIGABRT), "{name}: {ended:?}");
        assert!(ended.stderr.contains(sentence), "{name}: {ended:?}");
    }
}

#[test]
fn what_only_a_fix_gets_wrong_is_right_without_one() {
    for name in [
        "leak",
        "pool",
        "fence",
        "deadlock",
        "needs-inflight",
        "mixed",
    ] {
        assert_outcome(&scenario(name, &[]), 0, "ok");
    }
}

#[test]
fn an_encoder_that_two_threads_end_is_freed_under_one() {
    let ended = scenario("end-twice", &[]);
    assert_eq!(ended.signal, Some(SIGSEGV), "{ended:?}");
}

#[test]
fn a_lock_around_it_all_lets_every_kind_of_encoder_do_its_work() {
    for extra in [&["--mix"][..], &["--mix", "--mps"]] {
        let arguments = [
            &[
                "--fault",
                "allocator",
                "--app-lock",
                "--iterations",
                "40",
                "--json",
            ][..],
            extra,
        ]
        .concat();
        assert_outcome(&run(&arguments), 0, "ok");
    }
}

#[test]
fn scenarios_are_listed_with_the_versions_they_break() {
    let listed = run(&["--list-scenarios", "--json"]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let names = run(&["--list-scenarios"]);
    for line in names.stdout.lines() {
        let name = line.split_whitespace().next().expect("a name");
        assert!(
            listed.stdout.contains(&format!("\"name\":\"{name}\"")),
            "{name}"
        );
    }
    for version in [
        "v1", "v2", "v2.2", "v2.3", "v2.4", "v2.4nr", "v2.5", "v2.6", "v2.7", "v2.8", "v2.9",
    ] {
        assert!(
            listed.stdout.contains(&format!("\"{version}\"")),
            "{version}"
        );
    }
}

#[test]
fn three_command_buffers_in_flight_fault_and_one_does_not() {
    let faulted = scenario("page-fault", &["--threads", "1"]);
    assert_outcome(&faulted, 5, "gpu-error");
    assert!(
        faulted
            .stderr
            .contains("kIOGPUCommandBufferCallbackErrorPageFault"),
        "{faulted:?}"
    );
    let alone = [
        "--fault",
        "page-fault",
        "--threads",
        "1",
        "--iterations",
        "20",
        "--json",
    ];
    assert_outcome(&run(&alone), 0, "ok");
}

#[test]
fn the_first_page_fault_starts_the_report_writer() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("writer");
    fs::remove_dir_all(&folder).unwrap_or_else(|error| {
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}");
    });
    fs::create_dir_all(&folder).expect("a folder");
    let (writer, pipe) = (folder.join("writer"), folder.join("pipe"));
    mkfifo(&pipe, Mode::S_IRWXU).expect("a pipe");
    let script = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > '{}'\n", pipe.display());
    fs::write(&writer, script).expect("a script");
    fs::set_permissions(&writer, fs::Permissions::from_mode(0o700)).expect("permissions");
    let mut workload = command(&["--scenario", "page-fault", "--threads", "1"])
        .env("AGX_REHEARSAL_REPORTER", &writer)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the workload starts");
    let arguments = fs::read_to_string(&pipe).expect("the writer's arguments");
    let ended = workload.wait().expect("the workload ends");
    let expected = format!("--gpu-event\n{}\nBIF0 page fault\n", workload.id());
    assert_eq!(arguments, expected);
    assert_eq!(ended.code(), Some(5));
}

#[test]
fn a_run_that_takes_too_long_is_a_hang() {
    let ended = run(&[
        "--fault",
        "none",
        "--seconds",
        "60",
        "--watchdog",
        "0.05",
        "--json",
    ]);
    assert_outcome(&ended, 6, "hang");
}

/// Runs the driver with one thing done to it that a published fix does.
fn sabotaged(kind: &str) -> Ended {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sabotage.py");
    Command::new("python3")
        .arg(script)
        .arg(driver())
        .arg(kind)
        .output()
        .expect("python3 starts")
        .into()
}

#[test]
fn a_pool_to_which_nothing_is_given_back_is_exhausted() {
    let ended = sabotaged("blocked-destroy");
    assert_eq!(ended.signal, Some(SIGABRT), "{ended:?}");
    let sentence = "No encoder context is left in the device's pool";
    assert!(ended.stderr.contains(sentence), "{ended:?}");
}

#[test]
fn a_fence_tells_which_class_updated_it() {
    assert_eq!(sabotaged("right-fence").stdout, "131075\n"); // 0x20003
    assert_eq!(sabotaged("wrong-fence").stdout, "65537\n"); // 0x10001
}

#[test]
fn encoders_that_somebody_keeps_are_counted() {
    assert_eq!(sabotaged("released").stdout, "0\n");
    assert_eq!(sabotaged("kept").stdout, "3\n");
}

#[test]
fn a_wrapped_encoder_does_the_work_of_the_one_inside() {
    assert_eq!(sabotaged("wrapped").stdout, "65537 0\n"); // 0x10001
}

#[test]
fn encoders_without_work_give_everything_back() {
    // More than the pool has room for, were a block lost each time.
    assert_eq!(sabotaged("workless").stdout, "0\n");
}

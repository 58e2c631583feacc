//! What nobody may notice: the target, its parent, and whoever watches the folder.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{Bench, example, plain, run};
use nix::sys::inotify::AddWatchFlags;

#[test]
fn a_report_appears_whole_or_not_at_all() {
    let bench = Bench::new();
    bench.crash("main", "read");
    let (name, ..) = bench.wait_for(1).remove(0);
    let (stem, time) = name.split_at("crasher-".len());
    assert_eq!(stem, "crasher-");
    assert_eq!(time.len(), "YYYY-MM-DD-HHMMSS.ips".len(), "{name}");
    let hidden: Vec<_> = std::fs::read_dir(bench.reports())
        .expect("a folder")
        .collect();
    assert_eq!(hidden.len(), 1, "the hidden file is gone");
}

#[test]
fn a_watcher_sees_a_hidden_file_and_then_a_name() {
    let bench = Bench::new().delay_ms(0);
    let mut events = Vec::new();
    bench.crash("main", "read");
    let deadline = Instant::now() + Duration::from_secs(20);
    while bench.visible().is_empty() {
        assert!(Instant::now() < deadline, "no report; {}", bench.log());
        std::thread::yield_now();
    }
    events.extend(bench.events());
    for (mask, name) in &events {
        let visible = !name.starts_with('.');
        assert_eq!(
            visible,
            mask.contains(AddWatchFlags::IN_MOVED_TO),
            "{events:?}"
        );
    }
    assert!(
        events
            .iter()
            .any(|(mask, _)| mask.contains(AddWatchFlags::IN_CREATE)),
        "{events:?}"
    );
    assert!(
        events
            .iter()
            .any(|(mask, _)| mask.contains(AddWatchFlags::IN_MOVED_TO)),
        "{events:?}"
    );
}

#[test]
fn the_report_is_late_as_asked_and_the_death_is_not() {
    let bench = Bench::new().delay_ms(400);
    let start = Instant::now();
    // `run` reads to the end of the output: a writer that held the pipes would hold this up too.
    bench.crash("main", "read");
    assert!(
        bench.visible().is_empty(),
        "the process and its pipes are gone before the report is there"
    );
    bench.wait_for(1);
    assert!(start.elapsed() >= Duration::from_millis(400));
}

#[test]
fn crashes_in_one_second_do_not_overwrite_each_other() {
    let bench = Bench::new();
    let pids: Vec<i64> = (0..3)
        .map(|_| bench.crash("main", "read").pids()[0])
        .collect();
    let mut reported: Vec<i64> = bench
        .wait_for(3)
        .iter()
        .map(|(.., body)| body["pid"].as_i64().expect("a pid"))
        .collect();
    reported.sort_unstable();
    let mut expected = pids;
    expected.sort_unstable();
    assert_eq!(reported, expected);
}

#[test]
fn a_parent_gets_no_signal_and_no_child_too_many() {
    let bench = Bench::new();
    let run = bench.crash("main", "sigchld");
    assert_eq!(run.status.code(), Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("signals 1\n"), "{}", run.stdout);
    assert_eq!(
        run.stdout.replace(char::is_numeric, ""),
        plain("main", "sigchld")
            .stdout
            .replace(char::is_numeric, "")
    );
    bench.wait_for(1);
}

#[test]
fn an_ignored_signal_stays_ignored() {
    let bench = Bench::new().delay_ms(0);
    let run = bench.crash("main", "ignored");
    assert_eq!(run.status.code(), Some(7));
    assert!(bench.visible().is_empty());
}

#[test]
fn threads_that_crash_together_give_one_report() {
    let bench = Bench::new();
    let run = bench.crash("main", "together");
    assert_eq!(run.status.signal(), Some(libc::SIGSEGV));
    let (_, body) = bench.one();
    let threads = body["threads"].as_array().expect("threads");
    assert_eq!(
        threads
            .iter()
            .filter(|thread| thread["triggered"] == true)
            .count(),
        1
    );
}

#[test]
fn nothing_of_the_process_runs_on_after_the_crash() {
    let bench = Bench::new().writer(example("slow_writer"));
    let run = bench.crash("main", "exit-race");
    assert_eq!(
        run.status.signal(),
        Some(libc::SIGSEGV),
        "main would have exited with 0"
    );
    bench.wait_for(1);
}

#[test]
fn closed_descriptors_are_no_obstacle() {
    let bench = Bench::new();
    // A shell, because Rust's runtime reopens all three on /dev/null.
    let mut command = bench.preloaded("sh");
    command.args(["-c", "exec 0<&- 1>&- 2>&-; kill -SEGV $$"]);
    assert_eq!(run(&mut command).status.signal(), Some(libc::SIGSEGV));
    let (_, body) = bench.one();
    assert_eq!(body["exception"]["signal"], "SIGSEGV");
    assert!(
        !body["threads"][0]["frames"]
            .as_array()
            .expect("frames")
            .is_empty()
    );
}

#[test]
fn a_core_dump_is_made_or_not_as_without_the_reporter() {
    let bench = Bench::new();
    for limit in [0, libc::RLIM_INFINITY] {
        let dumps = |mut command: Command| {
            command.args(["main", "read"]).current_dir(bench.path());
            // SAFETY: the call is async-signal-safe.
            unsafe {
                command.pre_exec(move || {
                    let limit = libc::rlimit {
                        rlim_cur: limit,
                        rlim_max: limit,
                    };
                    libc::setrlimit(libc::RLIMIT_CORE, &raw const limit);
                    Ok(())
                });
            }
            run(&mut command).status.core_dumped()
        };
        assert_eq!(
            dumps(bench.preloaded(example("crasher"))),
            dumps(Command::new(example("crasher")))
        );
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_logged_and_changes_nothing() {
    let bench = Bench::new();
    // The writer may outlive the target: the log is the event to wait for, and a named pipe in its place tells of it.
    let blocked = bench.path().join("file");
    std::fs::write(&blocked, "").expect("a file");
    let log = bench.path().join("reporter.log");
    nix::unistd::mkfifo(&log, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    let mut command = bench.preloaded(example("crasher"));
    command
        .args(["main", "read"])
        .env("AGX_REHEARSAL_REPORTS_DIR", &blocked);
    assert_eq!(run(&mut command).status.signal(), Some(libc::SIGSEGV));
    let reason = std::fs::read_to_string(&log).expect("the reason");
    assert!(reason.contains("creating the report folder"), "{reason}");
}

#[test]
fn an_unusable_setting_is_said_once_when_asked() {
    let bench = Bench::new();
    let mut command = bench.preloaded("true");
    command.env("AGX_REHEARSAL_REPORTER", "/nonexistent/writer");
    let verbose = run(&mut command);
    assert_eq!(verbose.status.code(), Some(0));
    assert_eq!(
        verbose.stderr,
        "agx-rehearsal-reporter: no reports from this process: AGX_REHEARSAL_REPORTER names no executable file\n"
    );
    assert_eq!(run(command.env_remove("AGX_REHEARSAL_VERBOSE")).stderr, "");
    assert_eq!(
        run(command
            .env_remove("AGX_REHEARSAL_REPORTS_DIR")
            .env("AGX_REHEARSAL_VERBOSE", "1"))
        .stderr,
        ""
    );
}

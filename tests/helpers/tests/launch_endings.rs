//! How a target ends, and that it is told as it was.

mod common;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::Stdio;

use common::{Run, code, text, wait_for};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

#[test]
fn exit_codes_are_the_targets_own() {
    for expected in [0, 1, 5, 77, 86, 124, 125, 126, 127, 200, 255] {
        let run = Run::new();
        assert_eq!(code(&run.sh(&format!("exit {expected}"))), expected);
        assert_eq!(run.outcome().get("ending"), format!("Exited({expected})"));
    }
}

#[test]
fn every_deadly_signal_is_told() {
    for signal in [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 31, 34, 64] {
        let run = Run::new();
        let output = run.sh(&format!("ulimit -c 0; kill -{signal} $$"));
        assert_eq!(code(&output), 128 + signal);
        assert_eq!(
            run.outcome().get("ending"),
            format!("Signaled {{ signal: {signal}, core_dumped: false }}")
        );
    }
}

#[test]
fn a_core_dump_is_told() {
    const PATTERN: &str = "/proc/sys/kernel/core_pattern";
    let pattern = std::fs::read_to_string(PATTERN).expect("a pattern");
    if pattern.starts_with(['|', '/']) {
        eprintln!("skipped: cores of this machine go to `{}`", pattern.trim());
        return;
    }
    let script = "ulimit -S -c $(ulimit -H -c); kill -SEGV $$";
    let without = tempfile::tempdir().expect("a temporary folder");
    let mut shell = std::process::Command::new("/bin/sh");
    shell.args(["-c", script]).current_dir(&without);
    if !shell.status().expect("it starts").core_dumped() {
        eprintln!("skipped: no core is written here, with or without us");
        return;
    }
    let run = Run::new();
    let mut command = run.command(&["/bin/sh", "-c", script]);
    let output = command
        .current_dir(run.folder())
        .output()
        .expect("it starts");
    assert_eq!(code(&output), 128 + 11);
    assert_eq!(
        run.outcome().get("ending"),
        "Signaled { signal: 11, core_dumped: true }"
    );
}

#[test]
fn what_cannot_be_started_says_why() {
    let run = Run::new();
    let file = |name: &str, contents: &str, mode: u32| {
        let path = run.folder().join(name);
        std::fs::write(&path, contents).expect("it can be written");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).expect("it has a mode");
        path
    };
    let folder = run.folder().to_owned();
    for (target, expected, word) in [
        (folder.join("missing"), 127, "not found"),
        (file("plain", "", 0o644), 126, "permission denied"),
        (folder.clone(), 126, "permission denied"),
        (
            file("no-interpreter", "#!/missing/sh\n", 0o755),
            126,
            "`#!`",
        ),
        (file("no-line", "exit 0\n", 0o644), 126, "permission denied"),
        (folder.join("plain/below"), 127, "not found"),
    ] {
        let output = run.output(&[&target]);
        assert_eq!(code(&output), expected, "{}", target.display());
        let outcome = run.outcome();
        let error = outcome.get("error");
        assert!(error.contains(word), "{error}");
        assert!(error.contains(&*target.to_string_lossy()), "{error}");
    }
}

/// What `env` makes of `target`, and what we make of it: exit code, stdout, stderr.
fn as_env_and_as_we(run: &Run, target: &[&OsStr]) -> [(i32, String, String); 2] {
    let mut env = std::process::Command::new("env");
    env.args(target);
    [env, run.command(target)].map(|mut command| {
        let output = command.output().expect("it starts");
        (code(&output), text(&output.stdout), text(&output.stderr))
    })
}

#[test]
fn a_script_without_an_interpreter_line_is_the_shells() {
    let run = Run::new();
    let script = run.folder().join("script");
    common::programs::write(&script, "echo \"$0\" \"$#\" \"$1\"; exit 9\n");
    let target = [script.as_os_str(), OsStr::new("a b"), OsStr::new("")];
    let [env, ours] = as_env_and_as_we(&run, &target);
    assert_eq!(ours, env);
    let expected = format!("{} 2 a b\n", script.display());
    assert_eq!(ours, (9, expected, String::new()));
    assert_eq!(run.outcome().get("ending"), "Exited(9)");
}

#[test]
fn a_damaged_program_fails_as_with_env() {
    let run = Run::new();
    let damaged = run.folder().join("damaged");
    common::programs::write(&damaged, b"\x7fELF\x02\x01\x01(\n");
    let [env, ours] = as_env_and_as_we(&run, &[damaged.as_os_str()]);
    assert_eq!(ours, env);
    assert_ne!(ours.0, 0);
    assert!(!ours.2.is_empty());
}

#[test]
fn arguments_and_environment_need_not_be_text() {
    let run = Run::new();
    let odd = OsStr::from_bytes(b"\xff\xfe a\n");
    let mut command = run.command(&[
        OsStr::new("/bin/sh"),
        OsStr::new("-c"),
        OsStr::new("printf %s \"$1$ODD\""),
        OsStr::new("sh"),
        odd,
    ]);
    let output = command.env("ODD", odd).output().expect("it starts");
    assert_eq!(output.stdout, [odd.as_bytes(), odd.as_bytes()].concat());
}

#[test]
fn a_timeout_is_term_first() {
    let run = Run::new().option("--timeout", "50ms");
    let output = run.sh("trap 'echo cleaned; exit 3' TERM; echo up; sleep 60 & wait");
    assert_eq!(code(&output), 124);
    assert_eq!(text(&output.stdout), "up\ncleaned\n");
    let outcome = run.outcome();
    assert_eq!(outcome.get("ending"), "Exited(3)");
    assert_eq!(outcome.get("needed_kill"), "false");
    assert_eq!(outcome.get("left_behind"), "[]");
    assert!(outcome.all("call").contains(&"before_term"));
}

#[test]
fn a_target_that_ignores_term_is_killed_with_its_tree() {
    let run = Run::new()
        .option("--timeout", "50ms")
        .option("--grace", "50ms");
    // A grandchild in the group, one in a session of its own; all ignore TERM.
    let output = run.sh("trap '' TERM; sleep 60 & setsid sleep 60 & wait; wait");
    assert_eq!(code(&output), 124);
    let outcome = run.outcome();
    assert_eq!(
        outcome.get("ending"),
        "Signaled { signal: 9, core_dumped: false }"
    );
    assert!(
        outcome
            .get("timed_out")
            .contains("needed_kill: true, stragglers: 1")
    );
    assert_eq!(outcome.get("left_behind"), "[]");
}

#[test]
fn a_grandchild_that_outlives_term_is_killed_after_the_grace() {
    let run = Run::new()
        .option("--timeout", "50ms")
        .option("--grace", "50ms");
    let output = run.sh("(trap '' TERM; sleep 60; sleep 60) & wait");
    assert_eq!(code(&output), 124);
    let outcome = run.outcome();
    assert_eq!(
        outcome.get("ending"),
        "Signaled { signal: 15, core_dumped: false }"
    );
    assert_eq!(outcome.get("needed_kill"), "true");
    assert_eq!(outcome.get("left_behind"), "[]");
}

#[test]
fn a_stopped_target_still_times_out() {
    let run = Run::new().option("--timeout", "50ms");
    assert_eq!(code(&run.sh("kill -STOP $$")), 124);
    assert_eq!(run.outcome().get("needed_kill"), "false");
}

#[test]
fn a_crashed_orphan_is_seen() {
    let run = Run::new();
    // Its parent leaves at once; the target ends when it is gone, which is when we have reaped it.
    let output = run.sh(
        "pid=$( (sh -c 'echo $$; exec >&-; ulimit -c 0; kill -SEGV $$' &) ); \
         while kill -0 $pid 2>/dev/null; do :; done",
    );
    assert_eq!(code(&output), 0);
    let outcome = run.outcome();
    assert!(
        outcome
            .all("orphan")
            .contains(&"Signaled { signal: 11, core_dumped: false }"),
        "{}",
        outcome.0
    );
    assert_eq!(outcome.get("descendants"), "Some");
}

#[test]
fn children_are_known_of() {
    for (script, expected) in [
        ("exit 0", "None"),
        ("/bin/true; exit 0", "Some"),
        ("sleep 5 >/dev/null 2>&1 & exit 0", "Some"),
    ] {
        let run = Run::new();
        assert_eq!(code(&run.sh(script)), 0);
        let outcome = run.outcome();
        assert_eq!(outcome.get("descendants"), expected, "{script}");
    }
}

/// The pid of the supervisor whose target has written its own to `file`.
fn supervisor_of(target: i32) -> Pid {
    let stat = std::fs::read_to_string(format!("/proc/{target}/stat")).expect("the target lives");
    let (_, fields) = stat.rsplit_once(')').expect("a stat line");
    let parent = fields.split_ascii_whitespace().nth(1).expect("a parent");
    Pid::from_raw(parent.parse().expect("a pid"))
}

fn target_of(run: &Run) -> i32 {
    wait_for("the target's pid", || {
        let text = std::fs::read_to_string(run.folder().join("pid")).ok()?;
        text.strip_suffix('\n')?.parse().ok()
    })
}

#[test]
fn signals_from_outside_are_passed_on() {
    for (signal, name) in [
        (Signal::SIGINT, "INT"),
        (Signal::SIGTERM, "TERM"),
        (Signal::SIGHUP, "HUP"),
        (Signal::SIGQUIT, "QUIT"),
        (Signal::SIGUSR1, "USR1"),
        (Signal::SIGUSR2, "USR2"),
    ] {
        let run = Run::new();
        let script = format!(
            "trap 'echo got {name}; exit 3' {name}; echo $$ > {}/pid; \
             while :; do sleep 5 >/dev/null 2>&1 & wait $!; done",
            run.folder().display()
        );
        let child = run
            .command(&["/bin/bash", "-c", &script])
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        kill(supervisor_of(target_of(&run)), signal).expect("it lives");
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(code(&output), 3, "{name}");
        assert_eq!(text(&output.stdout), format!("got {name}\n"));
        let cancelled = match signal {
            Signal::SIGINT | Signal::SIGTERM | Signal::SIGHUP => format!("Some({})", signal as i32),
            _ => "None".to_owned(),
        };
        assert_eq!(run.outcome().get("cancelled_by"), cancelled);
    }
}

#[test]
fn the_second_term_kills_at_once() {
    let run = Run::new();
    let dir = run.folder().display().to_string();
    let script = format!(
        "trap 'echo $$ > {dir}/again' TERM; echo $$ > {dir}/pid; \
         while :; do sleep 5 >/dev/null 2>&1 & wait $!; done"
    );
    let mut child = run
        .command(&["/bin/bash", "-c", &script])
        .spawn()
        .expect("it starts");
    let supervisor = supervisor_of(target_of(&run));
    kill(supervisor, Signal::SIGTERM).expect("it lives");
    wait_for("the first TERM's arrival", || {
        std::fs::metadata(run.folder().join("again")).ok()
    });
    kill(supervisor, Signal::SIGTERM).expect("it lives");
    assert_eq!(child.wait().expect("it ends").code(), Some(137));
    let outcome = run.outcome();
    assert_eq!(outcome.get("cancelled_by"), "Some(15)");
    assert_eq!(outcome.get("needed_kill"), "true");
    assert_eq!(outcome.get("timed_out"), "None");
    assert_eq!(outcome.get("left_behind"), "[]");
}

/// The lines of `/proc/self/status` about signals, as a target sees them.
const SIGNAL_STATE: [&str; 4] = ["/bin/grep", "-E", "^Sig(Blk|Ign|Cgt)", "/proc/self/status"];

#[test]
fn dispositions_and_mask_are_as_without_us() {
    // Ignored and blocked alike, in every combination that matters: a nohup, a shell's background
    // command, a parent that ignores SIGPIPE (Python) or SIGCHLD, a parent that blocks TERM.
    let ignored = [
        vec![],
        vec![libc::SIGHUP],
        vec![libc::SIGINT, libc::SIGQUIT],
        vec![libc::SIGPIPE],
        vec![libc::SIGCHLD, libc::SIGTSTP],
    ];
    for ignored in ignored {
        for block in [false, true] {
            let run = Run::new();
            let with = run.command(&SIGNAL_STATE);
            let mut without = std::process::Command::new("setsid");
            without.arg("--wait").args(SIGNAL_STATE);
            common::with_default_signals(&mut without);
            let [with, without] = [with, without].map(|mut command| {
                let ignored = ignored.clone();
                // SAFETY: signal and sigprocmask are async-signal-safe.
                unsafe {
                    command.pre_exec(move || {
                        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
                        for signal in &ignored {
                            libc::signal(*signal, libc::SIG_IGN);
                        }
                        if block {
                            let mut set = std::mem::zeroed();
                            libc::sigemptyset(&raw mut set);
                            libc::sigaddset(&raw mut set, libc::SIGTERM);
                            libc::sigaddset(&raw mut set, libc::SIGCHLD);
                            libc::sigprocmask(
                                libc::SIG_BLOCK,
                                &raw const set,
                                std::ptr::null_mut(),
                            );
                        }
                        Ok(())
                    });
                }
                text(&command.output().expect("it starts").stdout)
            });
            assert!(without.contains("SigIgn"), "{without}");
            assert_eq!(with, without, "ignored {ignored:?}, blocked {block}");
        }
    }
}

/// Ends itself by the signal of its argument, whatever it was given.
const ENDS_BY: &str = "import os, signal, sys\n\
     number = int(sys.argv[1])\n\
     signal.pthread_sigmask(signal.SIG_SETMASK, [])\n\
     signal.signal(number, signal.SIG_DFL)\n\
     os.kill(os.getpid(), number)\n";

#[test]
fn it_dies_as_the_target_did_where_it_can() {
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Found {
        Default,
        Ignored,
        Blocked,
    }
    for (signal, found, dies) in [
        (libc::SIGINT, Found::Default, true),
        (libc::SIGINT, Found::Ignored, false),
        (libc::SIGINT, Found::Blocked, false),
        // A crash of the target is none of ours.
        (libc::SIGABRT, Found::Default, false),
    ] {
        let number = signal.to_string();
        let run = Run::new().option("--die-like", &number);
        let target = ["/usr/bin/env", "python3", "-c", ENDS_BY, &number];
        let mut command = run.command(&target);
        command.current_dir(run.folder());
        // SAFETY: signal and sigprocmask are async-signal-safe; the set is a local.
        unsafe {
            command.pre_exec(move || {
                if found == Found::Ignored {
                    libc::signal(signal, libc::SIG_IGN);
                }
                let mut set = std::mem::zeroed();
                libc::sigemptyset(&raw mut set);
                if found == Found::Blocked {
                    libc::sigaddset(&raw mut set, signal);
                }
                libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut());
                Ok(())
            });
        }
        let status = command.status().expect("it starts");
        let ending = if dies {
            (Some(signal), None)
        } else {
            (None, Some(128 + signal))
        };
        assert_eq!((status.signal(), status.code()), ending, "{found:?}");
    }
}

#[test]
fn ignored_sigchld_makes_children_unknowable() {
    let run = Run::new();
    let output = run.output(&[
        "/usr/bin/env",
        "perl",
        "-e",
        "$SIG{CHLD} = 'IGNORE'; fork or exit; wait",
    ]);
    assert_eq!(code(&output), 0);
    assert!(run.outcome().get("descendants").contains("SIGCHLD"));
}

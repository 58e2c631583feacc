//! On a terminal: keys, job control, sizes, and who has the foreground.

mod common;

use std::process::Command;

use common::session::Session;
use common::{Run, overrides_modes, unprivileged, wait_for};

/// A session whose leader is the supervisor itself, as with `docker run -it`.
fn direct(script: &str) -> Session {
    let words = unprivileged();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).args(["/bin/bash", "-c", script]);
    Session::start(command)
}

#[test]
fn all_three_are_terminals() {
    let script = "for fd in 0 1 2; do [ -t $fd ] && printf \"<$fd>\"; done; echo err >&2";
    let (code, seen) = direct(script).end();
    assert_eq!(code, Some(0));
    assert!(seen.contains("<0><1><2>"), "{seen}");
    // The real terminal turns the line's end into CR LF once, not twice.
    assert!(
        seen.contains("err\r\n") && !seen.contains("\r\r"),
        "{seen:?}"
    );
}

#[test]
fn ctrl_c_reaches_the_target_once() {
    let mut session =
        direct("trap 'echo caught; exit 5' INT; echo up; while :; do read -t 9; done");
    session.expect("up");
    session.send(b"\x03");
    let (code, seen) = session.end();
    assert_eq!(code, Some(5));
    assert_eq!(seen.matches("caught").count(), 1, "{seen}");
}

#[test]
fn ctrl_c_without_a_handler_is_130() {
    let mut session = Session::shell();
    session.type_line("$S /bin/sh -c 'echo u''p; exec sleep 60'");
    session.expect("up");
    session.send(b"\x03");
    session.prompt();
    assert!(session.run("echo code=$?").contains("code=130"));
}

#[test]
fn ctrl_c_in_a_pipeline_comes_once() {
    let mut session = Session::shell();
    session.type_line(
        "$S /bin/bash -c 'trap \"echo cau\"\"ght >&2; exit 5\" INT; echo u''p >&2; \
         while :; do read -t 9; done' | cat",
    );
    session.expect("up");
    session.send(b"\x03");
    let seen = session.prompt();
    assert_eq!(seen.matches("caught").count(), 1, "{seen}");
    assert!(session.run("echo code=${PIPESTATUS[0]}").contains("code=5"));
}

#[test]
fn ctrl_z_stops_the_job_and_fg_continues_it() {
    let mut session = Session::shell();
    session.type_line("$S /bin/bash -c 'echo u''p; read line; echo got $line; exit 5'");
    session.expect("up");
    session.send(b"\x1a");
    let seen = session.prompt();
    assert!(seen.contains("Stopped"), "{seen}");
    session.type_line("fg");
    session.expect("read line");
    // It has the terminal again: it can read, and Ctrl-C would be its own.
    session.type_line("hello");
    session.expect("got hello");
    session.prompt();
    assert!(session.run("echo code=$?").contains("code=5"));
}

#[test]
fn ctrl_z_stops_a_pipeline_and_fg_continues_it() {
    let mut session = Session::shell();
    session.type_line("$S /bin/bash -c 'echo u''p; read line; echo got $line' | cat");
    session.expect("up");
    session.send(b"\x1a");
    let seen = session.prompt();
    assert!(seen.contains("Stopped"), "{seen}");
    session.type_line("fg");
    session.expect("| cat");
    session.type_line("hello");
    session.expect("got hello");
    session.prompt();
}

#[test]
fn a_stop_does_not_count_for_the_timeout() {
    let run = Run::new();
    let mut session = Session::shell();
    let file = run.outcome_file();
    session.type_line(&format!(
        "$S --timeout 1500ms --outcome {} /bin/bash -c 'echo u''p; read line; exit 5'",
        file.display()
    ));
    session.expect("up");
    session.send(b"\x1a");
    session.prompt();
    // Longer than the time-out.
    session.run("sleep 2");
    session.type_line("fg");
    session.expect("read line");
    session.type_line("hello");
    session.prompt();
    assert!(session.run("echo code=$?").contains("code=5"));
    let outcome = run.outcome();
    let duration: u64 = outcome.get("duration_ms").parse().expect("a number");
    assert!(duration > 2000, "{duration}");
    assert_eq!(outcome.get("timed_out"), "None");
}

#[test]
fn a_background_job_runs_and_stops_for_input() {
    let mut session = Session::shell();
    session.type_line("$S /bin/bash -c 'read line; echo got $line; exit 5' &");
    session.prompt();
    // The shell says so when it is next asked after the stop.
    wait_for("the job to stop for input", || {
        session.run("jobs -l").contains("tty input").then_some(())
    });
    session.type_line("fg");
    session.expect("exit 5");
    session.type_line("hello");
    session.expect("got hello");
    session.prompt();
    assert!(session.run("echo code=$?").contains("code=5"));
}

#[test]
fn a_running_background_job_can_be_brought_forward() {
    let run = Run::new();
    let gate = run.folder().join("gate");
    nix::unistd::mkfifo(&gate, nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
    let mut session = Session::shell();
    session.type_line(&format!(
        "$S /bin/bash -c 'read x < {}; read line; echo got $line; exit 5' &",
        gate.display()
    ));
    session.prompt();
    session.type_line("fg");
    session.expect("exit 5");
    // Only now does it ask for the terminal, which the shell gave to us without a signal.
    std::fs::write(&gate, "go\n").expect("it waits");
    session.type_line("hello");
    session.expect("got hello");
    session.prompt();
    assert!(session.run("echo code=$?").contains("code=5"));
}

#[test]
fn the_terminal_is_ours_again_after_the_end() {
    let mut session = Session::shell();
    for script in [
        "exit 0",
        "kill -KILL $$",
        "sleep 1 >/dev/null 2>&1 </dev/null & exit 0",
    ] {
        session.run(&format!("$S /bin/bash -c '{script}'"));
        // The shell would be stopped or hung up on otherwise.
        assert!(session.run("echo alive=$((1 + 1))").contains("alive=2"));
    }
    session.run("$S /missing/program");
    assert!(session.run("echo code=$?").contains("code=127"));
}

#[test]
fn a_resize_is_seen_through_stderr() {
    let watcher = "import fcntl, os, signal, sys, termios\n\
         def show(*_):\n    \
             size = os.get_terminal_size(2)\n    \
             os.write(1, f'<{size.lines}x{size.columns}>'.encode())\n\
         signal.signal(signal.SIGWINCH, show)\n\
         show()\n\
         while True: signal.pause()\n";
    for pipeline in ["", " | cat"] {
        let mut session = Session::shell();
        let run = Run::new();
        let script = run.folder().join("watch.py");
        std::fs::write(&script, watcher).expect("it can be written");
        session.type_line(&format!(
            "$S /usr/bin/env python3 {}{pipeline}",
            script.display()
        ));
        session.expect("<24x80>");
        session.resize(30, 100);
        session.expect("<30x100>");
        session.resize(31, 90);
        session.expect("<31x90>");
        session.send(b"\x1c");
        session.prompt();
    }
}

#[test]
fn root_has_the_terminal_itself() {
    for (supervisor, kind) in [
        ("$S", "Terminal"),
        (
            "$PLAIN",
            if overrides_modes() {
                "TerminalItself"
            } else {
                "Terminal"
            },
        ),
    ] {
        let run = Run::new();
        let mut session = Session::shell();
        let seen = session.run(&format!(
            "{supervisor} --outcome {} /bin/sh -c 'tty <&2; echo er''r >&2'; tty",
            run.outcome_file().display()
        ));
        let outcome = run.outcome();
        assert_eq!(outcome.get("kind"), kind);
        assert!(outcome.all("problem").is_empty());
        assert!(seen.contains("err\r\n"), "{seen}");
        let names: Vec<&str> = seen.lines().filter(|l| l.starts_with("/dev/")).collect();
        assert_eq!(names.len(), 2, "{seen}");
        assert_eq!(names[0] == names[1], kind == "TerminalItself", "{seen}");
        let lines = outcome.all("line");
        assert_eq!(
            lines,
            if kind == "Terminal" {
                vec!["err"]
            } else {
                vec![]
            }
        );
    }
}

/// `less` in release 590 sets the modes of its fd 2, opens what ttyname(2) says of it for its keys, and
/// reads fd 2 where that fails.
#[track_caller]
fn less_takes_keys(supervisor: &str) {
    let run = Run::new();
    let file = run.folder().join("file");
    let lines: Vec<String> = (1..=500).map(|n| n.to_string()).collect();
    std::fs::write(&file, lines.join("\n")).expect("it can be written");
    let file = file.display();
    for command in [
        format!("{supervisor} /usr/bin/less {file}"),
        format!("cat {file} | {supervisor} /usr/bin/less"),
    ] {
        let mut session = Session::shell();
        let before = session.run("stty -a");
        session.type_line(&format!("export TERM=xterm; {command}"));
        session.expect("23\r\n");
        session.send(b" ");
        session.expect("46\r\n");
        session.send(b"q");
        session.prompt();
        assert_eq!(session.run("stty -a"), before, "{command}");
    }
}

#[test]
fn less_takes_keys_as_we_are() {
    less_takes_keys("$PLAIN");
}

#[test]
fn less_takes_keys_without_privileges() {
    less_takes_keys("$S");
}

#[test]
fn keys_stop_with_the_job_and_come_back_with_it() {
    let script = "import os, termios, tty\n\
         found = termios.tcgetattr(2)\n\
         tty.setcbreak(2)\n\
         os.write(1, b'rea' + b'dy')\n\
         key = os.read(2, 1)\n\
         termios.tcsetattr(2, termios.TCSANOW, found)\n\
         os.write(1, b'<' + key + b'>')\n";
    for pipe in ["", "true | "] {
        let run = Run::new();
        let file = run.folder().join("key.py");
        std::fs::write(&file, script).expect("it can be written");
        let mut session = Session::shell();
        let before = session.run("stty -a");
        session.type_line(&format!("{pipe}$S /usr/bin/env python3 {}", file.display()));
        session.expect("ready");
        session.send(b"\x1a");
        session.prompt();
        // What is typed now is the shell's.
        assert_eq!(session.run("stty -a"), before, "{pipe}");
        session.type_line("fg");
        session.expect("key.py\r\n");
        session.send(b"k");
        session.expect("<k>");
        session.prompt();
        assert_eq!(session.run("stty -a"), before, "{pipe}");
    }
}

#[test]
fn a_target_killed_while_it_takes_keys_leaves_the_terminal_usable() {
    let script = "import os, signal, tty\n\
         tty.setraw(2)\n\
         os.write(1, b'ready')\n\
         os.read(2, 1)\n\
         os.kill(os.getpid(), signal.SIGKILL)\n";
    let run = Run::new();
    let file = run.folder().join("raw.py");
    std::fs::write(&file, script).expect("it can be written");
    // No interactive shell, which would put the modes right itself.
    let mut command = Command::new("bash");
    let words = unprivileged().join(" ");
    command.args([
        "-c",
        &format!(
            "stty -a; {words} /usr/bin/env python3 {}; echo; echo code=$?; stty -a",
            file.display()
        ),
    ]);
    let mut session = Session::start(command);
    session.expect("ready");
    session.send(b"k");
    let (code, seen) = session.end();
    assert_eq!(code, Some(0));
    assert!(
        seen.contains(" icanon ") && seen.contains(" echo "),
        "{seen}"
    );
}

#[test]
fn an_error_beside_the_keys_is_read_whole() {
    // Packet mode puts a byte before each piece that is read: none of it may show.
    let run = Run::new();
    let mut session = Session::shell();
    let script = "stty -icanon <&2; for i in 1 2 3; do echo line$i >&2; stty icanon <&2; stty -icanon <&2; \
         done; stty icanon <&2";
    let seen = session.run(&format!(
        "$S --outcome {} /bin/sh -c '{script}'",
        run.outcome_file().display()
    ));
    assert!(seen.contains("line1\r\nline2\r\nline3\r\n"), "{seen:?}");
    let outcome = run.outcome();
    assert_eq!(outcome.all("line"), ["line1", "line2", "line3"]);
    assert_eq!(outcome.get("bytes"), "18");
    assert!(outcome.all("problem").is_empty());
}

#[test]
fn a_script_stops_after_ctrl_c_as_without_us() {
    let uses_the_key = "trap \"exit 5\" INT; echo up; while :; do read -t 9; done";
    for (target, shown) in [("echo up; exec sleep 60", ""), (uses_the_key, "code=5")] {
        let words = unprivileged().join(" ");
        let mut command = Command::new("bash");
        command.args([
            "-c",
            &format!("{words} --die-like 2 /bin/bash -c '{target}'; echo code=$?"),
        ]);
        let mut session = Session::start(command);
        session.expect("up");
        // Before it waits, the key would be the shell's own affair.
        session.leader_sleeps();
        session.send(b"\x03");
        let (_, seen) = session.end();
        let after: String = seen.chars().skip_while(|c| *c != 'c').collect();
        assert_eq!(after.trim_end(), shown, "{target}: {seen}");
    }
}

/// Raw mode, one key without a line's end, and the modes put back.
const KEY: &str = "old=$(stty -g </dev/tty); stty raw -echo </dev/tty; echo rea''dy; \
     key=$(dd bs=1 count=1 2>/dev/null </dev/tty); stty $old </dev/tty; echo key=$key";

#[test]
fn a_full_screen_program_reads_keys() {
    let mut session = Session::shell();
    session.type_line(
        &format!("$S /bin/sh -c {KEY:?}")
            .replace('$', "\\$")
            .replace("\\$S", "$S"),
    );
    session.expect("ready");
    session.send(b"q");
    session.expect("key=q");
    session.prompt();
    assert!(session.run("echo alive=$((1 + 1))").contains("alive=2"));
}

#[test]
fn pipelines_keep_the_terminal() {
    let mut session = Session::shell();
    let line = format!("seq 5 | $S /bin/sh -c {KEY:?}");
    session.type_line(&line.replace('$', "\\$").replace("\\$S", "$S"));
    session.expect("ready");
    session.send(b"q");
    session.expect("key=q");
    session.prompt();
    // The reader of our stdout is in our group: it must not be pushed into the background.
    session.type_line("$S /usr/bin/seq 500 | TERM=xterm less");
    session.expect("20\r\n");
    session.send(b"q");
    session.prompt();
    assert!(session.run("echo alive=$((1 + 1))").contains("alive=2"));
}

#[test]
fn a_timeout_in_a_pipeline_ends_the_target_alone() {
    let run = Run::new();
    let mut session = Session::shell();
    session.type_line(&format!(
        "$S --timeout 100ms --outcome {} /bin/bash -c 'sleep 60 & wait' | (cat; echo reader-l''ives); \
         echo code=${{PIPESTATUS[0]}}",
        run.outcome_file().display()
    ));
    session.expect("reader-lives");
    session.expect("code=124");
    assert_eq!(run.outcome().get("left_behind"), "[]");
}

#[test]
fn stderr_is_flushed_before_a_stop() {
    let mut session = Session::shell();
    session.type_line("$S /bin/bash -c 'echo la''st >&2; kill -TSTP $$; echo bac''k >&2'");
    let seen = session.prompt();
    assert!(seen.contains("last"), "{seen}");
    session.type_line("fg");
    session.expect("back");
    session.prompt();
}

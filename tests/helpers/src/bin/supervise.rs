//! `supervise [--timeout D] [--grace D] [--outcome FILE] [--outsider PROGRAM] [--die-like SIGNAL]
//! PROGRAM ARGS...`: the smallest program around the launcher. Exits as `agxrun` does: the target's code,
//! 128 + n, 124, 125, 126, 127; with `--die-like` it dies of that signal where the target did.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::exit;

use agxrun::run::launch::Launch;
use agxrun::run::supervise::{Ending, Limits, Observer, die_like, supervise};

/// Most lines kept for the outcome file.
const KEPT: usize = 64;

#[derive(Default)]
struct Record {
    lines: Vec<String>,
    count: u64,
    calls: Vec<String>,
}

impl Observer for Record {
    fn started(&mut self, _pid: i32) {
        self.calls.push("started".to_owned());
    }

    fn stderr_line(&mut self, line: &[u8]) {
        self.count += 1;
        if self.lines.len() < KEPT {
            self.lines.push(String::from_utf8_lossy(line).into_owned());
        }
    }

    fn before_term(&mut self, _pid: i32) {
        self.calls.push("before_term".to_owned());
    }
}

fn main() {
    let mut limits = Limits {
        timeout: None,
        grace: std::time::Duration::from_secs(10),
    };
    let mut outcome_file = None;
    let mut not_of_the_tree = Vec::new();
    let mut deadly = None;
    let mut args = std::env::args_os().skip(1).peekable();
    while let Some(option) = args.next_if(|arg| arg.as_encoded_bytes().starts_with(b"--")) {
        let value = args.next().expect("the option has a value");
        let duration = || {
            humantime::parse_duration(value.to_str().expect("a duration is text"))
                .expect("a duration")
        };
        match option.to_str() {
            Some("--timeout") => limits.timeout = Some(duration()),
            Some("--grace") => limits.grace = duration(),
            Some("--outcome") => outcome_file = Some(PathBuf::from(&value)),
            Some("--outsider") => not_of_the_tree.push(PathBuf::from(&value)),
            Some("--die-like") => {
                deadly = value.to_str().and_then(|signal| signal.parse::<i32>().ok());
            }
            _ => panic!("unknown option {}", option.display()),
        }
    }
    let launch = Launch {
        program: args.next().expect("a program").into(),
        arg0: None,
        args: args.collect::<Vec<OsString>>(),
        env: std::env::vars_os().collect(),
        cwd: None,
        not_of_the_tree,
    };
    let mut record = Record::default();
    match supervise(&launch, limits, &mut record) {
        Ok(outcome) => {
            record.calls.push(format!("lines={}", record.count));
            if let Some(file) = outcome_file {
                let text = agx_launch_tests::render(&outcome, &record.lines, &record.calls);
                // Renamed, so that a test that waits for it never reads half of it.
                let draft = file.with_extension("draft");
                std::fs::write(&draft, text).expect("the outcome can be written");
                std::fs::rename(&draft, &file).expect("the outcome can be renamed");
            }
            if let (Ending::Signaled { signal, .. }, Some(deadly)) = (outcome.ending, deadly)
                && signal == deadly
            {
                die_like(signal);
            }
            exit(if outcome.timed_out.is_some() {
                124
            } else {
                outcome.ending.shell_code()
            });
        }
        Err(error) => {
            // stderr may be what is broken.
            if let Some(file) = outcome_file {
                std::fs::write(&file, format!("error: {error}\n")).expect("it can be written");
            }
            exit(error.exit_code().into());
        }
    }
}

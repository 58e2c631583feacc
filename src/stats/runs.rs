//! Runs and how they ended, from the records that `agxrun run --json FILE` writes.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;

use super::Rate;

/// The layout of a record that is read here.
pub const SCHEMA: u32 = 1;

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The command line.
    pub command: String,
    /// What was injected, in words.
    pub fix: String,
    /// What the run says of the command.
    pub outcome: Outcome,
    /// Start and process id: a record that is named twice is one run.
    identity: (String, i64),
}

/// What a run says of whether its command crashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It crashed: a report that counts, a process that crashed without one, or a crash's signal.
    Crashed,
    /// It ran to its end, returned 0, and nothing crashed.
    Clean,
    /// It shows neither: it failed otherwise, was ended, or did not run as it should have.
    Undecided,
}

/// Why a record could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Something else.
    #[error("not a record of a run: {0} (hint: `agxrun run --json FILE -- CMD` writes one)")]
    NotARecord(#[from] serde_json::Error),
    /// Another layout.
    #[error(
        "a record of layout {0}, and this agxrun reads {SCHEMA} (hint: use the agxrun that wrote it)"
    )]
    OtherSchema(u32),
}

/// The fields that are used.
#[derive(Deserialize)]
struct Record {
    command: String,
    started: String,
    pid: i64,
    ending: Ending,
    verdict: Verdict,
    fix: Option<Fix>,
}

#[derive(Deserialize)]
struct Ending {
    signal_name: Option<String>,
}

#[derive(Deserialize)]
struct Verdict {
    exit_code: u8,
    applied: Vec<Applied>,
}

#[derive(Deserialize)]
struct Applied {
    reason: String,
}

#[derive(Deserialize)]
struct Fix {
    policy: Option<String>,
    throttle: Option<u16>,
    lock_scope: Option<String>,
    loaded: u64,
}

/// Signals by which a program ends itself or is ended for what it did.
const CRASH_SIGNALS: [&str; 7] = [
    "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGSYS", "SIGTRAP",
];

impl Run {
    /// Reads one record.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn read(json: &[u8]) -> Result<Self, RecordError> {
        /// Read first, as another layout may lack what this one has.
        #[derive(Deserialize)]
        struct Layout {
            schema: u32,
        }
        let layout: Layout = serde_json::from_slice(json)?;
        if layout.schema != SCHEMA {
            return Err(RecordError::OtherSchema(layout.schema));
        }
        let record: Record = serde_json::from_slice(json)?;
        Ok(Self {
            outcome: record.outcome(),
            fix: record.fix.map_or_else(|| "none".to_owned(), Fix::describe),
            command: record.command,
            identity: (record.started, record.pid),
        })
    }
}

impl Record {
    fn outcome(&self) -> Outcome {
        let has = |reason: &str| self.verdict.applied.iter().any(|it| it.reason == reason);
        if has("insertion_refused") {
            return Outcome::Undecided;
        }
        let signal = self.ending.signal_name.as_deref();
        let by_crash = signal.is_some_and(|name| CRASH_SIGNALS.contains(&name));
        if by_crash || has("new_reports") || has("crash_without_report") {
            return Outcome::Crashed;
        }
        // A library that was to be loaded and was not makes this no run with it.
        let not_loaded = self.fix.as_ref().is_some_and(|fix| fix.loaded == 0);
        if self.verdict.exit_code == 0 && !not_loaded {
            Outcome::Clean
        } else {
            Outcome::Undecided
        }
    }
}

impl Fix {
    fn describe(self) -> String {
        let mut words = vec![
            self.policy
                .unwrap_or_else(|| "a library of its own".to_owned()),
        ];
        if let Some(limit) = self.throttle.filter(|limit| *limit > 0) {
            words.push(format!("throttle {limit}"));
        }
        if let Some(scope) = self.lock_scope {
            words.push(format!("lock scope {scope}"));
        }
        words.join(", ")
    }
}

/// Runs of one command under one fix.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Those that are decided.
    pub rate: Rate,
    /// The others.
    pub undecided: usize,
}

/// Runs by command and fix, in the order of their names.
pub fn tally(runs: impl IntoIterator<Item = Run>) -> BTreeMap<(String, String), Tally> {
    let mut known = HashSet::new();
    let mut tallies: BTreeMap<_, Tally> = BTreeMap::new();
    for run in runs {
        if !known.insert(run.identity) {
            continue;
        }
        let tally = tallies.entry((run.command, run.fix)).or_default();
        match run.outcome {
            Outcome::Crashed => {
                tally.rate.crashes += 1;
                tally.rate.runs += 1;
            }
            Outcome::Clean => tally.rate.runs += 1,
            Outcome::Undecided => tally.undecided += 1,
        }
    }
    tallies
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn record(changes: Value) -> Value {
        let mut record = json!({
            "schema": 1, "command": "python3 test.py", "started": "2026-01-01T10:00:00+00:00", "pid": 7,
            "ending": {"how": "exited", "code": 0},
            "verdict": {"exit_code": 0, "applied": [{"code": 0, "reason": "target"}]},
            "fix": {"policy": "v3", "throttle": null, "lock_scope": null, "loaded": 1},
        });
        let Value::Object(changes) = changes else {
            panic!("an object")
        };
        for (key, value) in changes {
            record[key] = value;
        }
        record
    }

    fn read(changes: Value) -> Run {
        Run::read(record(changes).to_string().as_bytes()).expect("a record")
    }

    fn verdict(code: u8, reasons: &[&str]) -> Value {
        let applied: Vec<_> = reasons
            .iter()
            .map(|reason| json!({"code": code, "reason": reason}))
            .collect();
        json!({"verdict": {"exit_code": code, "applied": applied}})
    }

    #[test]
    fn a_run_is_a_crash_by_its_report_or_its_signal() {
        assert_eq!(read(json!({})).outcome, Outcome::Clean);
        for (changes, outcome) in [
            (verdict(86, &["new_reports", "target"]), Outcome::Crashed),
            (
                verdict(86, &["crash_without_report", "target"]),
                Outcome::Crashed,
            ),
            (verdict(124, &["timed_out", "signal"]), Outcome::Undecided),
            (
                verdict(124, &["timed_out", "signal", "new_reports"]),
                Outcome::Crashed,
            ),
            (
                verdict(125, &["insertion_refused", "new_reports"]),
                Outcome::Undecided,
            ),
            (verdict(125, &["unwatched", "target"]), Outcome::Undecided),
            (verdict(87, &["work_lost", "target"]), Outcome::Undecided),
            (verdict(1, &["target"]), Outcome::Undecided),
        ] {
            assert_eq!(read(changes.clone()).outcome, outcome, "{changes}");
        }
        let signalled = |name: &str| {
            let mut changes = verdict(139, &["signal"]);
            changes["ending"] = json!({"how": "signaled", "signal": 11, "signal_name": name});
            read(changes).outcome
        };
        assert_eq!(signalled("SIGSEGV"), Outcome::Crashed);
        assert_eq!(signalled("SIGKILL"), Outcome::Undecided);
    }

    #[test]
    fn a_library_that_was_not_loaded_makes_no_run_with_it() {
        let fix =
            json!({"fix": {"policy": "v3", "throttle": 2, "lock_scope": "queue", "loaded": 0}});
        let run = read(fix);
        assert_eq!(run.outcome, Outcome::Undecided);
        assert_eq!(run.fix, "v3, throttle 2, lock scope queue");
        assert_eq!(read(json!({"fix": null})).fix, "none");
        assert_eq!(read(json!({"fix": null})).outcome, Outcome::Clean);
    }

    #[test]
    fn runs_are_counted_once_by_command_and_fix() {
        let at = |pid: i32, changes: Value| {
            let mut changes = changes;
            changes["pid"] = json!(pid);
            read(changes)
        };
        let tallies = tally([
            at(1, json!({})),
            at(1, json!({})),
            at(2, verdict(86, &["new_reports", "target"])),
            at(3, verdict(1, &["target"])),
            at(4, json!({"fix": null})),
        ]);
        let key = |fix: &str| ("python3 test.py".to_owned(), fix.to_owned());
        let rate = |crashes, runs| Rate { crashes, runs };
        assert_eq!(
            tallies[&key("v3")],
            Tally {
                rate: rate(1, 2),
                undecided: 1
            }
        );
        assert_eq!(
            tallies[&key("none")],
            Tally {
                rate: rate(0, 1),
                undecided: 0
            }
        );
    }

    #[test]
    fn what_is_no_record_is_said_to_be_none() {
        let refused = |json: &str| Run::read(json.as_bytes()).expect_err(json).to_string();
        assert!(refused("[]").contains("not a record"));
        assert!(refused("{\"schema\": 1}").contains("missing field"));
        assert!(refused("{\"schema\": 99}").contains("layout 99"));
        assert!(refused("").contains("EOF"));
    }
}

//! Crash rates by command and fix, of runs that their own records or a history tell of.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use chrono::{DateTime, FixedOffset};
use serde::Deserialize;

use super::Kind;
use super::row::Row;
use crate::stats::Rate;

/// The layout of a record that is read here.
pub const RECORD_SCHEMA: u32 = 1;

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The command line.
    pub command: String,
    /// What was injected, in words.
    pub fix: String,
    /// What it amounts to.
    pub kind: Kind,
    /// Start in microseconds since 1970, and process id: its record and its line tell of one run.
    identity: (i64, i32),
}

/// Why a record could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Something else.
    #[error("not a record of a run: {0} (hint: `agxrun run --json FILE -- CMD` writes one)")]
    NotARecord(#[from] serde_json::Error),
    /// Another layout.
    #[error(
        "a record of layout {0}, and this agxrun reads {RECORD_SCHEMA} (hint: use the agxrun that wrote it)"
    )]
    OtherSchema(u32),
}

/// The fields of a record that are used.
#[derive(Deserialize)]
struct Record {
    command: String,
    started: DateTime<FixedOffset>,
    pid: i32,
    kind: Kind,
    fix: Option<Fix>,
}

#[derive(Deserialize)]
struct Fix {
    library: String,
    policy: Option<String>,
    throttle: Option<u16>,
    lock_scope: Option<String>,
}

impl Run {
    /// Reads what `agxrun run --json FILE` wrote.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn of_record(json: &[u8]) -> Result<Self, RecordError> {
        /// Read first, as another layout may lack what this one has.
        #[derive(Deserialize)]
        struct Layout {
            schema: u32,
        }
        let layout: Layout = serde_json::from_slice(json)?;
        if layout.schema != RECORD_SCHEMA {
            return Err(RecordError::OtherSchema(layout.schema));
        }
        let record: Record = serde_json::from_slice(json)?;
        Ok(Self {
            fix: record.fix.map_or_else(|| "none".to_owned(), Fix::describe),
            kind: record.kind,
            command: record.command,
            identity: (record.started.timestamp_micros(), record.pid),
        })
    }

    /// The run of a line.
    pub fn of_row(row: &Row<'_>) -> Self {
        let scope = row.lock_scope.as_ref().map(|scope| &*scope.0);
        Self {
            command: row.command_line(),
            fix: describe(row.fix.0.as_ref(), row.throttle, scope),
            kind: row.kind,
            identity: (row.started.timestamp_micros(), row.pid.unwrap_or(0)),
        }
    }
}

impl Fix {
    fn describe(self) -> String {
        let file = Path::new(&self.library).file_name();
        let file = file.map(|name| name.to_string_lossy().into_owned());
        let name = self.policy.or(file).unwrap_or(self.library);
        describe(&name, self.throttle, self.lock_scope.as_deref())
    }
}

fn describe(name: &str, throttle: Option<u16>, scope: Option<&str>) -> String {
    let mut words = vec![name.to_owned()];
    if let Some(limit) = throttle.filter(|limit| *limit > 0) {
        words.push(format!("throttle {limit}"));
    }
    if let Some(scope) = scope {
        words.push(format!("lock scope {scope}"));
    }
    words.join(", ")
}

/// Runs of one command under one fix.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Those that show whether the command crashes.
    pub rate: Rate,
    /// The others.
    pub undecided: usize,
}

/// Runs by command and fix, each run once.
#[derive(Debug, Default)]
pub struct Rates {
    known: HashSet<(i64, i32)>,
    counts: BTreeMap<(String, String), Counts>,
}

impl Rates {
    /// Counts a run that was not counted before.
    pub fn add(&mut self, run: Run) {
        if !self.known.insert(run.identity) {
            return;
        }
        let counts = self.counts.entry((run.command, run.fix)).or_default();
        if run.kind.is_decided() {
            counts.rate.runs += 1;
            counts.rate.crashes += usize::from(run.kind.is_crash());
        } else {
            counts.undecided += 1;
        }
    }

    /// The counts by command and fix, in the order of their names.
    pub fn finish(self) -> BTreeMap<(String, String), Counts> {
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::rows_from;
    use serde_json::{Value, json};

    fn record(changes: Value) -> Value {
        let mut record = json!({
            "schema": 1, "command": "python3 a test.py", "started": "2026-01-01T10:00:00.123456789+01:00", "pid": 7,
            "kind": "clean",
            "fix": {"library": "/lib/libagx_fix.so", "policy": "v3", "throttle": null, "lock_scope": null},
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
        Run::of_record(record(changes).to_string().as_bytes()).expect("a record")
    }

    #[test]
    fn a_fix_is_its_policy_or_its_file_with_what_was_asked_of_it() {
        let fix = |throttle: Value, scope: Value, policy: Value| {
            let fix = json!({"fix": {"library": "/lib/mine.so", "policy": policy, "throttle": throttle, "lock_scope": scope}});
            read(fix).fix
        };
        assert_eq!(
            fix(2.into(), "queue".into(), "v3".into()),
            "v3, throttle 2, lock scope queue"
        );
        assert_eq!(fix(0.into(), Value::Null, Value::Null), "mine.so");
        assert_eq!(read(json!({"fix": null})).fix, "none");
    }

    #[test]
    fn every_kind_is_in_the_rate_that_it_belongs_to() {
        for kind in Kind::ALL {
            let mut rates = Rates::default();
            rates.add(read(json!({"kind": kind})));
            let counts = rates.finish().into_values().next().expect("one");
            let expected = Counts {
                rate: Rate {
                    crashes: usize::from(kind.is_crash()),
                    runs: usize::from(kind.is_decided()),
                },
                undecided: usize::from(!kind.is_decided()),
            };
            assert_eq!(counts, expected, "{kind}");
        }
    }

    #[test]
    fn a_run_is_counted_once_by_its_record_and_its_line() {
        let mut line = crate::history::line::tests::line();
        line.command = vec!["python3".to_owned(), "a test.py".to_owned()];
        line.fix = "v3".to_owned();
        line.kind = Kind::Clean;
        let started = DateTime::parse_from_rfc3339("2026-01-01T09:00:00.123456Z").expect("a time");
        line.started = started.to_utc();
        let text = serde_json::to_string(&line).expect("serialised");
        let mut rates = Rates::default();
        rates.add(read(json!({})));
        rates_of(&text, &mut rates);
        rates.add(read(json!({"pid": 8, "kind": "crash"})));
        let counts: Vec<_> = rates.finish().into_iter().collect();
        let key = ("python3 a test.py".to_owned(), "v3".to_owned());
        let rate = Rate {
            crashes: 1,
            runs: 2,
        };
        assert_eq!(counts, [(key, Counts { rate, undecided: 0 })]);
    }

    fn rates_of(text: &str, rates: &mut Rates) {
        let mut read = 0;
        rows_from(&mut text.as_bytes(), &mut |row| {
            rates.add(Run::of_row(&row.expect("a row").0));
            read += 1;
        })
        .expect("read");
        assert_eq!(read, 1);
    }

    #[test]
    fn what_is_no_record_is_said_to_be_none() {
        let refused = |json: &str| Run::of_record(json.as_bytes()).expect_err(json).to_string();
        assert!(refused("[]").contains("not a record"));
        assert!(refused("{\"schema\": 1}").contains("missing field"));
        assert!(refused("{\"schema\": 99}").contains("layout 99"));
        assert!(refused("").contains("EOF"));
    }
}

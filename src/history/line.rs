//! One line of `runs.jsonl`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use agx_ledger::Counter;
use chrono::{DateTime, Local, SubsecRound, Utc};
use serde::{Deserialize, Serialize};

use super::fix::{fix_of, requested};
use super::headline::{Headline, headline};
use super::id::new_id;
use super::kind::Kind;
use crate::diagnose::fingerprint;
use crate::evidence::ProcessEvidence;
use crate::reports::attribution::{Attribution, Refutation};
use crate::run::Machine;
use crate::run::collect::{Collected, Weight};
use crate::run::execute::signal_name;
use crate::run::options::{LockScope, RunOptions};
use crate::run::record::RunRecord;
use crate::run::supervise::Ending;

/// The version of this layout: it grows when a field changes its meaning, not when one is added.
pub const SCHEMA: u32 = 1;

/// One run: flat, so that DuckDB and pandas read it as it is. Every key is always there, null where the value is not known or
/// does not apply. `docs/history.md` is the description for users.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunLine {
    /// [`SCHEMA`].
    pub schema: u32,
    /// 32 hexadecimal digits, of this run alone.
    pub id: String,
    /// When the run began, to the microsecond.
    #[serde(with = "instant")]
    pub started: DateTime<Utc>,
    /// How long the target ran, in seconds by the monotonic clock; 0 where it was not launched.
    pub wall: f64,
    /// How long agxrun worked on the run, in seconds: with the wait for reports.
    pub total: f64,
    /// The machine's name.
    pub host: String,
    /// The system and its version.
    pub os: String,
    /// The machine's model and its processor.
    pub hardware: Option<String>,
    /// The version of agxrun.
    pub agxrun: String,
    /// The build id of the fix library, as its ledger gives it.
    pub library: Option<String>,
    /// The command, a word each; what is no text is replaced.
    pub command: Vec<String>,
    /// The file that was launched.
    pub program: String,
    /// The folder in which it was launched.
    pub directory: String,
    /// What was to be injected: `none`, a policy's name, or the name of a library that follows none of ours.
    pub fix: String,
    /// Command buffers allowed in flight; 0 is no limit.
    pub throttle: Option<u16>,
    /// What shares one lock: `global`, `queue` or `buffer`.
    pub lock_scope: Option<String>,
    /// The series that it was a run of.
    pub series: Option<String>,
    /// The arm of a comparison.
    pub arm: Option<String>,
    /// Its place in the series, from 0.
    pub slot: Option<u64>,
    /// Which attempt at it this was, from 1.
    pub attempt: u32,
    /// The target's process id.
    pub pid: Option<i32>,
    /// The target's exit status.
    pub exit_code: Option<u8>,
    /// The number of the signal that ended it, on that system.
    pub signal: Option<i32>,
    /// Its name: numbers differ between systems.
    pub signal_name: Option<String>,
    /// What agxrun exited with.
    pub verdict: u8,
    /// Why, strongest first: the names of the verdict's reasons.
    pub reasons: Vec<String>,
    /// What the run amounts to.
    pub kind: Kind,
    /// What crashed, equal for equal crashes: a signature's id, else a fingerprint, else the signal's name.
    pub crash: Option<String>,
    /// The same for people.
    pub title: Option<String>,
    /// The reports that appeared during the run.
    pub reports: Vec<ReportLine>,
    /// Calls that the library did not make.
    pub dropped_calls: u64,
    /// Calls that went through its hooks.
    pub hooked_calls: u64,
    /// Processes in which the library was loaded and not disabled.
    pub injected: u64,
    /// The ledgers' counters over all processes: sums, but the largest of those that are maxima.
    pub counters: BTreeMap<String, u64>,
    /// The number that the target printed and that was asked for.
    pub metric: Option<f64>,
    /// What the reader must know, one sentence each.
    pub warnings: Vec<String>,
}

/// A report of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportLine {
    /// Its name in the archive, or where it lies if it was not copied.
    pub file: String,
    /// Its incident id: one per event.
    pub incident: Option<String>,
    /// The process that it tells of.
    pub process: Option<String>,
    /// What equal crashes have in common, 16 hexadecimal digits; null where the report could not be read.
    pub fingerprint: Option<String>,
    /// The id of the signature that it matches.
    pub signature: Option<String>,
    /// `ours`, `foreign` or `unknown`: whether it belongs to the run's process tree.
    pub attribution: Option<String>,
    /// What ties it to the tree: `process`, `parent`, `responsible` or `library`; `older` where the crash was before the run began;
    /// else null.
    #[serde(default)]
    pub evidence: Option<String>,
    /// Whether it made the run fail.
    pub counted: bool,
    /// Whether it is a crash that the baseline knows: in the rate, and no failure.
    #[serde(default)]
    pub known: bool,
}

/// What a run is a part of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The series.
    pub series: Option<String>,
    /// The arm.
    pub arm: Option<String>,
    /// Its place in the series, from 0.
    pub slot: Option<u64>,
    /// Which attempt at it, from 1.
    pub attempt: u32,
}

impl Default for Context {
    /// A run of its own, made once.
    fn default() -> Self {
        Self {
            series: None,
            arm: None,
            slot: None,
            attempt: 1,
        }
    }
}

/// What is known of every run, launched or not.
#[derive(Debug, Clone, Copy)]
pub struct Basics {
    /// When it began.
    pub started: DateTime<Local>,
    /// How long agxrun worked on it.
    pub total: Duration,
    /// What agxrun exits with.
    pub verdict: u8,
}

impl RunLine {
    /// The line of a run. `warnings` are the sentences of its notices.
    pub fn of(record: &RunRecord, context: &Context, warnings: Vec<String>) -> Self {
        let kind = Kind::of(record);
        let Headline { id: crash, title } = headline(record, kind);
        let outcome = &record.outcome;
        let evidence = &record.evidence;
        let (exit_code, signal) = match outcome.ending {
            // The system hands out the low eight bits only.
            Ending::Exited(code) => (u8::try_from(code & 0xff).ok(), None),
            Ending::Signaled { signal, .. } => (None, Some(signal)),
        };
        let ledgers = evidence.processes.iter().map(ProcessEvidence::ledger);
        let each = ledgers.clone().flat_map(|ledger| &ledger.counters);
        Self {
            wall: seconds(outcome.duration),
            program: record.plan.target.program.display().to_string(),
            fix: fix_of(record),
            throttle: record.plan.tuning.throttle,
            lock_scope: lock_scope(record.plan.tuning.lock_scope),
            library: ledgers
                .clone()
                .map(|ledger| ledger.build_id.clone())
                .find(|id| !id.is_empty()),
            pid: Some(outcome.pid),
            exit_code,
            signal,
            signal_name: signal.map(signal_name),
            reasons: reasons(record),
            kind,
            crash,
            title,
            reports: record.reports.iter().map(ReportLine::of).collect(),
            dropped_calls: evidence.dropped_calls(),
            hooked_calls: evidence.total(Counter::MethodCalls.name()),
            injected: ledgers.filter(|ledger| !ledger.disabled).count() as u64,
            counters: together(each),
            warnings,
            ..Self::bare(
                &record.options,
                context,
                Basics {
                    started: record.started,
                    total: record.total,
                    verdict: record.verdict.exit_code,
                },
            )
        }
    }

    /// The line of a run that was not launched, or could not be watched: `why` is the sentence that the user was told.
    pub fn refused(options: &RunOptions, context: &Context, basics: Basics, why: String) -> Self {
        Self {
            warnings: vec![why],
            ..Self::bare(options, context, basics)
        }
    }

    /// What is known of every run.
    fn bare(options: &RunOptions, context: &Context, basics: Basics) -> Self {
        let machine = Machine::this();
        let words = options.command.iter();
        let command: Vec<String> = words
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        let directory = std::env::current_dir();
        let (fix, throttle, scope) = requested(&options.fix);
        Self {
            schema: SCHEMA,
            id: new_id(basics.started),
            started: basics.started.to_utc().trunc_subsecs(6),
            wall: 0.0,
            total: seconds(basics.total),
            host: machine.host.clone(),
            os: machine.os.clone(),
            hardware: machine.hardware.clone(),
            agxrun: env!("CARGO_PKG_VERSION").to_owned(),
            library: None,
            program: command.first().cloned().unwrap_or_default(),
            command,
            // A folder that was removed has no name.
            directory: directory.map_or_else(|_| String::new(), |path| path.display().to_string()),
            fix,
            throttle,
            lock_scope: lock_scope(scope),
            series: context.series.clone(),
            arm: context.arm.clone(),
            slot: context.slot,
            attempt: context.attempt,
            pid: None,
            exit_code: None,
            signal: None,
            signal_name: None,
            verdict: basics.verdict,
            reasons: Vec::new(),
            kind: Kind::Refused,
            crash: None,
            title: None,
            reports: Vec::new(),
            dropped_calls: 0,
            hooked_calls: 0,
            injected: 0,
            counters: BTreeMap::new(),
            metric: None,
            warnings: Vec::new(),
        }
    }
}

impl ReportLine {
    /// What tells its event from others: the incident, or the file where it names none.
    pub fn event(&self) -> &str {
        self.incident.as_deref().unwrap_or(&self.file)
    }

    /// Whether it is a crash, or an error of the GPU, that the run has for its own: one that fails it, or that the baseline knows.
    pub fn is_counted(&self) -> bool {
        self.counted || self.known
    }

    fn of(collected: &Collected) -> Self {
        let report = collected.report.as_ref().ok();
        let archived = collected.archived.as_ref().ok();
        let name = archived.and_then(|path| path.file_name());
        let file = name.map_or(collected.path.as_path(), Path::new);
        Self {
            file: file.display().to_string(),
            incident: report.and_then(|report| report.incident().map(str::to_owned)),
            process: report.and_then(|report| report.process_name().map(str::to_owned)),
            fingerprint: report.map(|report| fingerprint(report).to_string()),
            signature: collected
                .diagnosis
                .as_ref()
                .map(|diagnosis| diagnosis.id.clone()),
            attribution: collected.attribution.as_ref().map(|attribution| {
                let name = match attribution {
                    Attribution::Ours(_) => "ours",
                    Attribution::Foreign(_) => "foreign",
                    Attribution::Unknown(_) => "unknown",
                };
                name.to_owned()
            }),
            evidence: match &collected.attribution {
                Some(Attribution::Ours(evidence)) => Some(evidence.name().to_owned()),
                Some(Attribution::Foreign(Refutation::OlderThanRun(_))) => Some("older".to_owned()),
                _ => None,
            },
            counted: collected.weight.counts(),
            known: collected.weight == Weight::Known,
        }
    }
}

/// Counters of which each process has its largest value.
const MAXIMA: [Counter; 2] = [Counter::InFlightMost, Counter::LockMaxWaitMs];

fn together<'a>(counters: impl Iterator<Item = &'a (String, u64)>) -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    for (name, value) in counters {
        let total: &mut u64 = all.entry(name.clone()).or_default();
        *total = if MAXIMA.iter().any(|counter| counter.name() == name) {
            (*total).max(*value)
        } else {
            total.saturating_add(*value)
        };
    }
    all
}

fn lock_scope(scope: Option<LockScope>) -> Option<String> {
    scope.map(|scope| scope.name().to_owned())
}

/// The names of the reasons, as in the run's own JSON.
fn reasons(record: &RunRecord) -> Vec<String> {
    let applied = record.verdict.applied.iter();
    applied
        .filter_map(|applied| {
            let name = serde_json::to_value(applied.reason);
            name.ok()?.as_str().map(str::to_owned)
        })
        .collect()
}

/// To the microsecond: more digits would be noise.
fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e6
}

/// `2026-01-02T03:04:05.123456Z`: always so many digits, as readers guess a column's type from its first values.
mod instant {
    use chrono::{DateTime, SecondsFormat, Utc};
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(at: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Micros, true))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<DateTime<Utc>, D::Error> {
        DateTime::deserialize(from)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::run::options::FixRequest;

    /// A run that crashed.
    pub fn line() -> RunLine {
        let basics = Basics {
            started: DateTime::from_timestamp(1_767_323_045, 123_456_789)
                .expect("a time")
                .with_timezone(&Local),
            total: Duration::from_millis(1_500),
            verdict: 139,
        };
        let options = RunOptions {
            baseline: None,
            command: vec!["python3".into(), "a test.py".into()],
            fix: FixRequest::None,
            require_fix: false,
            allow_uninjected: false,
            env: vec![],
            timeout: None,
            grace: Duration::ZERO,
            reports_dirs: vec![],
            archive: "/nowhere".into(),
            scope: crate::run::options::Scope::Any,
            settle: Duration::ZERO,
            report_wait: Duration::ZERO,
            signatures: crate::diagnose::Signatures::builtin_shared(),
        };
        RunLine {
            wall: 1.25,
            pid: Some(7),
            signal: Some(11),
            signal_name: Some("SIGSEGV".to_owned()),
            reasons: vec!["signal".to_owned(), "new_reports".to_owned()],
            kind: Kind::Crash,
            crash: Some("agx_null_pipeline".to_owned()),
            title: Some("NULL implementation".to_owned()),
            ..RunLine::bare(&options, &Context::default(), basics)
        }
    }

    #[test]
    fn a_line_reads_back_as_it_was_written() {
        let line = line();
        let text = serde_json::to_string(&line).expect("serialised");
        assert!(
            text.contains(r#""started":"2026-01-02T03:04:05.123456Z""#),
            "{text}"
        );
        assert!(text.contains(r#""series":null"#), "{text}");
        assert_eq!(serde_json::from_str::<RunLine>(&text).expect("read"), line);
    }

    #[test]
    fn counters_of_processes_are_added_and_maxima_are_not() {
        let counters = [("commits", 2), ("lock_max_wait_ms", 7)]
            .into_iter()
            .chain([
                ("commits", 3),
                ("lock_max_wait_ms", 5),
                ("commits", u64::MAX),
            ])
            .map(|(name, value)| (name.to_owned(), value));
        let counters: Vec<_> = counters.collect();
        let all = together(counters.iter());
        assert_eq!((all["commits"], all["lock_max_wait_ms"]), (u64::MAX, 7));
    }
}

//! The steps of a run, called in their order.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, Local, TimeDelta, Utc};
use nix::sys::signal::Signal;

use super::collect::{Collected, Collector, Knowledge};
use super::expectation::{expected, waited};
use super::insertion::{LoaderWords, Refused, inserted_names};
use super::known::Known;
use super::launch::{Launch, LaunchError};
use super::notes::{
    mismatches, newly_unwatched, note_archive, note_bypasses, note_evidence, note_watching,
};
use super::options::RunOptions;
use super::plan::{Plan, PlanError, Target};
use super::preflight::{self, Refusal};
use super::record::{Notice, RunRecord, SeenLine};
use super::settle::{self, Expected, Settled, Waiting};
use super::supervise::{self, Ending, Outcome};
use super::verdict::{Facts, Verdict};
use super::workspace::{Workspace, WorkspaceError};
use crate::diagnose::Signatures;
use crate::evidence::{Census, End, TreeEvidence, read_folder};
use crate::inject::Artifact;
use crate::inject::build::Stage;
use crate::inject::environment::compose;
use crate::inject::locate::Surroundings;
use crate::inject::platform::{LEDGERS_COVER_REPORTS, REPORTS_ARE_REHEARSED};
use crate::reports::attribution::{KnownProcess, TreeFacts};
use crate::reports::watch::FolderWatch;
use crate::reports::{ReportFolder, Snapshot};

/// What a caller is told while a run goes on.
pub trait Watcher {
    /// A piece is being built, which takes time.
    fn building(&mut self, artifact: Artifact, stage: Stage<'_>);
    /// What is about to be launched.
    fn planned(&mut self, plan: &Plan);
    /// What is being waited for after the target's end, and how much of the time is left.
    fn waiting(&mut self, waiting: &Waiting<'_>, left: Duration);
    /// Nothing is waited for any more.
    fn settled(&mut self);
}

/// Why there is no record: nothing was launched, or it could not be watched.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The run could not be planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// What was planned cannot work.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The target could not be started or watched.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The run's own folder could not be made.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// What the target needs could not be put into it.
    #[error("cannot prepare the run: {0} (hint: check the temporary folder, TMPDIR)")]
    Prepare(#[from] io::Error),
}

/// Runs the eight steps.
pub fn execute(
    options: RunOptions,
    default_folders: Vec<ReportFolder>,
    watcher: &mut dyn Watcher,
) -> Result<RunRecord, RunError> {
    let begun = Instant::now();
    let plan = Plan::make(
        &options,
        &Surroundings::current(),
        default_folders,
        &mut |artifact, stage| watcher.building(artifact, stage),
    )?;
    if let Some(arrival) = &plan.arrival {
        arrival.check(&options)?;
    }
    preflight::prepare_folders(&plan)?;
    let workspace = Workspace::new()?;
    let launch = prepare(&plan, &options, &workspace)?;
    watcher.planned(&plan);

    let before = Snapshot::take(&plan.folders);
    preflight::check_folders(&plan, &before)?;
    let started = Local::now();
    let limits = supervise::Limits {
        timeout: options.timeout,
        grace: options.grace,
    };
    let mut lines = StderrLines::new(&options.signatures);
    let arrival = last_look(&plan);
    let mut outcome = supervise::supervise(&launch, limits, &mut lines)?;
    let ended = Instant::now();

    let evidence = read_evidence(&plan, &workspace, &outcome);
    let mut collector = Collector::new(&plan.folders, &before);
    let settled = wait_for_reports(
        &options,
        &plan,
        &outcome,
        &evidence,
        &mut collector,
        watcher,
        ended,
    );
    // Some that still ran when the target ended were ending too.
    supervise::look_again(&mut outcome);
    // Whatever came meanwhile from processes that still ran is read once more.
    let evidence = if evidence.all_settled() {
        evidence
    } else {
        read_evidence(&plan, &workspace, &outcome)
    };
    let unwatched = collector.unwatched();
    let tree = tree_facts(&plan, &outcome, &evidence, started.to_utc());
    let inserted = inserted_names(&plan);
    let knowledge = Knowledge {
        tree: &tree,
        evidence: &evidence,
        inserted: &inserted,
        signatures: &options.signatures,
        baseline: options.baseline.as_deref(),
        today: started.to_utc().date_naive(),
    };
    let reports = collector.finish(&knowledge, options.scope, &options.archive);
    let StderrLines { loader, seen, .. } = lines;
    let refused = loader.refused(&plan, &outcome, &reports);
    let silent_crashes = silent_crashes(&outcome, &settled, &refused);
    let mut notices: Vec<Notice> = arrival.into_iter().collect();
    notices.extend(loader.notices(&refused));
    note_evidence(&mut notices, &plan, &evidence, &reports, &outcome);
    note_bypasses(&mut notices, &reports);
    note_watching(&mut notices, &outcome, &settled, &unwatched, &before);
    note_archive(&mut notices, &options, &outcome, &reports);
    let known = Known::of(&outcome, &reports);
    notices.extend(known.notice());
    if REPORTS_ARE_REHEARSED && plan.reporter.is_none() {
        notices.push(Notice::NoReportWriter);
    }
    let facts = Facts {
        ending: outcome.ending.into(),
        insertion_refusals: refused.len(),
        timed_out: outcome.timed_out.is_some(),
        counted_reports: counted(&reports),
        known,
        crashed_without_report: silent_crashes.len(),
        lost_work: evidence.lost_work(),
        hooks_undone: Census::of(&evidence).map_or(0, |census| census.undone()),
        bypasses: bypasses(&reports),
        proof_missing: options.require_fix
            && plan.library.is_some()
            && !proves_load(&plan, &evidence),
        unwatched: newly_unwatched(&unwatched, &before).next().is_some(),
    };
    if !outcome.left_behind.is_empty() {
        workspace.keep();
    }
    Ok(RunRecord {
        verdict: Verdict::of(&facts),
        options,
        plan,
        started,
        outcome,
        evidence,
        settled,
        reports,
        lines: seen,
        silent_crashes,
        notices,
        total: begun.elapsed(),
    })
}

fn prepare(plan: &Plan, options: &RunOptions, workspace: &Workspace) -> io::Result<Launch> {
    let injection = plan.injection(workspace.ledgers(), &mut |path: &Path| {
        workspace.alias(path)
    })?;
    let (target, env) = match &plan.arrival {
        Some(arrival) => (
            arrival.launched(&plan.target),
            compose(arrival.variables(), &[], &injection),
        ),
        None => (
            plan.target.clone(),
            compose(std::env::vars_os(), &options.env, &injection),
        ),
    };
    let Target {
        program,
        arg0,
        args,
    } = target;
    Ok(Launch {
        program,
        arg0: Some(arg0),
        args,
        env,
        cwd: None,
        // A time-out would lose its report, and it is no child of the target's.
        not_of_the_tree: plan
            .reporter
            .iter()
            .map(|reporter| reporter.writer.clone())
            .collect(),
    })
}

/// What is foreseen of the library's way, where that is not plainly into the target: looked at again as late as can be, since
/// a file may have changed meanwhile.
fn last_look(plan: &Plan) -> Option<Notice> {
    let arrival = plan.arrival.as_ref()?;
    match arrival.recheck() {
        Ok(()) => Notice::of_arrival(&arrival.inspection.verdict),
        Err(changed) => Notice::of_arrival(&changed),
    }
}

/// Known lines of the target's stderr, as they pass.
struct StderrLines<'a> {
    signatures: &'a Signatures,
    loader: LoaderWords,
    seen: BTreeMap<String, SeenLine>,
}

impl<'a> StderrLines<'a> {
    fn new(signatures: &'a Signatures) -> Self {
        Self {
            signatures,
            loader: LoaderWords::default(),
            seen: BTreeMap::new(),
        }
    }
}

impl supervise::Observer for StderrLines<'_> {
    fn stderr_line(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        self.loader.hear(&text);
        if let Some(signature) = self.signatures.match_line(&text) {
            let seen = self
                .seen
                .entry(signature.id.clone())
                .or_insert_with(|| SeenLine {
                    signature: signature.clone(),
                    first: text.clone().into_owned(),
                    count: 0,
                });
            seen.count += 1;
        }
    }
}

fn read_evidence(plan: &Plan, workspace: &Workspace, outcome: &Outcome) -> TreeEvidence {
    if plan.library.is_none() {
        return TreeEvidence::default();
    }
    let (files, unreadable) = read_folder(workspace.ledgers());
    let ends: HashMap<u32, End> = waited(outcome)
        .filter_map(|(pid, ending)| {
            let end = match ending {
                Ending::Exited(_) => End::Clean,
                Ending::Signaled { .. } if ending.is_crash() => End::Crashed,
                Ending::Signaled { .. } => End::Killed,
            };
            Some((u32::try_from(pid).ok()?, end))
        })
        .collect();
    let alive = |pid: u32| i32::try_from(pid).is_ok_and(supervise::is_alive);
    TreeEvidence::of(files, unreadable, &ends, &alive)
}

fn wait_for_reports(
    options: &RunOptions,
    plan: &Plan,
    outcome: &Outcome,
    evidence: &TreeEvidence,
    collector: &mut Collector<'_>,
    watcher: &mut dyn Watcher,
    ended: Instant,
) -> Settled {
    let expected = expected(outcome, evidence, LEDGERS_COVER_REPORTS);
    let limits = settle::Limits {
        settle: options.settle,
        report_wait: options.report_wait,
    };
    // Set up before the first look, so that nothing falls between the two; not at all where one
    // look is all there will be.
    let mut watch: Option<FolderWatch> = None;
    if expected != Expected::default() {
        watch = Some(FolderWatch::new(&plan.folders));
    }
    let mut waited = false;
    let settled = settle::settle(
        &expected,
        limits,
        &mut || collector.look(),
        &mut |limit, waiting| {
            waited = true;
            watcher.waiting(waiting, limit);
            match &mut watch {
                Some(watch) => {
                    watch.wait(limit.min(PROGRESS_STEP));
                }
                // The next look comes at once, now with a watch behind it.
                None => watch = Some(FolderWatch::new(&plan.folders)),
            }
        },
        &settle::since(ended),
    );
    if waited {
        watcher.settled();
    }
    settled
}

/// The longest wait between two looks: the remaining time is shown, and a file that only grows in
/// place announces nothing on some systems.
const PROGRESS_STEP: Duration = Duration::from_millis(250);

fn tree_facts(
    plan: &Plan,
    outcome: &Outcome,
    evidence: &TreeEvidence,
    started: DateTime<Utc>,
) -> TreeFacts {
    let ended: DateTime<Utc> = outcome.ended.into();
    // A clock that was set back during the run must not make the run's own crashes older than it.
    let started = TimeDelta::from_std(outcome.duration)
        .map_or(started, |duration| started.min(ended - duration));
    let nanoseconds = |at: u64| i64::try_from(at).ok().map(DateTime::from_timestamp_nanos);
    let from_ledgers = evidence.processes.iter().filter_map(|process| {
        let ledger = process.ledger();
        Some(KnownProcess {
            pid: i32::try_from(ledger.pid).ok()?,
            started: nanoseconds(ledger.start_ns.unwrap_or(ledger.load_ns)),
            ended: ledger.exited_ns.and_then(nanoseconds),
        })
    });
    let orphans = outcome.orphans.iter().map(|orphan| KnownProcess {
        pid: orphan.pid,
        started: None,
        ended: None,
    });
    let still_running = !outcome.left_behind.is_empty();
    TreeFacts {
        root_pid: outcome.pid,
        started,
        ended: (!still_running).then_some(ended),
        processes: from_ledgers.chain(orphans).collect(),
        fix_library: plan.library.as_ref().map(|library| library.path.clone()),
        ledgers: evidence.loaded(),
    }
}

/// Crashed descendants without a report; the target's own signal is told by its own code.
fn silent_crashes(outcome: &Outcome, settled: &Settled, refused: &[Refused]) -> Vec<(i32, i32)> {
    let is_refused = |pid: i32| refused.iter().any(|refused| refused.pid == Some(pid));
    outcome
        .orphans
        .iter()
        .filter(|orphan| settled.missing.contains(&orphan.pid) && !is_refused(orphan.pid))
        .filter_map(|orphan| match orphan.ending {
            Ending::Signaled { signal, .. } => Some((orphan.pid, signal)),
            Ending::Exited(_) => None,
        })
        .collect()
}

fn counted(reports: &[Collected]) -> usize {
    let counts = |report: &&Collected| report.weight.counts();
    reports.iter().filter(counts).count()
}

/// Calls past the library in the reports that count.
fn bypasses(reports: &[Collected]) -> usize {
    let counted = reports.iter().filter(|report| report.weight.counts());
    counted.flat_map(Collected::bypasses).count()
}

/// A ledger proves the load; one whose library was told to do nothing, or did something else, proves nothing more.
fn proves_load(plan: &Plan, evidence: &TreeEvidence) -> bool {
    let as_asked = plan
        .policy
        .is_none_or(|expected| mismatches(expected.policy.name, evidence).is_empty());
    evidence
        .processes
        .iter()
        .any(|process| !process.ledger().disabled)
        && !evidence
            .processes
            .iter()
            .any(|process| process.ledger().policy_unknown)
        && evidence.metal_without_hooks().next().is_none()
        && as_asked
}

/// The command as text; what is no text is replaced.
pub fn command_line(options: &RunOptions) -> String {
    let words: Vec<_> = options
        .command
        .iter()
        .map(|word| word.to_string_lossy())
        .collect();
    words.join(" ")
}

/// `SIGSEGV`, or the number where it has no name here.
pub fn signal_name(signal: i32) -> String {
    Signal::try_from(signal).map_or_else(|_| format!("signal {signal}"), |known| known.to_string())
}

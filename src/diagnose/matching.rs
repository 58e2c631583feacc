//! Matching a report against one rule.

use agx_ledger::Ledger;

use super::pattern::{FramePattern, Pattern};
use super::rule::{NULL_REGION, Rule};
use super::signature::{Confidence, Diagnosis, Signature};
use crate::reports::frames::{self, interesting_frame};
use crate::reports::model::{Frame, Report};

/// A report with what else is known of the process.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) report: &'a Report,
    pub(super) ledger: Option<&'a Ledger>,
}

/// What met a rule.
struct Met {
    confidence: Confidence,
    evidence: Vec<String>,
}

/// The diagnosis, where the report shows the signature.
pub(super) fn matched(signature: &Signature, case: Case<'_>) -> Option<Diagnosis> {
    let by_rule = signature.reports.iter().find_map(|rule| met(rule, case));
    let met = by_rule.or_else(|| {
        let words = found_in_words(&signature.sentences, case.report)?;
        Some(Met {
            confidence: Confidence::High,
            evidence: vec![words],
        })
    })?;
    Some(Diagnosis {
        id: signature.id.clone(),
        title: signature.title.clone(),
        meaning: signature.meaning.clone(),
        remedy: signature.remedy.clone(),
        source: signature.source.clone(),
        blame: signature.blame,
        confidence: met.confidence,
        evidence: met.evidence,
    })
}

/// Whether the rule holds. Conditions that refuse most reports at the least cost come first.
fn met(rule: &Rule, case: Case<'_>) -> Option<Met> {
    let mut met = Met {
        confidence: rule.confidence,
        evidence: Vec::new(),
    };
    origin(rule, case.report, &mut met)?;
    exception(rule, case.report, &mut met)?;
    termination(rule, case.report, &mut met)?;
    stack(rule, case.report, &mut met)?;
    surroundings(rule, case.report, &mut met)?;
    ledger(rule, case.ledger, &mut met)?;
    if !rule.said.is_empty() {
        met.evidence.push(found_in_words(&rule.said, case.report)?);
    }
    Some(met)
}

fn any(patterns: &[Pattern], text: &str) -> bool {
    patterns.iter().any(|pattern| pattern.is(text))
}

/// Kind of report, process and system.
fn origin(rule: &Rule, report: &Report, met: &mut Met) -> Option<()> {
    if !rule.kinds.is_empty() {
        rule.kinds.contains(&report.kind).then_some(())?;
        let reason = report
            .gpu
            .as_ref()
            .and_then(|gpu| gpu.restart_reason.as_deref());
        met.evidence.push(match reason {
            Some(reason) => format!("{}: {reason}", report.kind.describe()),
            None => report.kind.describe(),
        });
    }
    if !rule.processes.is_empty() {
        let name = report.process_name()?;
        any(&rule.processes, name).then_some(())?;
        met.evidence.push(format!("the process is {name}"));
    }
    if !rule.systems.is_empty() {
        let system = report.header.os_version.as_deref()?;
        any(&rule.systems, system).then_some(())?;
        met.evidence.push(format!("on {system}"));
    }
    Some(())
}

/// Type, subtype and fault.
fn exception(rule: &Rule, report: &Report, met: &mut Met) -> Option<()> {
    if !rule.exceptions.is_empty() {
        let exception = report.exception.as_ref()?;
        let found = [exception.kind.as_deref(), exception.signal.as_deref()];
        let wanted = |found: &str| rule.exceptions.iter().any(|wanted| wanted == found);
        found.into_iter().flatten().any(wanted).then_some(())?;
        met.evidence.extend(report.exception_title());
    }
    if !rule.subtypes.is_empty() {
        let subtype = report.exception.as_ref()?.subtype.as_deref()?;
        any(&rule.subtypes, subtype).then_some(())?;
        met.evidence.push(subtype.to_owned());
    }
    if !rule.addresses.is_empty() || rule.near_null {
        let address = report.fault_address()?;
        if !rule.addresses.contains(&address) {
            (rule.near_null && address < NULL_REGION).then_some(())?;
            if !rule.addresses.is_empty() {
                met.lower();
            }
        }
        met.evidence.push(format!("fault at {address:#x}"));
    }
    if let Some(wanted) = rule.access {
        let fault = report.exception.as_ref()?.fault?;
        if fault.access.is_some_and(|access| !wanted.is(access)) {
            met.lower();
        }
    }
    if rule.pointer_authentication {
        let fault = report.exception.as_ref()?.fault?;
        fault.pointer_authentication.then_some(())?;
        let address = fault.address;
        met.evidence
            .push(format!("failed pointer authentication at {address:#x}"));
    }
    Some(())
}

impl Met {
    /// A detail differs from what was recorded.
    fn lower(&mut self) {
        self.confidence = self.confidence.min(Confidence::Medium);
    }
}

fn termination(rule: &Rule, report: &Report, met: &mut Met) -> Option<()> {
    if !rule.namespaces.is_empty() {
        let found = report.termination.as_ref()?.namespace.as_deref()?;
        let wanted = |wanted: &String| wanted == found;
        rule.namespaces.iter().any(wanted).then_some(())?;
        met.evidence.push(format!("terminated by {found}"));
    }
    if !rule.codes.is_empty() {
        let code = report.termination.as_ref()?.code?;
        rule.codes.contains(&code).then_some(())?;
        met.evidence.push(format!("terminated with code {code:#x}"));
    }
    Some(())
}

/// Frames.
fn stack(rule: &Rule, report: &Report, met: &mut Met) -> Option<()> {
    let frames = report.crashed_frames();
    let fits = |patterns: &[FramePattern], frame: &Frame| {
        let (image, symbol) = (report.image_name(frame), frame.symbol.as_deref());
        patterns.iter().any(|pattern| pattern.is(image, symbol))
    };
    if !rule.first.is_empty() {
        let frame = frame_of_fault(report).filter(|frame| fits(&rule.first, frame))?;
        met.evidence.extend(frames::describe(report, frame));
    }
    if !rule.interesting.is_empty() {
        let frame = interesting_frame(report).filter(|frame| fits(&rule.interesting, frame))?;
        met.evidence.extend(frames::describe(report, frame));
    }
    if !rule.anywhere.is_empty() {
        let mut all = frames.iter().chain(&report.last_exception_backtrace);
        let frame = all.find(|frame| fits(&rule.anywhere, frame))?;
        let frame = frames::describe(report, frame)?;
        met.evidence.push(format!("in the stack: {frame}"));
    }
    let mut outward = frames.iter();
    for pattern in &rule.order {
        let pattern = std::slice::from_ref(pattern);
        let frame = outward.find(|frame| fits(pattern, frame))?;
        let frame = frames::describe(report, frame)?;
        met.evidence.push(format!("in the stack: {frame}"));
    }
    Some(())
}

/// The frame in which it happened: the innermost, unless a handler of the signal raised it anew, whose own frames then stand above.
///
/// Python's `faulthandler` does so, which pytest enables: `faulthandler_fatal_error` in `CPython`'s `Modules/faulthandler.c`.
fn frame_of_fault(report: &Report) -> Option<&Frame> {
    let frames = report.crashed_frames();
    let of_system = |frame: &&Frame| {
        let image = report.image_name(frame);
        image.is_some_and(|image| image.starts_with("libsystem_") || image.starts_with("libc.so"))
    };
    let named = |frame: &Frame, names: &[&str]| {
        let symbol = frame.symbol.as_deref();
        symbol.is_some_and(|symbol| names.contains(&symbol))
    };
    let exception = report.exception.as_ref();
    let signal = exception.and_then(|exception| exception.signal.as_deref());
    let is_fault = signal.is_some_and(|signal| matches!(signal, "SIGSEGV" | "SIGBUS"));
    // At most three functions of the C library bring a signal about.
    let raising = ["raise", "pthread_kill", "__pthread_kill"];
    let mut innermost = frames.iter().take(3).take_while(of_system);
    let is_raised = innermost.any(|frame| named(frame, &raising));
    if !is_fault || !is_raised {
        return frames.first();
    }
    let handled = |frame: &Frame| named(frame, &["_sigtramp", "__restore_rt"]);
    match frames.iter().position(handled) {
        Some(handler) => frames.get(handler + 1),
        // Linux's C library often has no name for its own.
        None => interesting_frame(report),
    }
}

/// Images, queue and thread.
fn surroundings(rule: &Rule, report: &Report, met: &mut Met) -> Option<()> {
    if !rule.loaded.is_empty() {
        let mut names = report
            .images
            .iter()
            .filter_map(|image| image.name.as_deref());
        let name = names.find(|name| any(&rule.loaded, name))?;
        met.evidence.push(format!("{name} was loaded"));
    }
    if !rule.queues.is_empty() {
        let queue = report.crashed_thread()?.queue.as_deref()?;
        any(&rule.queues, queue).then_some(())?;
        met.evidence.push(format!("on the queue {queue}"));
    }
    if !rule.threads.is_empty() {
        let name = report.crashed_thread()?.name.as_deref()?;
        any(&rule.threads, name).then_some(())?;
        met.evidence.push(format!("on the thread {name}"));
    }
    Some(())
}

/// What the fix library noted in that process; without a ledger no such condition holds.
fn ledger(rule: &Rule, ledger: Option<&Ledger>, met: &mut Met) -> Option<()> {
    if !rule.policies.is_empty() {
        let policy = &ledger?.policy;
        any(&rule.policies, policy).then_some(())?;
        met.evidence.push(format!("the library followed {policy}"));
    }
    if !rule.counters.is_empty() {
        let ledger = ledger?;
        let (name, count) = rule
            .counters
            .iter()
            .filter_map(|name| Some((name, ledger.counter(name)?)))
            .find(|(_, count)| *count > 0)?;
        met.evidence
            .push(format!("the library counted {name}: {count}"));
    }
    if !rule.in_call.is_empty() {
        let calls = ledger?.in_flight();
        let call = calls.iter().find(|call| any(&rule.in_call, &call.method))?;
        met.evidence.push(format!("under way: {call}"));
    }
    Some(())
}

fn found_in_words(patterns: &[Pattern], report: &Report) -> Option<String> {
    if patterns.is_empty() {
        return None;
    }
    let mut words = words(report);
    let found = words.find(|text| patterns.iter().any(|pattern| pattern.is_in(text)))?;
    Some(format!("it said: {found}"))
}

/// What a report says in words.
pub fn words(report: &Report) -> impl Iterator<Item = &str> {
    let information = report
        .asi
        .iter()
        .flat_map(|entry| &entry.messages)
        .map(String::as_str);
    let termination = report.termination.iter().flat_map(|termination| {
        termination
            .reasons
            .iter()
            .chain(&termination.indicator)
            .map(String::as_str)
    });
    let message = report
        .exception
        .iter()
        .filter_map(|exception| exception.message.as_deref());
    information.chain(termination).chain(message)
}

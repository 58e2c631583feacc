//! Matching a report.

use super::glob;
use super::line::has_line;
use super::signature::{Confidence, Diagnosis, Rule, Signature};
use super::signatures;
use crate::reports::frames;
use crate::reports::model::{Frame, Report};

/// Addresses below this are a NULL pointer plus an offset: the first pages are never mapped.
const NULL_REGION: u64 = 0x1_0000;

/// The signature that a report matches: the first of the table, which stands in order from
/// specific to general.
pub fn diagnose(report: &Report) -> Option<Diagnosis> {
    signatures::all().find_map(|signature| matched(signature, signature.report?, report))
}

/// Whether a report meets a rule, with what met it. Conditions stand in the rule's order.
fn matched(signature: &Signature, rule: Rule, report: &Report) -> Option<Diagnosis> {
    let mut evidence = Vec::new();
    let mut confidence = rule.confidence;
    if rule.gpu_event {
        report.kind.is_gpu().then_some(())?;
        let reason = report
            .gpu
            .as_ref()
            .and_then(|gpu| gpu.restart_reason.as_deref());
        evidence.push(match reason {
            Some(reason) => format!("{}: {reason}", report.kind.describe()),
            None => report.kind.describe(),
        });
    }
    if !rule.exceptions.is_empty() {
        evidence.push(exception(rule.exceptions, report)?);
    }
    if !rule.top.is_empty() {
        let frame = report.crashed_frames().first()?;
        evidence.push(named(rule.top, [frame], report)?);
    }
    if !rule.anywhere.is_empty() {
        let crashed = report.crashed_frames().iter();
        evidence.push(named(
            rule.anywhere,
            crashed.chain(&report.last_exception_backtrace),
            report,
        )?);
    }
    if !rule.images.is_empty() {
        let frame = report.crashed_frames().iter().find(|frame| {
            let image = report.image_name(frame).unwrap_or_default();
            rule.images
                .iter()
                .any(|pattern| glob::is_match(pattern, image))
        })?;
        evidence.push(format!(
            "in the stack: {}",
            frames::describe(report, frame)?
        ));
    }
    if !rule.addresses.is_empty() {
        let address = report.fault_address()?;
        if !rule.addresses.contains(&address) {
            (address < NULL_REGION).then_some(())?;
            confidence = confidence.min(Confidence::Medium);
        }
        evidence.push(format!("fault at {address:#x}"));
    }
    if rule.pointer_authentication {
        let fault = report.exception.as_ref()?.fault?;
        fault.pointer_authentication.then_some(())?;
        evidence.push(format!(
            "failed pointer authentication at {:#x}",
            fault.address
        ));
    }
    if let Some(namespace) = rule.namespace {
        let found = report.termination.as_ref()?.namespace.as_deref()?;
        (found == namespace).then_some(())?;
        evidence.push(format!("terminated by {namespace}"));
    }
    if rule.said {
        let words = said(report).find(|text| has_line(signature, text))?;
        evidence.push(format!("it said: {words}"));
    }
    Some(Diagnosis {
        id: signature.id,
        title: signature.title,
        meaning: signature.meaning,
        remedy: signature.remedy,
        source: signature.source,
        blame: signature.blame,
        confidence,
        evidence,
    })
}

fn exception(wanted: &[&str], report: &Report) -> Option<String> {
    let exception = report.exception.as_ref()?;
    let found = [exception.kind.as_deref(), exception.signal.as_deref()];
    let fits = found
        .into_iter()
        .flatten()
        .any(|found| wanted.contains(&found));
    fits.then(|| report.exception_title()).flatten()
}

fn named<'a>(
    patterns: &[&str],
    frames: impl IntoIterator<Item = &'a Frame>,
    report: &Report,
) -> Option<String> {
    let fits = |frame: &&Frame| {
        frame.symbol.as_deref().is_some_and(|symbol| {
            patterns
                .iter()
                .any(|pattern| glob::is_match(pattern, symbol))
        })
    };
    let frame = frames.into_iter().find(fits)?;
    frames::describe(report, frame)
}

/// What a report says in words.
fn said(report: &Report) -> impl Iterator<Item = &str> {
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

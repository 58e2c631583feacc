//! What a run says about the baseline: what is to be added to it, and what did not happen.

use std::collections::BTreeMap;

use super::crash::CrashView;
use super::summary::{Voice, push};
use super::terminal::visible;
use crate::baseline::{Baseline, Entry};
use crate::diagnose::fingerprint;
use crate::run::collect::Collected;
use crate::run::record::RunRecord;

/// How many entries are written out for a file before the rest is counted.
const TEMPLATES: usize = 3;

/// The entries of crashes that are not in the baseline, and those of which none happened.
pub(super) fn told(record: &RunRecord, voice: Voice) -> String {
    let Some(baseline) = &record.options.baseline else {
        return String::new();
    };
    let today = record.started.to_utc().date_naive();
    let new: Vec<(String, String)> = record
        .reports
        .iter()
        .filter(|collected| collected.weight.counts() && collected.listed.is_none())
        .filter_map(named)
        .collect();
    let mut text = templates(&new, baseline, today);
    let seen = record.reports.iter().filter_map(|collected| {
        let signature = collected.diagnosis.as_ref();
        let report = collected.report.as_ref().ok()?;
        Some((
            fingerprint(report),
            signature.map(|diagnosis| &*diagnosis.id),
        ))
    });
    let unseen = baseline.unseen(seen);
    // One run without it says little about a rare crash: a remark, and no more.
    if !unseen.is_empty() && !voice.quiet {
        push(
            &mut text,
            &format!(
                "{} of the {} known crashes did not happen in this run",
                unseen.len(),
                baseline.entries().len()
            ),
        );
    }
    text
}

/// Fingerprint and name of a crash.
fn named(collected: &Collected) -> Option<(String, String)> {
    let report = collected.report.as_ref().ok()?;
    let view = CrashView::of(collected.file(), report, collected.diagnosis.clone());
    Some((view.fingerprint.clone(), view.name()))
}

/// What to add to a baseline for crashes that are not in it: fingerprint and name of each. Every crash once.
pub fn templates(
    crashes: &[(String, String)],
    baseline: &Baseline,
    today: chrono::NaiveDate,
) -> String {
    let mut text = String::new();
    let distinct: BTreeMap<&String, &String> = crashes
        .iter()
        .map(|(fingerprint, name)| (fingerprint, name))
        .collect();
    if distinct.is_empty() {
        return text;
    }
    push(
        &mut text,
        &format!(
            "not in the baseline `{}`; a crash that is to be accepted for a while gets an entry with a reason there:",
            visible(&baseline.path().display().to_string())
        ),
    );
    for (fingerprint, name) in distinct.iter().take(TEMPLATES) {
        for line in Entry::template(fingerprint, &visible(name), today).lines() {
            text.extend(["  ", line, "\n"]);
        }
    }
    if distinct.len() > TEMPLATES {
        let more = distinct.len() - TEMPLATES;
        text.extend(["  (and ", &more.to_string(), " more)\n"]);
    }
    text
}

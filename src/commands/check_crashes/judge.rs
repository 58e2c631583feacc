//! What a baseline and a CI system make of the crashes that are found.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::Result;
use chrono::{DateTime, NaiveDate, Utc};

use crate::baseline::{Baseline, Listed};
use crate::diagnose::{Diagnosis, Fingerprint, fingerprint};
use crate::output::ci::of_crash;
use crate::output::ci::{Case, Sinks, Suite};
use crate::output::crash::CrashView;
use crate::output::crashes::{BaselineView, EntryView, Window, plural};
use crate::output::terminal::{note, visible};
use crate::output::{baseline, crashes};
use crate::reports::{FileError, Report};

/// Judges crashes one by one.
pub(super) struct Judge<'a> {
    baseline: Option<&'a Baseline>,
    today: NaiveDate,
    wants_cases: bool,
    /// Entries that had crashes.
    entries: BTreeMap<usize, EntryView>,
    seen: BTreeSet<(Fingerprint, Option<String>)>,
    /// Fingerprint and name of crashes without an entry.
    new: Vec<(String, String)>,
    cases: Vec<Case>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(
        baseline: Option<&'a Baseline>,
        now: DateTime<Utc>,
        wants_cases: bool,
    ) -> Self {
        Self {
            baseline,
            today: now.date_naive(),
            wants_cases,
            entries: BTreeMap::new(),
            seen: BTreeSet::new(),
            new: Vec::new(),
            cases: Vec::new(),
        }
    }

    /// Whether each crash must be read whole: otherwise its time may be all that matters.
    pub(super) fn is_needed(&self) -> bool {
        self.baseline.is_some() || self.wants_cases
    }

    /// A crash's entry in the baseline.
    pub(super) fn look_up(&self, report: &Report, diagnosis: Option<&Diagnosis>) -> Option<Listed> {
        let signature = diagnosis.map(|diagnosis| &*diagnosis.id);
        self.baseline?
            .look_up(fingerprint(report), signature, self.today)
    }

    /// Takes note of a crash that is told.
    pub(super) fn take(&mut self, view: &CrashView, now: DateTime<Utc>) {
        if self.wants_cases {
            self.cases.push(of_crash::case(view, now));
        }
        match &view.baseline {
            Some(listed) => {
                let entry = self.entries.entry(listed.number);
                entry
                    .or_insert_with(|| EntryView {
                        listed: listed.clone(),
                        count: 0,
                    })
                    .count += 1;
            }
            None => self.new.push((view.fingerprint.clone(), view.name())),
        }
        if let Ok(print) = view.fingerprint.parse() {
            let signature = view.diagnosis.as_ref();
            self.seen
                .insert((print, signature.map(|diagnosis| diagnosis.id.clone())));
        }
    }

    /// How many do not fail.
    pub(super) fn known(&self) -> usize {
        self.count(Listed::is_known)
    }

    fn count(&self, is: fn(&Listed) -> bool) -> usize {
        let entries = self.entries.values();
        entries
            .filter(|entry| is(&entry.listed))
            .map(|entry| entry.count)
            .sum()
    }

    /// What the baseline makes of all; `is_whole` is whether every crash of a time was asked for, so that one that is not
    /// there did not happen.
    pub(super) fn view(&self, is_whole: bool) -> Option<BaselineView> {
        let baseline = self.baseline?;
        let seen = self.seen.iter();
        let seen = seen.map(|(print, signature)| (*print, signature.as_deref()));
        let unseen = is_whole.then(|| baseline.unseen(seen).into_iter().cloned().collect());
        Some(BaselineView {
            file: baseline.path().display().to_string(),
            known: self.known(),
            expired: self.count(|listed| listed.expired),
            new: self.new.len(),
            entries: self.entries.values().cloned().collect(),
            unseen,
        })
    }

    /// Tells people, on stderr: the answer on stdout may be read by columns.
    pub(super) fn tell(&self, view: &BaselineView) {
        for EntryView { listed, count } in &view.entries {
            let crashes = plural(*count, "crash", "crashes");
            note(&format!("{crashes} {listed}"));
        }
        for entry in view.unseen.iter().flatten() {
            note(&format!(
                "{} did not happen: remove line {} of the baseline? ({})",
                entry.key, entry.line, entry.reason
            ));
        }
        if let Some(of) = self.baseline {
            anstream::eprint!("{}", baseline::templates(&self.new, of, self.today));
        }
        note(&format!(
            "baseline {}: {} known, {} expired, {} new",
            visible(&view.file),
            view.known,
            view.expired,
            view.new
        ));
    }

    /// Tells a CI system: a case for each crash, and for what could not be read.
    pub(super) fn publish(
        self,
        sinks: Sinks,
        window: &Window,
        unreadable: &[(PathBuf, FileError)],
        blind: &[(PathBuf, String)],
        now: DateTime<Utc>,
    ) -> Result<()> {
        if !sinks.are_wanted() {
            return Ok(());
        }
        let mut cases = self.cases;
        let gaps = unreadable
            .iter()
            .map(|(path, error)| (path, error.to_string()))
            .chain(blind.iter().map(|(path, why)| (path, why.clone())));
        cases.extend(gaps.map(|(path, why)| of_crash::unread(path, &why)));
        if cases.is_empty() {
            cases.push(of_crash::none(&crashes::since(window)));
        }
        let suite = Suite::new("agxrun check-crashes", now, cases)
            .with("agxrun", env!("CARGO_PKG_VERSION"))
            .with("window", crashes::since(window));
        sinks.publish(&[suite], None)
    }
}

//! Whose a report is that several runs saw appear: each event counts in one of them.
//!
//! Runs that go on at the same time share the report folders. Where a process of a run's own tree crashed, that run says so, and no
//! other has a claim. Where nothing ties a report to a tree for certain, every run that saw it appear counts it. Such a run is *held*
//! until those have ended that went on when it did: one of them may be the owner. Then the surest claim wins, and among equal ones
//! the run that was started first; the others are told without it.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::claim::{Claim, was_seen};
use super::disown::disown;
use super::{SharedReport, Slot};
use crate::history::{ReportLine, RunLine};

/// A run that has ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    pub slot: Slot,
    /// When it was started, in the series' time.
    pub begun: Duration,
    /// When it had ended.
    pub ended: Duration,
    pub line: RunLine,
}

impl Run {
    fn number(&self) -> u64 {
        self.slot.number
    }

    /// The claims of the run, each with its event.
    fn claims(&self) -> impl Iterator<Item = (&str, Claim)> {
        let reports = self.line.reports.iter();
        reports.filter_map(|report| Some((report.event(), Claim::of(report)?)))
    }

    fn claim_to(&self, event: &str) -> Option<Claim> {
        let mut own = self.claims().filter(|(of, _)| *of == event);
        own.next().map(|(_, claim)| claim)
    }
}

/// The run in which an event counts.
#[derive(Debug, Clone, Copy)]
struct Owner {
    number: u64,
    claim: Claim,
    begun: Duration,
    ended: Duration,
}

impl Owner {
    fn of(run: &Run, claim: Claim) -> Self {
        Self {
            number: run.number(),
            claim,
            begun: run.begun,
            ended: run.ended,
        }
    }

    /// Whether it went on at some time between these. A file that names no event may be written again for a later one.
    fn meets(&self, begun: Duration, ended: Duration) -> bool {
        begun < self.ended && self.begun < ended
    }
}

#[derive(Debug)]
struct Held {
    run: Run,
    /// The runs that went on when it ended, and still do.
    waits_for: BTreeSet<u64>,
}

/// The reports of a series and their owners, and the runs that wait for one.
#[derive(Debug, Default)]
pub(super) struct Shared {
    owners: HashMap<String, Owner>,
    held: Vec<Held>,
}

impl Shared {
    /// A run has ended while those of `running` go on. Returns the runs of which it is known by now what they amount to, this one
    /// or others, in the order in which they ended.
    pub fn ended(&mut self, run: Run, running: BTreeSet<u64>) -> Vec<Run> {
        self.own_the_certain(&run);
        self.no_longer_runs(run.number());
        self.held.push(Held {
            run,
            waits_for: running,
        });
        self.release()
    }

    /// A run has ended and nothing is known of it. Returns as [`ended`](Self::ended).
    pub fn gone(&mut self, number: u64) -> Vec<Run> {
        self.no_longer_runs(number);
        self.release()
    }

    /// Runs have ended and none goes on: what they all amount to.
    pub fn all_ended(&mut self, runs: Vec<Run>) -> Vec<Run> {
        for run in runs {
            self.own_the_certain(&run);
            self.held.push(Held {
                run,
                waits_for: BTreeSet::new(),
            });
        }
        self.release()
    }

    /// A run of before a resumption, that was told already.
    pub fn was_told(&mut self, run: &Run) {
        for (event, claim) in run.claims() {
            let owner = Owner::of(run, claim);
            self.owners.insert(event.to_owned(), owner);
        }
    }

    fn no_longer_runs(&mut self, number: u64) {
        for held in &mut self.held {
            held.waits_for.remove(&number);
        }
    }

    fn own_the_certain(&mut self, run: &Run) {
        for (event, claim) in run.claims().filter(|(_, claim)| claim.is_certain()) {
            if self.owner(run, event).is_none() {
                self.owners.insert(event.to_owned(), Owner::of(run, claim));
            }
        }
    }

    fn owner(&self, run: &Run, event: &str) -> Option<&Owner> {
        let owner = self.owners.get(event);
        owner.filter(|owner| owner.meets(run.begun, run.ended))
    }

    fn is_decided(&self, run: &Run) -> bool {
        run.claims()
            .all(|(event, _)| self.owner(run, event).is_some())
    }

    fn release(&mut self) -> Vec<Run> {
        for at in 0..self.held.len() {
            // Whoever went on at the same time has ended, and is among those that are held if it has a claim that is not certain.
            if self.held[at].waits_for.is_empty() {
                self.decide(at);
            }
        }
        let held = std::mem::take(&mut self.held);
        let (known, held): (Vec<Held>, Vec<Held>) =
            held.into_iter().partition(|it| self.is_decided(&it.run));
        self.held = held;
        let mut runs: Vec<Run> = known.into_iter().map(|held| held.run).collect();
        for run in &mut runs {
            self.take_out(run);
        }
        runs
    }

    fn decide(&mut self, at: usize) {
        let run = &self.held[at].run;
        let undecided = run
            .claims()
            .filter(|(event, _)| self.owner(run, event).is_none());
        let mut decided = Vec::new();
        for (event, _) in undecided {
            let runs = self.held.iter().map(|held| &held.run);
            let claims = runs.filter_map(|other| {
                let claim = other.claim_to(event)?;
                let is_beside = Owner::of(other, claim).meets(run.begun, run.ended);
                is_beside.then_some((claim, other))
            });
            if let Some((claim, owner)) = claims.min_by_key(|(claim, it)| (*claim, it.number())) {
                decided.push((event.to_owned(), Owner::of(owner, claim)));
            }
        }
        self.owners.extend(decided);
    }

    fn take_out(&self, run: &mut Run) {
        let Run {
            slot,
            begun,
            ended,
            line,
        } = run;
        disown(line, |report| {
            let owner = self.owners.get(report.event())?;
            let is_anothers = owner.number != slot.number && owner.meets(*begun, *ended);
            is_anothers.then(|| sentence(report, owner))
        });
    }
}

fn sentence(report: &ReportLine, owner: &Owner) -> String {
    let (file, number) = (&report.file, owner.number + 1);
    if owner.claim.is_certain() {
        format!(
            "the crash report {file} is of run {number}, which went on at the same time: it counts there"
        )
    } else {
        format!(
            "the crash report {file} is nobody's for certain and appeared while several runs went on: it counts in run {number}"
        )
    }
}

/// The reports that are nobody's for certain and that several of these runs saw.
pub(super) fn list(lines: &[(Slot, RunLine)]) -> Vec<SharedReport> {
    let reports = || {
        let each = lines.iter();
        each.flat_map(|(slot, line)| line.reports.iter().map(|report| (slot.number, report)))
    };
    let nobodys = |report: &ReportLine| Claim::of(report).is_some_and(|it| !it.is_certain());
    let mut found: Vec<(&str, SharedReport)> = reports()
        .filter(|(_, report)| nobodys(report))
        .map(|(slot, report)| {
            let shared = SharedReport {
                file: report.file.clone(),
                counted_in: slot,
                also_seen_in: Vec::new(),
            };
            (report.event(), shared)
        })
        .collect();
    for (slot, report) in reports().filter(|(_, report)| was_seen(report)) {
        let of = report.event();
        if let Some((_, shared)) = found.iter_mut().find(|(event, _)| *event == of) {
            shared.also_seen_in.push(slot);
        }
    }
    let shared = found.into_iter().map(|(_, shared)| shared);
    shared
        .filter(|shared| !shared.also_seen_in.is_empty())
        .collect()
}

#[cfg(test)]
#[path = "shared_tests.rs"]
mod tests;

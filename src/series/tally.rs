//! What the runs of a series amount to, by kind.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::history::{Kind, RunLine};
use crate::stats::{Rate, Spread};

/// Runs by kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Tally {
    /// How many of each kind there are.
    pub kinds: BTreeMap<Kind, u64>,
    /// What went wrong, equal things together, the most frequent first.
    pub groups: Vec<Group>,
    /// Crashes that the baseline knows, which fail nothing.
    pub known: u64,
    /// Wall time of the targets that ended well, in seconds.
    pub wall: Option<Spread>,
}

/// Runs of which the same is to be said.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// Their kind.
    pub kind: Kind,
    /// What crashed: a signature's id, a fingerprint, or a signal's name.
    pub crash: Option<String>,
    /// What happened, for people.
    pub title: String,
    /// How many runs.
    pub runs: u64,
    /// The slot of the newest.
    pub newest: u64,
    /// The newest report that counts, its name in the archive.
    pub report: Option<String>,
    #[serde(skip)]
    started: DateTime<Utc>,
}

impl Tally {
    /// Of these runs, each with the number of its slot.
    pub fn of<'a>(lines: impl IntoIterator<Item = (u64, &'a RunLine)>) -> Self {
        let mut tally = Self::default();
        let mut walls = Vec::new();
        for (slot, line) in lines {
            tally.add(slot, line);
            if line.kind == Kind::Clean {
                walls.push(line.wall);
            }
        }
        tally
            .groups
            .sort_by_key(|group| (group.kind, std::cmp::Reverse(group.runs)));
        tally.wall = Spread::of(&walls);
        tally
    }

    /// Counts one more run, without its time.
    pub fn add(&mut self, slot: u64, line: &RunLine) {
        *self.kinds.entry(line.kind).or_default() += 1;
        if line.kind == Kind::Clean {
            return;
        }
        self.known += u64::from(line.kind.is_crash() && line.verdict == 0);
        let title = title(line);
        let same = |group: &&mut Group| {
            (group.kind, &group.crash, &group.title) == (line.kind, &line.crash, &title)
        };
        let report = line.reports.iter().find(|report| report.counted);
        let report = report.map(|report| report.file.clone());
        if let Some(group) = self.groups.iter_mut().find(same) {
            group.runs += 1;
            if line.started >= group.started {
                group.newest = slot;
                group.started = line.started;
                group.report = report.or(group.report.take());
            }
            return;
        }
        self.groups.push(Group {
            kind: line.kind,
            crash: line.crash.clone(),
            title,
            runs: 1,
            newest: slot,
            report,
            started: line.started,
        });
    }

    /// How many are of this kind.
    pub fn count(&self, kind: Kind) -> u64 {
        self.kinds.get(&kind).copied().unwrap_or(0)
    }

    /// All runs.
    pub fn all(&self) -> u64 {
        self.kinds.values().sum()
    }

    /// Runs that crashed, assertions included.
    pub fn crashes(&self) -> u64 {
        self.sum(Kind::is_crash)
    }

    /// Runs that show whether the command crashes.
    pub fn decided(&self) -> u64 {
        self.sum(Kind::is_decided)
    }

    /// Crashes among the runs that show something.
    pub fn rate(&self) -> Rate {
        let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        Rate {
            crashes: number(self.crashes()),
            runs: number(self.decided()),
        }
    }

    fn sum(&self, counts: fn(Kind) -> bool) -> u64 {
        let kinds = self.kinds.iter().filter(|(kind, _)| counts(**kind));
        kinds.map(|(_, runs)| runs).sum()
    }
}

/// What is to be said of a run that was not clean.
fn title(line: &RunLine) -> String {
    if let Some(title) = &line.title {
        return title.clone();
    }
    match (line.kind, &line.signal_name, line.exit_code) {
        (Kind::Hang, ..) => "ended at the time limit".to_owned(),
        (Kind::LostWork, ..) => {
            "the library dropped calls, or its hooks do not all stand".to_owned()
        }
        (Kind::NotInjected, ..) => "the fix was not in it as asked for".to_owned(),
        (_, Some(signal), _) => format!("ended by {signal}"),
        (_, None, Some(code)) => format!("exit {code}"),
        (_, None, None) => "not launched".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sample::{line, report};

    fn tally(kinds: &[Kind]) -> Tally {
        let lines: Vec<RunLine> = (0..).zip(kinds).map(|(at, kind)| line(at, *kind)).collect();
        Tally::of((0..).zip(&lines))
    }

    #[test]
    fn kinds_are_counted_apart_and_what_shows_nothing_is_in_no_rate() {
        let tally = tally(&Kind::ALL);
        assert!(Kind::ALL.iter().all(|kind| tally.count(*kind) == 1));
        assert_eq!(tally.all(), 10);
        assert_eq!((tally.crashes(), tally.decided()), (2, 7));
        let rate = tally.rate();
        assert_eq!((rate.crashes, rate.runs), (2, 7));
        assert_eq!(tally.wall.expect("a clean run").count, 1);
        let order: Vec<Kind> = tally.groups.iter().map(|group| group.kind).collect();
        assert_eq!(order, Kind::ALL[..9], "the gravest first");
    }

    #[test]
    fn equal_crashes_are_one_group_with_the_newest_report() {
        let mut lines: Vec<RunLine> = (0..4).map(|at| line(at, Kind::Crash)).collect();
        for (at, line) in lines.iter_mut().enumerate() {
            line.crash = Some(if at == 1 { "other" } else { "same" }.to_owned());
            line.title = line.crash.clone();
            line.reports.push(report(&at.to_string(), "ours"));
        }
        lines[3].reports.clear();
        // As they end, which is not as they began.
        let tally = Tally::of([2, 0, 3, 1].map(|at: usize| (at as u64, &lines[at])));
        assert_eq!(tally.groups.len(), 2);
        let same = &tally.groups[0];
        assert_eq!((same.runs, same.newest), (3, 3));
        assert_eq!(same.report.as_deref(), Some("2.ips"), "the newest there is");
        assert_eq!(tally.groups[1].runs, 1);
    }

    #[test]
    fn failures_are_told_apart_by_how_they_ended() {
        let mut lines = [3, 4, 3].map(|code| {
            let mut line = line(0, Kind::Failure);
            line.exit_code = Some(code);
            line
        });
        lines[1].exit_code = None;
        lines[1].signal_name = Some("SIGKILL".to_owned());
        let tally = Tally::of((0..).zip(&lines));
        let told: Vec<(&str, u64)> = tally
            .groups
            .iter()
            .map(|group| (group.title.as_str(), group.runs))
            .collect();
        assert_eq!(told, [("exit 3", 2), ("ended by SIGKILL", 1)]);
    }

    #[test]
    fn a_crash_that_the_baseline_knows_is_in_the_rate() {
        let mut known = line(0, Kind::Crash);
        known.verdict = 0;
        let tally = Tally::of([(0, &known)]);
        assert_eq!((tally.known, tally.crashes()), (1, 1));
    }
}

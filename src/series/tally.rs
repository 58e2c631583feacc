//! What the runs of a series amount to, by kind.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::history::{Kind, RunLine};
use crate::stats::Rate;

/// Runs by kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Tally {
    /// How many of each kind there are.
    pub kinds: BTreeMap<Kind, u64>,
    /// What went wrong, equal things together, the most frequent first.
    pub groups: Vec<Group>,
    /// Wall time of the targets that ended well.
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

/// How times are spread, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// How many there are.
    pub runs: usize,
    /// Half of them took no longer.
    pub median: f64,
    /// The shortest.
    pub least: f64,
    /// The longest.
    pub most: f64,
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
        tally.wall = Spread::of(walls);
        tally
    }

    /// Counts one more run, without its time.
    pub fn add(&mut self, slot: u64, line: &RunLine) {
        *self.kinds.entry(line.kind).or_default() += 1;
        if line.kind == Kind::Clean {
            return;
        }
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

impl Spread {
    /// Of these times; `None` where there are none.
    pub fn of(mut times: Vec<f64>) -> Option<Self> {
        times.sort_by(f64::total_cmp);
        let runs = times.len();
        let (least, most) = (*times.first()?, *times.last()?);
        Some(Self {
            runs,
            median: f64::midpoint(times[(runs - 1) / 2], times[runs / 2]),
            least,
            most,
        })
    }
}

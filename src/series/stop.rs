//! When a series of one arm has enough runs.

use std::time::Duration;

use serde::Serialize;

use super::{Schedule, Slot};
use crate::history::RunLine;
use crate::stats::{Decision, Sequential};

/// A series of which this many runs in a row show nothing is ended where nothing else would: it would never decide.
pub const GIVE_UP_AFTER: u64 = 20;

/// What ends a series; whichever comes first.
#[derive(Debug, Default)]
pub struct Rules<'a> {
    /// So many runs were made.
    pub runs: Option<u64>,
    /// No run is begun after so long.
    pub duration: Option<Duration>,
    /// A run crashed.
    pub until_crash: bool,
    /// The test has an answer.
    pub test: Option<&'a Sequential>,
}

/// Which rule ended a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// The number of runs.
    Runs,
    /// The time.
    Duration,
    /// A crash.
    Crash,
    /// The test's answer.
    Decided,
    /// Nothing counts, and nothing would.
    NothingCounts,
}

/// The schedule of `agxrun stress`: one run after another until a rule ends it.
pub struct Stop<'a, Clock> {
    rules: Rules<'a>,
    /// How long the series has gone on.
    elapsed: Clock,
    begun: u64,
    ended: u64,
    decided: u64,
    crashes: u64,
    /// Runs since the last one that showed something.
    shown_nothing: u64,
    stopped: Option<Stopped>,
    decision: Option<Decision>,
}

impl<'a, Clock: Fn() -> Duration> Stop<'a, Clock> {
    /// From the first run on.
    pub fn new(rules: Rules<'a>, elapsed: Clock) -> Self {
        Self {
            rules,
            elapsed,
            begun: 0,
            ended: 0,
            decided: 0,
            crashes: 0,
            shown_nothing: 0,
            stopped: None,
            decision: None,
        }
    }

    /// Which rule ended it, if one has.
    pub fn stopped(&self) -> Option<Stopped> {
        self.stopped
    }

    /// The test's answer, if it has one. Runs that were under way when it came do not change it.
    pub fn decision(&self) -> Option<Decision> {
        self.decision
    }

    fn rule(&self) -> Option<Stopped> {
        if self.decision.is_some() {
            Some(Stopped::Decided)
        } else if self.rules.until_crash && self.crashes > 0 {
            Some(Stopped::Crash)
        } else if self.rules.runs.is_some_and(|runs| self.begun >= runs) {
            Some(Stopped::Runs)
        } else if self.shown_nothing >= GIVE_UP_AFTER && self.rules.runs.is_none() {
            Some(Stopped::NothingCounts)
        } else if self
            .rules
            .duration
            .is_some_and(|limit| (self.elapsed)() >= limit)
        {
            Some(Stopped::Duration)
        } else {
            None
        }
    }

    /// Whether the runs under way will give the test its answer if none of them crashes: then no other is begun meanwhile.
    fn may_be_enough(&self) -> bool {
        let under_way = self.begun - self.ended;
        under_way > 0
            && self.rules.test.is_some_and(|test| {
                test.decide(self.crashes, self.decided + under_way) != Decision::Continue
            })
    }
}

impl<Clock: Fn() -> Duration> Schedule for Stop<'_, Clock> {
    fn next(&mut self) -> Option<Slot> {
        if self.stopped.is_none() {
            self.stopped = self.rule();
        }
        if self.stopped.is_some() || self.may_be_enough() {
            return None;
        }
        let number = self.begun;
        self.begun += 1;
        Some(Slot {
            number,
            arm: 0,
            block: number,
        })
    }

    fn done(&mut self, slot: Slot, line: &RunLine) {
        // One of before a resumption that was not asked for again.
        self.begun = self.begun.max(slot.number + 1);
        self.ended += 1;
        if !line.kind.is_decided() {
            self.shown_nothing += 1;
            return;
        }
        self.shown_nothing = 0;
        self.decided += 1;
        self.crashes += u64::from(line.kind.is_crash());
        if let (None, Some(test)) = (self.decision, self.rules.test) {
            let decision = test.decide(self.crashes, self.decided);
            self.decision = (decision != Decision::Continue).then_some(decision);
        }
    }
}

//! A test whose runs do not end in the order in which they were started.

use std::collections::BTreeMap;

use super::{Decision, Sequential};

/// Counts runs in the order of their start, and keeps the first decision.
///
/// With several runs at a time those that crash may take longer than those that do not, or less long: whoever counts
/// them as they end counts too few crashes, or too many, at the moment of the decision.
#[derive(Debug, Clone, PartialEq)]
pub struct InOrder {
    test: Sequential,
    /// Ended before a run that was started before them: whether they crashed, `None` for runs that count for nothing.
    waiting: BTreeMap<u64, Option<bool>>,
    /// The next in the order.
    next: u64,
    crashes: u64,
    runs: u64,
    decision: Decision,
}

impl InOrder {
    /// Before the first run, which has the number 0.
    pub fn new(test: Sequential) -> Self {
        Self {
            test,
            waiting: BTreeMap::new(),
            next: 0,
            crashes: 0,
            runs: 0,
            decision: Decision::Continue,
        }
    }

    /// A run has ended: its number in the order of start, each once and without a gap, and whether it crashed; `None`
    /// for one that is in no rate. Returns the decision so far.
    pub fn add(&mut self, number: u64, crashed: Option<bool>) -> Decision {
        self.waiting.insert(number, crashed);
        while self.decision == Decision::Continue
            && let Some(crashed) = self.waiting.remove(&self.next)
        {
            self.next += 1;
            let Some(crashed) = crashed else { continue };
            self.runs += 1;
            self.crashes += u64::from(crashed);
            self.decision = self.test.decide(self.crashes, self.runs);
        }
        self.decision
    }

    /// What is decided.
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// Crashes among the runs that the decision rests on.
    pub fn crashes(&self) -> u64 {
        self.crashes
    }

    /// Runs that the decision rests on.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// The test.
    pub fn test(&self) -> &Sequential {
        &self.test
    }

    /// [`Sequential::bound`] for the runs that are counted.
    pub fn bound(&self) -> f64 {
        self.test.bound(self.crashes, self.runs)
    }
}

//! Just as many runs as it takes to say whether a crash rate is below a limit.
//!
//! A sequential test with exact error rates: it ends as soon as the runs tell, either way, and at the latest after a
//! known number of them. `docs/statistics.md` has its maths; in short, with the limit R and the confidence C:
//!
//! - *below*: with k crashes after `accept()[k]` runs. Whatever the true rate is from R on, this is said with a
//!   probability of at most 1 - C.
//! - *not below*: crashes came so fast, or so many, that R is not to be shown. If the true rate is R / 10 or less, this
//!   is said with a probability of at most 1 - C.
//!
//! Between R / 10 and R either may be said, and neither is an error that is bounded.

mod design;
mod in_order;
#[cfg(test)]
mod tests;
mod walk;

use super::rate::meeting;
use super::{Rate, float};
pub use in_order::InOrder;
use walk::{Walk, Way};

/// The test is to end with *below* where the true rate is this part of the limit.
pub const GOOD_PART: f64 = 0.1;
/// Runs beyond which no test is planned.
pub const MOST_RUNS: u64 = 10_000_000;
/// The highest confidence: beyond it the rounding of the sums would be no longer small against the errors.
pub const MOST_CONFIDENCE: f64 = 0.999_999;

/// Why there is no test.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Unreachable {
    /// A rate or a confidence that is none.
    #[error("{what} is {value}, and has to be {range}")]
    OutOfRange {
        /// Which number.
        what: &'static str,
        /// Its value.
        value: f64,
        /// What it has to be.
        range: &'static str,
    },
    /// More runs than anybody makes.
    #[error(
        "a rate below {max_rate} with confidence {confidence} takes {needed} runs and more, and {MOST_RUNS} are the most (hint: a higher --max-rate or a lower --confidence)"
    )]
    TooManyRuns {
        /// The limit that was asked for.
        max_rate: f64,
        /// The confidence that was asked for.
        confidence: f64,
        /// Runs that it takes at least.
        needed: u64,
    },
}

/// What the runs so far say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Nothing yet.
    Continue,
    /// The rate is below the limit.
    Below,
    /// It is not shown to be.
    NotBelow,
}

/// The plan of a test.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequential {
    max_rate: f64,
    confidence: f64,
    /// By number of crashes: the runs at which it says *below*.
    accept: Vec<u64>,
    /// By number of crashes: it says *not below* where they came within so many runs; 0 for never. Longer than `accept`
    /// by one: with more crashes than that it always does.
    reject: Vec<u64>,
}

/// What a test does at a true rate: exact, not simulated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Operating {
    /// The probability that it says *below*.
    pub below: f64,
    /// The probability that it says *not below*.
    pub not_below: f64,
    /// How many runs it takes on average.
    pub runs: f64,
}

impl Sequential {
    /// Plans a test of whether the rate is below `max_rate`, both its errors at most `1 - confidence`.
    ///
    /// # Errors
    /// [`Unreachable`]: for what is no rate or confidence, and where it takes more than [`MOST_RUNS`].
    pub fn new(max_rate: f64, confidence: f64) -> Result<Self, Unreachable> {
        if !(max_rate > 0.0 && max_rate < 1.0) {
            return Err(Unreachable::OutOfRange {
                what: "the limit",
                value: max_rate,
                range: "above 0 and below 1",
            });
        }
        if !(confidence > 0.0 && confidence <= MOST_CONFIDENCE) {
            return Err(Unreachable::OutOfRange {
                what: "the confidence",
                value: confidence,
                range: "above 0 and at most 0.999999",
            });
        }
        let reject = design::Reject::new(max_rate, confidence);
        let accept = design::accept(max_rate, confidence, &reject)?;
        let reject = (0..=accept.len() as u64).map(|crashes| reject.within(crashes));
        Ok(Self {
            max_rate,
            confidence,
            reject: reject.collect(),
            accept,
        })
    }

    /// What is to be said after these runs, in the order in which they were started. The first word that is not
    /// [`Decision::Continue`] is the last: a test that goes on and stops later has other error rates than these. With
    /// several runs at a time see [`InOrder`], which keeps both rules.
    pub fn decide(&self, crashes: u64, runs: u64) -> Decision {
        let place = usize::try_from(crashes).unwrap_or(usize::MAX);
        match self.accept.get(place) {
            None => Decision::NotBelow,
            Some(&at) if runs >= at => Decision::Below,
            Some(_) if crashes > 0 && runs <= self.reject[place] => Decision::NotBelow,
            Some(_) => Decision::Continue,
        }
    }

    /// The limit.
    pub fn max_rate(&self) -> f64 {
        self.max_rate
    }

    /// One less the probability of either error.
    pub fn confidence(&self) -> f64 {
        self.confidence
    }

    /// By number of crashes: the runs at which it says *below*. One crash more is *not below*.
    pub fn accept(&self) -> &[u64] {
        &self.accept
    }

    /// The runs after which it says *below* when none crashes.
    pub fn fewest(&self) -> u64 {
        self.accept[0]
    }

    /// The runs after which it has ended, whatever they show.
    pub fn most(&self) -> u64 {
        self.accept[self.accept.len() - 1]
    }

    /// How many runs are left if no further one crashes; `None` where it has ended.
    pub fn left(&self, crashes: u64, runs: u64) -> Option<u64> {
        let place = usize::try_from(crashes).ok()?;
        (self.decide(crashes, runs) == Decision::Continue).then(|| self.accept[place] - runs)
    }

    /// The rate that the true one is not above, with this test's confidence, from 0 to 1; 1 without a run.
    ///
    /// It takes into account that the series would have ended before, had it gone better: the rate at which a series
    /// looks as good as this by now with a probability of 1 - C. Where the test says *below* it is at most the limit.
    /// After *not below* it is that of so many runs planned beforehand ([`Rate::upper`]).
    pub fn bound(&self, crashes: u64, runs: u64) -> f64 {
        let counted = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let rate = Rate {
            crashes: counted(crashes),
            runs: counted(runs),
        };
        let fixed = || rate.upper(self.confidence).unwrap_or(1.0);
        // Without a crash nothing could have ended it before.
        if crashes == 0 || self.decide(crashes, runs) == Decision::NotBelow {
            return fixed();
        }
        let looks_as_good = |rate: f64| {
            let mut walk = Walk::new(rate);
            let mut sum = 0.0;
            for (at, accept) in self.accept.iter().enumerate().take(counted(crashes) + 1) {
                let until = (*accept).min(runs);
                sum += walk.alive(until);
                walk.crash(&Way {
                    until,
                    rejected_within: self.reject[at + 1],
                });
            }
            sum
        };
        meeting(|rate| 1.0 - self.confidence - looks_as_good(rate))
    }

    /// What the test does at this true rate.
    pub fn operating(&self, rate: f64) -> Operating {
        let mut walk = Walk::new(rate);
        let mut operating = Operating {
            below: 0.0,
            not_below: 0.0,
            runs: 0.0,
        };
        let last = self.accept.len() - 1;
        for (at, &accept) in self.accept.iter().enumerate() {
            let below = walk.alive(accept);
            operating.below += below;
            operating.runs += below * float(accept);
            let rejected = walk.crash(&Way {
                until: accept,
                // One crash more than the last that is accepted.
                rejected_within: if at == last {
                    accept
                } else {
                    self.reject[at + 1]
                },
            });
            operating.not_below += rejected.share;
            operating.runs += rejected.runs;
        }
        operating
    }
}

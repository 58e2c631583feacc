//! The walk of a series over its counts: how likely it is to be at so many crashes after so many runs without having
//! ended, one number of crashes after the other.

use crate::stats::float;

/// How likely series are to be at one number of crashes.
pub(super) struct Walk {
    rate: f64,
    /// By runs, as long as series may still come from one crash less; from then on they only leave.
    alive: Vec<f64>,
}

/// How series go on from one number of crashes to the next.
pub(super) struct Way {
    /// With the number of crashes so far a series ends after so many runs.
    pub until: u64,
    /// With one crash more it ends if that comes within so many runs.
    pub rejected_within: u64,
}

/// Series that ended.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Ended {
    /// Their share of all.
    pub share: f64,
    /// Their runs, weighted by their share.
    pub runs: f64,
}

impl Walk {
    /// At no crash.
    pub fn new(rate: f64) -> Self {
        Self {
            rate,
            alive: vec![1.0],
        }
    }

    /// The share of series that are at this number of crashes after so many runs, had none with it ended by then.
    #[allow(clippy::cast_possible_truncation)] // as long as the list, or the list's last
    pub fn alive(&self, runs: u64) -> f64 {
        let last = self.alive.len() as u64 - 1;
        if runs <= last {
            return self.alive[runs as usize];
        }
        self.alive[last as usize] * (float(runs - last) * (-self.rate).ln_1p()).exp()
    }

    /// The same where nothing is left to come: the share after the last run at which a crash could come in, and that run.
    pub fn last(&self) -> (f64, u64) {
        let last = self.alive.len() - 1;
        (self.alive[last], last as u64)
    }

    /// Goes on to one crash more. Returns the series that end by it.
    #[allow(clippy::cast_possible_truncation)] // a length in memory
    pub fn crash(&mut self, way: &Way) -> Ended {
        let stays = 1.0 - self.rate;
        let mut next = Vec::with_capacity(way.until as usize + 1);
        next.push(0.0);
        let mut ended = Ended::default();
        let (mut before, mut here) = (self.alive[0], 0.0);
        for run in 1..=way.until {
            let crashes = before * self.rate;
            here *= stays;
            if run <= way.rejected_within {
                ended.share += crashes;
                ended.runs += crashes * float(run);
            } else {
                here += crashes;
            }
            next.push(here);
            before = match self.alive.get(run as usize) {
                Some(share) => *share,
                None => before * stays,
            };
        }
        self.alive = next;
        ended
    }
}

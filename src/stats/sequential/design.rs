//! Where a test ends.

use super::walk::{Walk, Way};
use super::{GOOD_PART, MOST_RUNS, Unreachable};
use crate::stats::float;

/// The share of the first error that is spent on *below* without a crash. With all of it the test would be the fixed
/// one, and a single crash its end: a program that crashes once in two hundred runs would fail one test of a limit of
/// 5 % in four. A tenth kept back costs 3.5 % more runs at 95 % (61 for 59) and buys two crashes.
const FOR_NO_CRASH: f64 = 0.9;
/// Of what is kept back, what each further crash leaves to those after it. By trial: a smaller one makes the first
/// crash dearer, a larger one the last.
const LEFT_FOR_MORE: f64 = 0.4;
/// The part of the second error that may be spent on crashes that come fast; the rest is for too many of them.
const FOR_FAST: f64 = 0.5;

/// When crashes come so fast that it is over: where they are so much likelier at the limit than at the good rate that
/// a series at the good rate hardly ever sees it (A. Wald, The Annals of Mathematical Statistics 16, 1945; J. Ville,
/// Étude critique de la notion de collectif, 1939: the probability is at most one over the ratio, however long it runs).
pub(super) struct Reject {
    /// What a crash adds to the logarithm of the ratio.
    crash: f64,
    /// What a run without one takes from it.
    clean: f64,
    /// Where it is over.
    bar: f64,
}

impl Reject {
    pub fn new(max_rate: f64, confidence: f64) -> Self {
        let good = max_rate * GOOD_PART;
        Self {
            crash: -GOOD_PART.ln(),
            clean: (-good).ln_1p() - (-max_rate).ln_1p(),
            bar: -((1.0 - confidence) * FOR_FAST).ln(),
        }
    }

    /// It is over when so many crashes came within so many runs; 0 for never.
    pub fn within(&self, crashes: u64) -> u64 {
        let above = float(crashes) * self.crash - self.bar;
        if above < 0.0 {
            return 0;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        // an `as` from a float stays within the type
        let clean = (above / self.clean).floor() as u64;
        crashes.saturating_add(clean)
    }
}

/// By number of crashes the runs at which the test says *below*.
///
/// Each is the first at which the probability of ending there or before with *below*, at the limit, is within what is
/// allowed for so many crashes. There are as many as it takes for the good rate to end with *below* as often as it has to.
pub(super) fn accept(
    max_rate: f64,
    confidence: f64,
    reject: &Reject,
) -> Result<Vec<u64>, Unreachable> {
    let error = 1.0 - confidence;
    let (mut at_limit, mut at_good) = (Walk::new(max_rate), Walk::new(max_rate * GOOD_PART));
    let (mut spent, mut reached) = (0.0, 0.0);
    let mut kept_back = 1.0 - FOR_NO_CRASH;
    let mut accept = Vec::new();
    loop {
        let allowed = error * (1.0 - kept_back) - spent;
        let runs = first_within(&at_limit, allowed, max_rate);
        if runs > MOST_RUNS {
            return Err(Unreachable::TooManyRuns {
                max_rate,
                confidence,
                needed: runs,
            });
        }
        accept.push(runs);
        spent += at_limit.alive(runs);
        reached += at_good.alive(runs);
        if reached >= confidence {
            return Ok(accept);
        }
        let way = Way {
            until: runs,
            rejected_within: reject.within(accept.len() as u64),
        };
        at_limit.crash(&way);
        at_good.crash(&way);
        kept_back *= LEFT_FOR_MORE;
    }
}

/// The first number of runs, after the last at which a crash could come in, at which no more than `allowed` is left.
fn first_within(walk: &Walk, allowed: f64, rate: f64) -> u64 {
    let (share, last) = walk.last();
    let more = ((allowed / share).ln() / (-rate).ln_1p()).ceil().max(1.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    // an `as` from a float stays within the type
    let mut runs = last.saturating_add(more as u64);
    // What rounding may have left over.
    while runs <= MOST_RUNS && walk.alive(runs) > allowed {
        runs += 1;
    }
    runs
}

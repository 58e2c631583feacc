//! When a series of one arm has enough runs.

use std::time::Duration;

use serde::Serialize;

use super::{Schedule, Slot};
use crate::history::RunLine;
use crate::stats::sequential::InOrder;
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
    /// The test, told of the runs in the order of their start.
    test: Option<InOrder>,
    /// How long the series has gone on.
    elapsed: Clock,
    begun: u64,
    ended: u64,
    decided: u64,
    crashes: u64,
    /// Runs since the last one that showed something.
    shown_nothing: u64,
    stopped: Option<Stopped>,
}

impl<'a, Clock: Fn() -> Duration> Stop<'a, Clock> {
    /// From the first run on.
    pub fn new(rules: Rules<'a>, elapsed: Clock) -> Self {
        Self {
            test: rules.test.cloned().map(InOrder::new),
            rules,
            elapsed,
            begun: 0,
            ended: 0,
            decided: 0,
            crashes: 0,
            shown_nothing: 0,
            stopped: None,
        }
    }

    /// Which rule ended it, if one has.
    pub fn stopped(&self) -> Option<Stopped> {
        self.stopped
    }

    /// The test's answer, if it has one. Runs that were under way when it came do not change it.
    pub fn decision(&self) -> Option<Decision> {
        let decision = self.test.as_ref()?.decision();
        (decision != Decision::Continue).then_some(decision)
    }

    /// The test's upper bound of the rate, by the runs that it has counted.
    pub fn bound(&self) -> Option<f64> {
        let test = self.test.as_ref()?;
        (test.runs() > 0).then(|| test.bound())
    }

    /// How many runs without a crash would give the test its answer, where it has none.
    pub fn left(&self) -> Option<u64> {
        let test = self.test.as_ref()?;
        test.test().left(test.crashes(), test.runs())
    }

    fn rule(&self) -> Option<Stopped> {
        if self.decision().is_some() {
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
                let left = test.left(self.crashes, self.decided);
                left.is_none_or(|left| left <= under_way)
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
        let crashed = line.kind.is_decided().then(|| line.kind.is_crash());
        if let Some(test) = &mut self.test {
            test.add(slot.number, crashed);
        }
        if crashed.is_none() {
            self.shown_nothing += 1;
            return;
        }
        self.shown_nothing = 0;
        self.decided += 1;
        self.crashes += u64::from(line.kind.is_crash());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Kind;
    use crate::series::sample::{line, slot};

    /// Runs one at a time until nothing is to be run; how many there were.
    fn play(rules: Rules<'_>, kind: impl Fn(u64) -> Kind) -> (u64, Option<Stopped>) {
        let time = std::cell::Cell::new(0);
        let mut stop = Stop::new(rules, || Duration::from_secs(time.get()));
        let mut made = 0;
        while let Some(slot) = stop.next() {
            assert_eq!((slot.number, slot.arm), (made, 0));
            time.set(time.get() + 1);
            stop.done(slot, &line(made, kind(made)));
            made += 1;
            assert!(made < 10_000, "it ends");
        }
        (made, stop.stopped())
    }

    const RULES: Rules<'static> = Rules {
        runs: None,
        duration: None,
        until_crash: false,
        test: None,
    };

    #[test]
    fn each_rule_ends_a_series_and_the_first_counts() {
        let clean = |_| Kind::Clean;
        let runs = Some(7);
        assert_eq!(
            play(Rules { runs, ..RULES }, clean),
            (7, Some(Stopped::Runs))
        );
        let duration = Some(Duration::from_secs(5));
        let rules = Rules { duration, ..RULES };
        assert_eq!(play(rules, clean), (5, Some(Stopped::Duration)));
        let both = Rules {
            runs,
            duration,
            ..RULES
        };
        assert_eq!(play(both, clean), (5, Some(Stopped::Duration)));
        let until_crash = Rules {
            until_crash: true,
            ..RULES
        };
        let third = |number| match number {
            2 => Kind::Crash,
            _ => Kind::Failure,
        };
        assert_eq!(play(until_crash, third), (3, Some(Stopped::Crash)));
    }

    #[test]
    fn a_test_ends_it_either_way() {
        let test = Sequential::new(0.2, 0.95).expect("reachable");
        let rules = || Rules {
            test: Some(&test),
            ..RULES
        };
        let decided = Some(Stopped::Decided);
        assert_eq!(play(rules(), |_| Kind::Clean), (test.fewest(), decided));
        let (made, stopped) = play(rules(), |_| Kind::Crash);
        assert!(made < test.fewest() && stopped == decided, "{made}");
        // What shows nothing is in no rate.
        let every_other = |number| match number % 2 {
            0 => Kind::NotInjected,
            _ => Kind::Clean,
        };
        assert_eq!(play(rules(), every_other).0, 2 * test.fewest());
    }

    #[test]
    fn a_series_that_can_never_decide_is_given_up() {
        let endless = Rules {
            until_crash: true,
            ..RULES
        };
        let nothing = |_| Kind::NotInjected;
        let given_up = (GIVE_UP_AFTER, Some(Stopped::NothingCounts));
        assert_eq!(play(endless, nothing), given_up);
        let runs = Some(30);
        let counted = Rules { runs, ..RULES };
        assert_eq!(play(counted, nothing), (30, Some(Stopped::Runs)));
    }

    #[test]
    fn no_run_is_begun_that_the_test_will_not_need() {
        let test = Sequential::new(0.2, 0.95).expect("reachable");
        let rules = Rules {
            test: Some(&test),
            ..RULES
        };
        let mut stop = Stop::new(rules, || Duration::ZERO);
        let begun: Vec<Slot> = std::iter::from_fn(|| stop.next()).collect();
        assert_eq!(begun.len() as u64, test.fewest());
        // One of them crashes: more are needed.
        stop.done(begun[0], &line(0, Kind::Crash));
        for slot in &begun[1..] {
            stop.done(*slot, &line(slot.number, Kind::Clean));
        }
        assert_eq!(stop.stopped(), None);
        let next = stop.next().expect("more are needed");
        assert_eq!(next.number, test.fewest());
    }

    #[test]
    fn a_run_of_before_that_was_not_asked_for_again_is_counted_and_not_made_twice() {
        let mut stop = Stop::new(
            Rules {
                runs: Some(5),
                ..RULES
            },
            || Duration::ZERO,
        );
        stop.done(slot(3), &line(3, Kind::Clean));
        assert_eq!(stop.next().map(|slot| slot.number), Some(4));
        assert_eq!(stop.next(), None);
    }
}

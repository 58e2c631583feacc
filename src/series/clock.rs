//! Time by two clocks: durations are the monotonic one's, and where the wall clock disagrees the reader is told.

use std::time::{Duration, Instant, SystemTime};

/// A wall clock that goes further or less by more than this was set: time services correct by less, step by step.
const TOLERANCE: f64 = 1.0;

/// One moment by both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    monotonic: Instant,
    wall: SystemTime,
}

impl Moment {
    /// This one.
    pub fn now() -> Self {
        Self {
            monotonic: Instant::now(),
            wall: SystemTime::now(),
        }
    }

    /// How long ago it was, by the monotonic clock.
    pub fn elapsed(&self) -> Duration {
        self.monotonic.elapsed()
    }

    /// By how many seconds the wall clock has gone further than the monotonic one since, where that is more than its usual
    /// corrections; negative where it was set back. A machine that slept shows here too: the monotonic clock rests meanwhile.
    pub fn jumped(&self) -> Option<f64> {
        jumped(
            self.elapsed(),
            seconds_between(self.wall, SystemTime::now()),
        )
    }
}

fn seconds_between(earlier: SystemTime, later: SystemTime) -> f64 {
    match later.duration_since(earlier) {
        Ok(forward) => forward.as_secs_f64(),
        Err(back) => -back.duration().as_secs_f64(),
    }
}

fn jumped(monotonic: Duration, wall: f64) -> Option<f64> {
    let difference = wall - monotonic.as_secs_f64();
    (difference.abs() > TOLERANCE).then_some(difference)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_shows_and_its_usual_corrections_do_not() {
        let run = Duration::from_secs(10);
        assert_eq!(jumped(run, 10.0), None);
        assert_eq!(jumped(run, 10.9), None);
        assert_eq!(jumped(run, 9.1), None);
        assert_eq!(jumped(run, 3610.0), Some(3600.0));
        assert_eq!(jumped(run, -50.0), Some(-60.0));
    }

    #[test]
    fn a_wall_clock_may_go_backwards() {
        let now = SystemTime::now();
        let later = now + Duration::from_secs(5);
        assert!((seconds_between(now, later) - 5.0).abs() < 1e-9);
        assert!((seconds_between(later, now) + 5.0).abs() < 1e-9);
    }
}

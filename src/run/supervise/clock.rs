//! The time a target has had: it stands still while the job is stopped.

use std::time::{Duration, Instant};

/// A stopwatch that can be paused. Time comes in as an argument.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
    paused: Duration,
}

impl Clock {
    /// Runs from `now`.
    pub fn start(now: Instant) -> Self {
        Clock {
            started: now,
            paused: Duration::ZERO,
        }
    }

    /// Leaves out `stopped`, a time in which the job was stopped.
    pub fn leave_out(&mut self, stopped: Duration) {
        self.paused += stopped;
    }

    /// Time run until `now`, pauses left out.
    pub fn elapsed(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.started)
            .saturating_sub(self.paused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_do_not_count() {
        let start = Instant::now();
        let mut clock = Clock::start(start);
        clock.leave_out(Duration::from_mins(1));
        assert_eq!(
            clock.elapsed(start + Duration::from_secs(61)),
            Duration::from_secs(1)
        );
        assert_eq!(clock.elapsed(start), Duration::ZERO);
    }
}

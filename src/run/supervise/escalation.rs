//! When to send TERM and KILL. Pure: time is an argument, the caller sends.

use std::time::Duration;

/// How long a target may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// TERM after this long; never where `None`.
    pub timeout: Option<Duration>,
    /// KILL this long after TERM.
    pub grace: Duration,
}

/// After KILL, how long to wait for processes other than the target. One in an uninterruptible
/// system call (a lost NFS server, a hung driver) does not go, and must not hold the run.
const UNKILLABLE: Duration = Duration::from_secs(5);

/// What is due now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    /// The time-out: send TERM.
    Term,
    /// The grace after it is over: send KILL.
    Kill,
    /// What is left does not die: give it up.
    GiveUp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Running,
    Terminating { kill_at: Duration },
    Killed { give_up_at: Duration },
    GivenUp,
}

/// Where one target is on the way from running to killed. Times are the [`Clock`](super::clock)'s.
#[derive(Debug)]
pub(super) struct Escalation {
    limits: Limits,
    stage: Stage,
    cancelled: bool,
    timed_out: Option<Duration>,
    needed_kill: bool,
}

impl Escalation {
    pub(super) fn new(limits: Limits) -> Self {
        Escalation {
            limits,
            stage: Stage::Running,
            cancelled: false,
            timed_out: None,
            needed_kill: false,
        }
    }

    /// What is due at `elapsed`; moves to the next stage.
    pub(super) fn advance(&mut self, elapsed: Duration) -> Due {
        match self.stage {
            Stage::Running if self.limits.timeout.is_some_and(|t| elapsed >= t) => {
                self.timed_out = Some(elapsed);
                self.stage = Stage::Terminating {
                    kill_at: elapsed.saturating_add(self.limits.grace),
                };
                Due::Term
            }
            Stage::Terminating { kill_at } if elapsed >= kill_at => self.kill(elapsed),
            Stage::Killed { give_up_at } if elapsed >= give_up_at => {
                self.stage = Stage::GivenUp;
                Due::GiveUp
            }
            _ => Due::Nothing,
        }
    }

    /// When the next stage comes.
    pub(super) fn next(&self) -> Option<Duration> {
        match self.stage {
            Stage::Running => self.limits.timeout,
            Stage::Terminating { kill_at } => Some(kill_at),
            Stage::Killed { give_up_at } => Some(give_up_at),
            Stage::GivenUp => None,
        }
    }

    /// Someone outside asked for the end by INT or TERM. The first is only passed on, as the target
    /// may take its time to clean up; a second one, or one during a time-out, means *now*.
    pub(super) fn cancel(&mut self, elapsed: Duration) -> Due {
        let again = self.cancelled || self.stage != Stage::Running;
        self.cancelled = true;
        if again && !self.killed() {
            self.kill(elapsed)
        } else {
            Due::Nothing
        }
    }

    fn kill(&mut self, elapsed: Duration) -> Due {
        self.needed_kill = true;
        self.stage = Stage::Killed {
            give_up_at: elapsed.saturating_add(UNKILLABLE),
        };
        Due::Kill
    }

    pub(super) fn killed(&self) -> bool {
        matches!(self.stage, Stage::Killed { .. } | Stage::GivenUp)
    }

    /// We are putting an end to the tree, not only to the target.
    pub(super) fn ending_tree(&self) -> bool {
        matches!(self.stage, Stage::Terminating { .. } | Stage::Killed { .. })
    }

    /// Time at which the time-out struck.
    pub(super) fn timed_out(&self) -> Option<Duration> {
        self.timed_out
    }

    pub(super) fn needed_kill(&self) -> bool {
        self.needed_kill
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn limits(timeout: Option<u64>) -> Limits {
        Limits {
            timeout: timeout.map(S),
            grace: S(2),
        }
    }

    #[test]
    fn term_then_kill_then_give_up() {
        let mut escalation = Escalation::new(limits(Some(10)));
        assert_eq!(escalation.advance(S(9)), Due::Nothing);
        assert_eq!(escalation.advance(S(10)), Due::Term);
        assert_eq!(escalation.advance(S(11)), Due::Nothing);
        assert_eq!(escalation.next(), Some(S(12)));
        assert_eq!(escalation.advance(S(12)), Due::Kill);
        assert_eq!(escalation.advance(S(13)), Due::Nothing);
        assert_eq!(escalation.advance(S(17)), Due::GiveUp);
        assert_eq!(escalation.next(), None);
        assert_eq!(escalation.timed_out(), Some(S(10)));
    }

    #[test]
    fn without_a_timeout_nothing_is_ever_due() {
        let mut escalation = Escalation::new(limits(None));
        assert_eq!(escalation.next(), None);
        assert_eq!(escalation.advance(Duration::MAX), Due::Nothing);
    }

    #[test]
    fn the_second_request_kills() {
        let mut escalation = Escalation::new(limits(None));
        assert_eq!(escalation.cancel(S(1)), Due::Nothing);
        assert!(!escalation.ending_tree());
        assert_eq!(escalation.cancel(S(2)), Due::Kill);
        assert_eq!(escalation.cancel(S(3)), Due::Nothing);
        assert_eq!(escalation.timed_out(), None);
    }

    #[test]
    fn a_request_during_the_grace_kills() {
        let mut escalation = Escalation::new(limits(Some(1)));
        assert_eq!(escalation.advance(S(1)), Due::Term);
        assert_eq!(escalation.cancel(S(2)), Due::Kill);
    }

    #[test]
    fn a_grace_beyond_all_time_does_not_overflow() {
        let mut escalation = Escalation::new(Limits {
            timeout: Some(S(1)),
            grace: Duration::MAX,
        });
        assert_eq!(escalation.advance(S(1)), Due::Term);
        assert_eq!(escalation.next(), Some(Duration::MAX));
    }
}

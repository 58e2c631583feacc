//! The one loop of a supervision.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant, SystemTime};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::Observer;
use super::clock::Clock;
use super::escalation::{Due, Escalation, Limits};
use super::outcome::{Descendants, Ending, Orphan, Outcome, TimedOut};
use super::relay::Relay;
use super::tree::{self, ForkWatch, Outsiders};
use crate::run::launch::placement::Placement;
use crate::run::launch::stderr::{Connection, StderrKind};
use crate::run::launch::terminal::Terminal;
use crate::run::launch::{self, Launch, LaunchError};
use crate::run::sys::helper::Helper;
use crate::run::sys::os;
use crate::run::sys::resize;
use crate::run::sys::signals::{Delivery, Signals, stop_self};
use crate::run::sys::wait::{self, Change};

/// A target that runs, or has run.
pub(super) struct Supervision {
    pid: i32,
    placement: Placement,
    terminal: Option<Terminal>,
    /// The target's group has the terminal from us.
    handed_over: bool,
    signals: Signals,
    relay: Relay,
    forks: ForkWatch,
    resizes: Option<Helper>,
    outsiders: Outsiders,
    started: SystemTime,
    begun: Instant,
    clock: Clock,
    escalation: Escalation,
    cancelled_by: Option<i32>,
    orphans: Vec<Orphan>,
    stragglers: BTreeSet<i32>,
    end: Option<End>,
    /// What is left of the tree does not die.
    given_up: bool,
}

struct End {
    ending: Ending,
    at: SystemTime,
    duration: Duration,
    descendants: Descendants,
}

impl Supervision {
    pub(super) fn start(
        launch: &Launch,
        placement: Placement,
        terminal: Option<Terminal>,
        connection: Connection,
        signals: Signals,
        limits: Limits,
    ) -> Result<Self, LaunchError> {
        let ours = tree::adopt_orphans()
            .map_err(LaunchError::failed("cannot become the tree's subreaper"))?;
        let mut outsiders = Outsiders::new(ours, &launch.not_of_the_tree);
        let (started, begun) = (SystemTime::now(), Instant::now());
        let spawned = launch::spawn(launch, placement, terminal.as_ref(), &connection, &signals);
        let handed_over = placement == Placement::OwnGroup { foreground: true };
        if let (Err(_), true, Some(terminal)) = (&spawned, handed_over, &terminal) {
            // The child may have taken the terminal before it failed.
            terminal
                .take_back()
                .map_err(LaunchError::failed("cannot take the terminal back"))?;
        }
        let pid = spawned?;
        let forks = ForkWatch::start(pid);
        let copies_terminal = connection.kind == StderrKind::Terminal;
        let resizes = match placement {
            Placement::OwnGroup { .. } if copies_terminal && terminal.is_some() => Some(
                resize::listen_in(pid, &signals)
                    .map_err(LaunchError::failed("cannot follow the terminal's size"))?,
            ),
            _ => None,
        };
        outsiders.add(resizes.as_ref().map(Helper::pid));
        Ok(Supervision {
            pid,
            placement,
            terminal,
            handed_over,
            signals,
            relay: Relay::new(
                connection,
                matches!(placement, Placement::OwnGroup { .. }).then_some(pid),
            ),
            forks,
            resizes,
            outsiders,
            started,
            begun,
            clock: Clock::start(begun),
            escalation: Escalation::new(limits),
            cancelled_by: None,
            orphans: Vec::new(),
            stragglers: BTreeSet::new(),
            end: None,
            given_up: false,
        })
    }

    pub(super) fn run(mut self, observer: &mut dyn Observer) -> io::Result<Outcome> {
        observer.started(self.pid);
        loop {
            self.relay.pump(&mut |line| observer.stderr_line(line));
            self.outsiders.add(self.relay.key_copier());
            if self.relay.follow_window() {
                self.signal_target(libc::SIGWINCH);
            }
            let (deliveries, child_changed) = self.signals.take()?;
            for delivery in deliveries {
                self.on_signal(delivery)?;
            }
            if child_changed {
                self.on_children(observer)?;
            }
            self.on_time(observer)?;
            if self.is_over() {
                break;
            }
            self.wait()?;
        }
        self.finish(observer)
    }

    /// Waits for the next event.
    fn wait(&self) -> io::Result<()> {
        let timeout = match self.escalation.next() {
            None => PollTimeout::NONE,
            Some(at) => {
                let left = at.saturating_sub(self.clock.elapsed(Instant::now()));
                // Rounded up to the clock of poll, so that the deadline has passed when it returns.
                let left = left.saturating_add(Duration::from_micros(999));
                PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
            }
        };
        let mut fds = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        fds.extend(self.relay.interest());
        match poll(&mut fds, timeout) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn on_signal(&mut self, delivery: Delivery) -> io::Result<()> {
        let Delivery {
            signal,
            from_kernel,
        } = delivery;
        match signal {
            libc::SIGWINCH => {
                // The listener hears what we send to the group too: that is not to go round.
                let passed_on = !from_kernel && self.resizes.is_none();
                if self.relay.follow_window() || passed_on {
                    self.signal_target(signal);
                }
            }
            libc::SIGCONT => self.resume()?,
            // The terminal sent it to the whole group, the target included.
            _ if from_kernel && self.placement == Placement::Joined => {}
            _ => {
                if !from_kernel && matches!(signal, libc::SIGINT | libc::SIGTERM | libc::SIGHUP) {
                    self.cancelled_by.get_or_insert(signal);
                }
                if self.end.is_some() && matches!(signal, libc::SIGINT | libc::SIGTERM) {
                    self.relay.abandon();
                }
                self.signal_target(signal);
                if !from_kernel && matches!(signal, libc::SIGINT | libc::SIGTERM) {
                    let due = self.escalation.cancel(self.clock.elapsed(Instant::now()));
                    self.escalate(due);
                }
            }
        }
        Ok(())
    }

    fn on_children(&mut self, observer: &mut dyn Observer) -> io::Result<()> {
        self.outsiders.look();
        while let Some(pid) = wait::peek()? {
            // Its accounts are gone once it is reaped, and so is its name.
            let descendants = (pid == self.pid).then(|| self.forks.verdict());
            let outside = self.outsiders.contains(pid);
            match (wait::consume(pid)?, descendants) {
                (Some(Change::Ended(ending)), Some(descendants)) => {
                    self.end = Some(End {
                        ending,
                        at: SystemTime::now(),
                        duration: self.begun.elapsed(),
                        descendants: self.outsiders.qualify(descendants, ending),
                    });
                    self.on_end(observer)?;
                }
                (Some(Change::Ended(ending)), None) => {
                    if !outside {
                        self.orphans.push(Orphan { pid, ending });
                    }
                    self.outsiders.forget(pid);
                    self.relay.reaped(pid);
                    if let Some(listener) = self.resizes.take_if(|l| l.pid() == pid) {
                        listener.forget();
                    }
                }
                (Some(Change::Stopped(signal)), Some(_)) => self.on_stop(signal, observer)?,
                (Some(Change::Stopped(_)) | None, _) => {}
            }
        }
        self.sweep();
        Ok(())
    }

    /// The target has stopped: so does the job, of which the shell sees only us.
    fn on_stop(&mut self, signal: i32, observer: &mut dyn Observer) -> io::Result<()> {
        let Some(terminal) = &self.terminal else {
            return Ok(());
        };
        let wants_terminal = matches!(signal, libc::SIGTTIN | libc::SIGTTOU);
        if wants_terminal && !self.handed_over && terminal.is_ours() {
            // A background job was brought to the foreground while it ran: no signal told us.
            return self.resume();
        }
        self.relay
            .target_stopped(&mut |line| observer.stderr_line(line));
        if self.handed_over {
            terminal.take_back()?;
            self.handed_over = false;
        }
        let stopped = Instant::now();
        stop_self(signal)?;
        self.clock.leave_out(stopped.elapsed());
        self.resume()
    }

    /// We were continued, or never stopped: the target goes on, with the terminal if it is ours.
    fn resume(&mut self) -> io::Result<()> {
        if self.end.is_some() {
            return Ok(());
        }
        if let (Placement::OwnGroup { .. }, Some(terminal)) = (self.placement, &self.terminal)
            && terminal.give_to(self.pid)?
        {
            self.handed_over = true;
        }
        if self.relay.follow_window() {
            self.signal_target(libc::SIGWINCH);
        }
        self.relay.target_continued();
        self.outsiders.add(self.relay.key_copier());
        self.signal_target(libc::SIGCONT);
        Ok(())
    }

    fn on_end(&mut self, observer: &mut dyn Observer) -> io::Result<()> {
        self.relay
            .target_ended(&mut |line| observer.stderr_line(line));
        if let (true, Some(terminal)) = (self.handed_over, &self.terminal) {
            terminal.take_back()?;
            self.handed_over = false;
        }
        if self.escalation.ending_tree() && !os::ADOPTS_ORPHANS {
            // Nothing will tell us how the rest takes its TERM.
            self.kill_tree();
        }
        Ok(())
    }

    fn on_time(&mut self, observer: &mut dyn Observer) -> io::Result<()> {
        if self.end.is_some() && !self.escalation.ending_tree() {
            return Ok(());
        }
        let due = self.escalation.advance(self.clock.elapsed(Instant::now()));
        if due == Due::Term {
            observer.before_term(self.pid);
            // It may have ended while it was sampled.
            self.on_children(observer)?;
        }
        self.escalate(due);
        Ok(())
    }

    fn escalate(&mut self, due: Due) {
        match due {
            Due::Nothing => {}
            Due::Term => {
                self.signal_tree(libc::SIGTERM);
                // A stopped process gets its TERM only once it is continued.
                self.signal_tree(libc::SIGCONT);
            }
            Due::Kill => self.kill_tree(),
            Due::GiveUp => self.given_up = true,
        }
    }

    /// Kills what has appeared since the tree was killed.
    fn sweep(&mut self) {
        if self.end.is_some() && self.escalation.killed() {
            self.kill_tree();
        }
    }

    fn kill_tree(&mut self) {
        let group = self.group();
        for pid in tree::living(self.pid, &mut self.outsiders) {
            if group.is_none()
                || nix::unistd::getpgid(Some(nix::unistd::Pid::from_raw(pid)))
                    != Ok(nix::unistd::Pid::from_raw(self.pid))
            {
                self.stragglers.insert(pid);
                send(pid, libc::SIGKILL);
            }
        }
        match group {
            Some(group) => send(-group, libc::SIGKILL),
            None if self.end.is_none() => send(self.pid, libc::SIGKILL),
            None => {}
        }
    }

    fn signal_tree(&mut self, signal: i32) {
        if self.group().is_none() {
            for pid in tree::living(self.pid, &mut self.outsiders) {
                send(pid, signal);
            }
        }
        self.signal_target(signal);
    }

    /// Sends `signal` to the target, as part of its group where that is its own.
    fn signal_target(&self, signal: i32) {
        match self.group() {
            Some(group) => send(-group, signal),
            // Once reaped, the number may be another process's.
            None if self.end.is_none() => send(self.pid, signal),
            None => {}
        }
    }

    fn group(&self) -> Option<i32> {
        match self.placement {
            Placement::OwnGroup { .. } => Some(self.pid),
            Placement::Joined => None,
        }
    }

    fn is_over(&mut self) -> bool {
        self.end.is_some()
            && self.relay.is_done()
            && (self.given_up
                || !self.escalation.ending_tree()
                || !os::ADOPTS_ORPHANS
                || tree::living(self.pid, &mut self.outsiders).is_empty())
    }

    fn finish(mut self, observer: &mut dyn Observer) -> io::Result<Outcome> {
        // Orphans that ended with the target or since.
        self.on_children(observer)?;
        let end = self
            .end
            .ok_or_else(|| io::Error::other("left before the target's end"))?;
        let left_behind: Vec<i32> = tree::living(self.pid, &mut self.outsiders)
            .into_iter()
            .collect();
        let descendants = match end.descendants {
            Descendants::None | Descendants::Unknown(_)
                if !left_behind.is_empty() || !self.orphans.is_empty() =>
            {
                Descendants::Some
            }
            other => other,
        };
        Ok(Outcome {
            pid: self.pid,
            started: self.started,
            ended: end.at,
            duration: end.duration,
            ending: end.ending,
            timed_out: self.escalation.timed_out().map(|after| TimedOut {
                after,
                needed_kill: self.escalation.needed_kill(),
                stragglers: self.stragglers.len(),
            }),
            cancelled_by: self.cancelled_by,
            needed_kill: self.escalation.needed_kill(),
            orphans: self.orphans,
            left_behind,
            descendants,
            stderr: self.relay.finish(&mut |line| observer.stderr_line(line)),
        })
    }
}

/// `kill(2)`: a negative number is a process group.
fn send(to: i32, signal: i32) {
    use nix::sys::signal::{Signal, kill};
    let Ok(signal) = Signal::try_from(signal) else {
        return; // Only standard signals are caught, so only those come here.
    };
    // ESRCH: it has ended, which is no error here. EPERM: it runs as another user (sudo), whom the
    // terminal's own signals reach; KILL cannot, and the outcome counts it as left behind.
    let _gone_or_foreign = kill(nix::unistd::Pid::from_raw(to), signal);
}

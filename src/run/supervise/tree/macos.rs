//! The tree by libproc, forks by kqueue.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use nix::sys::event::{EvFlags, EventFilter, FilterFlag, KEvent, Kqueue};

use crate::run::supervise::outcome::Descendants;
pub(super) use crate::run::sys::os::children;

/// Orphans cannot be had here. Returns the children that we have already.
#[allow(clippy::unnecessary_wraps)] // the other platform's can fail
pub(in crate::run::supervise) fn adopt_orphans() -> io::Result<BTreeSet<i32>> {
    Ok(children(nix::unistd::getpid().as_raw())
        .into_iter()
        .collect())
}

/// None: they go to launchd.
pub(super) fn orphans() -> Vec<i32> {
    Vec::new()
}

/// A program whose processes are the system's. Here launchd starts those (ReportCrash among them), so
/// that none is ever found in a tree.
pub(super) enum Program {}

impl Program {
    /// `None`: there is nothing to recognise.
    pub(super) fn find(_path: &Path) -> Option<Self> {
        None
    }

    pub(super) fn is_run_by(&self, _pid: i32) -> bool {
        match *self {}
    }
}

/// Where a walk begins: orphans go to launchd and are out of reach.
pub(super) fn roots(target: i32) -> Vec<i32> {
    children(target)
}

/// Tells whether a process ever had children: `kqueue(2)`, EVFILT_PROC with NOTE_FORK.
pub(in crate::run::supervise) struct ForkWatch(nix::Result<Kqueue>);

impl ForkWatch {
    /// Watches `pid`. A fork between exec and this call is missed: it is made right after exec,
    /// while the loader is still at work.
    pub(in crate::run::supervise) fn start(pid: i32) -> Self {
        ForkWatch(Self::register(pid))
    }

    fn register(pid: i32) -> nix::Result<Kqueue> {
        let queue = Kqueue::new()?;
        let watch = KEvent::new(
            pid.cast_unsigned() as usize,
            EventFilter::EVFILT_PROC,
            EvFlags::EV_ADD | EvFlags::EV_CLEAR,
            FilterFlag::NOTE_FORK,
            0,
            0,
        );
        queue.kevent(&[watch], &mut [], Some(ZERO))?;
        Ok(queue)
    }

    /// What was seen until the end of the process.
    pub(in crate::run::supervise) fn verdict(&self) -> Descendants {
        let mut events = [KEvent::new(
            0,
            EventFilter::EVFILT_PROC,
            EvFlags::empty(),
            FilterFlag::empty(),
            0,
            0,
        )];
        let seen = match &self.0 {
            Ok(queue) => queue.kevent(&[], &mut events, Some(ZERO)),
            Err(error) => Err(*error),
        };
        match seen {
            Ok(0) => Descendants::None,
            Ok(_) if events[0].fflags().contains(FilterFlag::NOTE_FORK) => Descendants::Some,
            Ok(_) => Descendants::None,
            Err(error) => Descendants::Unknown(format!("its forks were not watched: {error}")),
        }
    }
}

const ZERO: libc::timespec = libc::timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

//! inotify(7).

use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

pub struct Watch {
    inotify: Inotify,
}

impl Watch {
    pub fn new() -> nix::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
        Ok(Self { inotify })
    }

    /// Whether `path` is watched now.
    pub fn add(&mut self, path: &Path) -> bool {
        let changes = AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_MOVED_TO
            | AddWatchFlags::IN_MOVED_FROM
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_CLOSE_WRITE
            | AddWatchFlags::IN_ATTRIB
            | AddWatchFlags::IN_ONLYDIR;
        self.inotify.add_watch(path, changes).is_ok()
    }

    /// Whether something changed before `limit` had passed.
    pub fn wait(&mut self, limit: Duration) -> bool {
        let timeout = PollTimeout::try_from(limit).unwrap_or(PollTimeout::MAX);
        let mut descriptors = [PollFd::new(self.inotify.as_fd(), PollFlags::POLLIN)];
        if !matches!(poll(&mut descriptors, timeout), Ok(ready) if ready > 0) {
            return false;
        }
        // Drained, so that the next wait is for what comes after the coming look.
        while self
            .inotify
            .read_events()
            .is_ok_and(|events| !events.is_empty())
        {}
        true
    }
}

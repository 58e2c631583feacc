//! inotify(7).

use std::collections::HashSet;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};

use super::wanted::{Interest, Wanted};
use super::{Applied, Woken};

/// Every change of a directory's files is notified when they are closed.
pub const SILENT_CHANGES: Option<Duration> = None;

pub struct Watch {
    inotify: Inotify,
    held: HashSet<WatchDescriptor>,
}

impl Watch {
    pub fn new() -> nix::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
        Ok(Self {
            inotify,
            held: HashSet::new(),
        })
    }

    /// Watches these directories and no others. A directory that is watched already keeps its
    /// descriptor; one that was removed lost it, and another under its name, even of the same
    /// inode, gets a new one.
    pub fn apply(&mut self, wanted: &[Wanted]) -> Applied {
        let mut held = HashSet::new();
        let mut failed: Vec<(PathBuf, io::Error)> = Vec::new();
        for directory in wanted {
            match self
                .inotify
                .add_watch(&directory.path, mask(directory.interest))
            {
                Ok(descriptor) => {
                    held.insert(descriptor);
                }
                // Gone again: the next look at what is wanted knows.
                Err(Errno::ENOENT | Errno::ENOTDIR) => {}
                // Above a folder only what can be had is wanted.
                Err(_) if directory.interest == Interest::Itself => {}
                Err(error) => failed.push((directory.path.clone(), error.into())),
            }
        }
        for gone in self.held.difference(&held) {
            // EINVAL: the kernel has removed it with its directory.
            if let Err(error) = self.inotify.rm_watch(*gone)
                && error != Errno::EINVAL
            {
                failed.push((PathBuf::new(), error.into()));
            }
        }
        let new = held.difference(&self.held).next().is_some();
        self.held = held;
        Applied { new, failed }
    }

    /// Waits for a change, for `wake` to become readable, or for `limit`.
    pub fn wait(&mut self, limit: Option<Duration>, wake: Option<BorrowedFd<'_>>) -> Woken {
        let timeout = limit.map_or(PollTimeout::NONE, |limit| {
            // Rounded up: a wait of less than a millisecond must not become a busy loop.
            let rounded = limit.saturating_add(Duration::from_micros(999));
            PollTimeout::try_from(rounded).unwrap_or(PollTimeout::MAX)
        });
        let mut descriptors = vec![PollFd::new(self.inotify.as_fd(), PollFlags::POLLIN)];
        descriptors.extend(wake.map(|wake| PollFd::new(wake, PollFlags::POLLIN)));
        match poll(&mut descriptors, timeout) {
            // A signal's handler ran; the caller knows how much time is left.
            Err(Errno::EINTR) => return Woken::Again,
            Err(_) | Ok(0) => return Woken::Limit,
            Ok(_) => {}
        }
        if descriptors.get(1).and_then(PollFd::any) == Some(true) {
            return Woken::Called;
        }
        // Drained, so that the next wait is for what comes after the coming look.
        while self
            .inotify
            .read_events()
            .is_ok_and(|events| !events.is_empty())
        {}
        Woken::Changed
    }
}

fn mask(interest: Interest) -> AddWatchFlags {
    let itself =
        AddWatchFlags::IN_DELETE_SELF | AddWatchFlags::IN_MOVE_SELF | AddWatchFlags::IN_ONLYDIR;
    match interest {
        Interest::Itself => itself,
        Interest::Entries => {
            itself
                | AddWatchFlags::IN_CREATE
                | AddWatchFlags::IN_MOVED_TO
                | AddWatchFlags::IN_MOVED_FROM
                | AddWatchFlags::IN_DELETE
                | AddWatchFlags::IN_CLOSE_WRITE
                | AddWatchFlags::IN_ATTRIB
        }
    }
}

//! kqueue(2) with `EVFILT_VNODE`: a directory's node is written when an entry comes or goes.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::Duration;

use nix::libc::timespec;
use nix::sys::event::{EvFlags, EventFilter, FilterFlag, KEvent, Kqueue};

pub struct Watch {
    queue: Kqueue,
    /// Open directories: closing one would end its watch.
    directories: Vec<File>,
}

impl Watch {
    pub fn new() -> nix::Result<Self> {
        Ok(Self {
            queue: Kqueue::new()?,
            directories: Vec::new(),
        })
    }

    /// Whether `path` is watched now.
    pub fn add(&mut self, path: &Path) -> bool {
        let Ok(directory) = File::open(path) else {
            return false;
        };
        let Ok(descriptor) = usize::try_from(directory.as_raw_fd()) else {
            return false;
        };
        let change = KEvent::new(
            descriptor,
            EventFilter::EVFILT_VNODE,
            EvFlags::EV_ADD | EvFlags::EV_CLEAR,
            FilterFlag::NOTE_WRITE
                | FilterFlag::NOTE_EXTEND
                | FilterFlag::NOTE_ATTRIB
                | FilterFlag::NOTE_RENAME
                | FilterFlag::NOTE_DELETE,
            0,
            0,
        );
        let registered = self.queue.kevent(&[change], &mut [], None).is_ok();
        if registered {
            self.directories.push(directory);
        }
        registered
    }

    /// Whether something changed before `limit` had passed.
    pub fn wait(&mut self, limit: Duration) -> bool {
        let mut events = [KEvent::new(
            0,
            EventFilter::EVFILT_VNODE,
            EvFlags::empty(),
            FilterFlag::empty(),
            0,
            0,
        ); 8];
        let timeout = timespec {
            tv_sec: limit.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: limit.subsec_nanos().into(),
        };
        matches!(self.queue.kevent(&[], &mut events, Some(timeout)), Ok(ready) if ready > 0)
    }
}

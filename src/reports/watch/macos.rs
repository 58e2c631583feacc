//! kqueue(2) with `EVFILT_VNODE`: a directory's node is written when an entry comes or goes.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;
use std::time::Duration;

use nix::errno::Errno;
use nix::libc::{self, timespec};
use nix::sys::event::{EvFlags, EventFilter, FilterFlag, KEvent, Kqueue};

use super::wanted::{Interest, Wanted};
use super::{Applied, Woken};

/// A file that is written again in place changes nothing in its directory.
pub const SILENT_CHANGES: Option<Duration> = Some(Duration::from_secs(2));

pub struct Watch {
    queue: Kqueue,
    /// Open directories: closing one ends its watch, and while it is open its inode belongs to no
    /// other.
    held: HashMap<(u64, u64), (File, Interest)>,
}

impl Watch {
    pub fn new() -> nix::Result<Self> {
        Ok(Self {
            queue: Kqueue::new()?,
            held: HashMap::new(),
        })
    }

    /// Watches these directories and no others.
    pub fn apply(&mut self, wanted: &[Wanted]) -> Applied {
        let mut held = HashMap::new();
        let mut applied = Applied::default();
        for directory in wanted {
            let known = self.held.remove(&directory.identity);
            if let Some((file, interest)) = known
                && interest == directory.interest
            {
                held.insert(directory.identity, (file, interest));
                continue;
            }
            match self.open(directory) {
                Ok((identity, file)) => {
                    applied.new = true;
                    held.insert(identity, (file, directory.interest));
                }
                // Gone again: the next look at what is wanted knows.
                Err(error)
                    if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
                // Above a folder only what can be had is wanted.
                Err(_) if directory.interest == Interest::Itself => {}
                Err(error) => applied.failed.push((directory.path.clone(), error)),
            }
        }
        self.held = held;
        applied
    }

    fn open(&self, directory: &Wanted) -> io::Result<((u64, u64), File)> {
        let path: PathBuf = if directory.path.as_os_str().is_empty() {
            PathBuf::from(".")
        } else {
            directory.path.clone()
        };
        // O_EVTONLY: such a descriptor does not keep a volume from being unmounted (open(2)).
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_EVTONLY | libc::O_CLOEXEC | libc::O_DIRECTORY)
            .open(path)?;
        let metadata = file.metadata()?;
        let itself = FilterFlag::NOTE_RENAME | FilterFlag::NOTE_DELETE | FilterFlag::NOTE_REVOKE;
        let flags = match directory.interest {
            Interest::Itself => itself,
            Interest::Entries => {
                itself | FilterFlag::NOTE_WRITE | FilterFlag::NOTE_EXTEND | FilterFlag::NOTE_ATTRIB
            }
        };
        let change = KEvent::new(
            identifier(file.as_raw_fd())?,
            EventFilter::EVFILT_VNODE,
            EvFlags::EV_ADD | EvFlags::EV_CLEAR,
            flags,
            0,
            0,
        );
        self.queue.kevent(&[change], &mut [], None)?;
        Ok(((metadata.dev(), metadata.ino()), file))
    }

    /// Waits for a change, for `wake` to become readable, or for `limit`.
    pub fn wait(&mut self, limit: Option<Duration>, wake: Option<BorrowedFd<'_>>) -> Woken {
        let called = wake.and_then(|wake| identifier(wake.as_raw_fd()).ok());
        let changes: Vec<KEvent> = called
            .map(|identifier| event(identifier, EventFilter::EVFILT_READ, EvFlags::EV_ADD))
            .into_iter()
            .collect();
        let mut events = [event(0, EventFilter::EVFILT_VNODE, EvFlags::empty()); 16];
        let timeout = limit.map(|limit| timespec {
            tv_sec: limit.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: limit.subsec_nanos().into(),
        });
        let came = match self.queue.kevent(&changes, &mut events, timeout) {
            // A signal's handler ran; the caller knows how much time is left.
            Err(Errno::EINTR) => return Woken::Again,
            Err(_) | Ok(0) => return Woken::Limit,
            Ok(came) => came,
        };
        let is_call = |event: &KEvent| matches!(event.filter(), Ok(EventFilter::EVFILT_READ));
        if events.iter().take(came).any(is_call) {
            return Woken::Called;
        }
        Woken::Changed
    }
}

fn identifier(descriptor: i32) -> io::Result<usize> {
    usize::try_from(descriptor).map_err(io::Error::other)
}

fn event(identifier: usize, filter: EventFilter, flags: EvFlags) -> KEvent {
    KEvent::new(identifier, filter, flags, FilterFlag::empty(), 0, 0)
}

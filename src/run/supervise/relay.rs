//! Copies the target's stderr to ours, unchanged and at once, and reads along.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::Winsize;
use nix::unistd::{read, write};

use super::keys::Keys;
use super::lines::LineSplitter;
use super::outcome::StderrWatch;
use crate::run::launch::stderr::{Connection, StderrKind};
use crate::run::sys::{detach, os, packet, window};

/// Most that is read before it is written on, in bytes: the memory that a stalled reader costs.
const CHUNK: usize = 64 * 1024;

/// Most that is copied after the target has ended, in bytes: more than a pipe holds by default
/// (`pipe(7)`: 64 KiB; at most 1 MiB unprivileged), so what the target wrote is in it, and a process
/// left behind that never pauses does not hold us.
const LAST_WORDS: usize = 1024 * 1024;

/// The copying side of a [`Connection`].
pub(super) struct Relay {
    connection: Connection,
    /// Set where the source is in packet mode.
    keys: Option<Keys>,
    buffer: Vec<u8>,
    /// Bytes of `buffer` in use, and how many of them are written.
    filled: usize,
    written: usize,
    lines: LineSplitter,
    size: Option<Winsize>,
    bytes: u64,
    /// Set once the target has ended: how much more to read.
    allowance: Option<usize>,
}

impl Relay {
    /// `group`: the target's process group, where it is not ours.
    pub(super) fn new(mut connection: Connection, group: Option<i32>) -> Self {
        // Only the target holds its end now, so that its closing is seen.
        connection.target_end = None;
        let size = match (connection.kind, &connection.sink) {
            (StderrKind::Terminal, Some(sink)) => window::size(sink.as_fd()).ok(), // hung up: none
            _ => None,
        };
        let copies = connection.source.is_some();
        let keys = connection.keys.take().map(|fd| Keys::new(fd, group));
        Relay {
            connection,
            keys,
            buffer: vec![0; if copies { CHUNK + 1 } else { 0 }],
            filled: 0,
            written: 0,
            lines: LineSplitter::default(),
            size,
            bytes: 0,
            allowance: None,
        }
    }

    fn pending(&self) -> bool {
        self.written < self.filled
    }

    /// What to poll. While bytes wait to be written none are read: back-pressure reaches the target.
    pub(super) fn interest(&self) -> impl Iterator<Item = PollFd<'_>> {
        let source = self.connection.source.as_ref().filter(|_| !self.pending());
        let sink_events = if self.pending() {
            PollFlags::POLLOUT
        } else {
            // Errors only: a reader that goes away must be felt by a target that is not writing.
            PollFlags::empty()
        };
        let sink = self
            .connection
            .sink
            .as_ref()
            .filter(|_| self.connection.source.is_some());
        source
            .map(|fd| PollFd::new(fd.as_fd(), PollFlags::POLLIN))
            .into_iter()
            .chain(sink.map(|fd| PollFd::new(fd.as_fd(), sink_events)))
    }

    /// Copies what can be copied without blocking: one chunk while the target lives, so that
    /// signals and timers get their turn between; all there is once it has ended.
    pub(super) fn pump(&mut self, line: &mut dyn FnMut(&[u8])) {
        self.flush();
        while !self.pending() && self.fill(line) {
            self.flush();
            if self.allowance.is_none() {
                break;
            }
        }
        if self.sink_is_broken() {
            self.close();
        }
    }

    /// Reads once; whether there was something.
    fn fill(&mut self, line: &mut dyn FnMut(&[u8])) -> bool {
        let Some(source) = &self.connection.source else {
            return false;
        };
        let most = self.allowance.map_or(CHUNK, |left| left.min(CHUNK));
        if most == 0 {
            return false;
        }
        // The byte that packet mode puts before the data.
        let header = usize::from(self.keys.is_some());
        match read(source, &mut self.buffer[..header + most]) {
            // EIO: no process holds the pseudo-terminal's other side any more.
            Ok(0) | Err(Errno::EIO) => {
                self.close();
                false
            }
            Ok(_) if header == 1 && self.buffer[0] != 0 => {
                if self.buffer[0] & packet::MODES_CHANGED != 0 {
                    self.follow_modes();
                }
                true
            }
            Ok(n) => {
                self.filled = n;
                self.written = header;
                let data = &self.buffer[header..n];
                self.bytes += data.len() as u64;
                if let Some(left) = &mut self.allowance {
                    *left -= data.len();
                }
                self.lines.feed(data, line);
                true
            }
            Err(Errno::EAGAIN) => {
                if self.allowance.is_some() {
                    self.allowance = Some(0);
                }
                false
            }
            Err(Errno::EINTR) => true,
            Err(error) => {
                self.fail("cannot read the target's stderr", error);
                false
            }
        }
    }

    fn flush(&mut self) {
        while self.pending() && self.sink_is_writable() {
            let Some(sink) = &self.connection.sink else {
                return;
            };
            // The shared description may block. After POLLOUT a pipe has room for this much.
            let end = self.filled.min(self.written + os::PIPE_BUF);
            match write(sink, &self.buffer[self.written..end]) {
                Ok(n) => self.written += n,
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return,
                // The reader is gone, or the terminal hung up: the target is to feel it too.
                Err(Errno::EPIPE | Errno::EIO) => self.close(),
                Err(error) => self.fail("cannot pass the target's stderr on", error),
            }
        }
    }

    fn sink_is_writable(&self) -> bool {
        self.sink_state(PollFlags::POLLOUT)
            .is_some_and(|events| !events.is_empty())
    }

    fn sink_is_broken(&self) -> bool {
        self.connection.source.is_some()
            && self
                .sink_state(PollFlags::empty())
                .is_some_and(|events| events.contains(PollFlags::POLLERR))
    }

    fn sink_state(&self, events: PollFlags) -> Option<PollFlags> {
        let sink = self.connection.sink.as_ref()?;
        let mut fds = [PollFd::new(sink.as_fd(), events)];
        // A failed poll (EINTR) counts as "not yet": the loop polls again.
        poll(&mut fds, PollTimeout::ZERO).ok()?;
        fds[0].revents()
    }

    fn fail(&mut self, what: &str, error: Errno) {
        self.connection.problems.push(format!("{what}: {error}"));
        self.close();
    }

    /// Lets go of both sides: the target's writes fail from now on, as they would have without us.
    fn close(&mut self) {
        self.end_keys();
        self.keys = None;
        self.connection.source = None;
        self.connection.sink = None;
        self.filled = 0;
        self.written = 0;
    }

    /// Takes the modes of the pseudo-terminal over to the real one, and its keys back.
    fn follow_modes(&mut self) {
        if let (Some(keys), Some(master)) = (&mut self.keys, &self.connection.source)
            && let Err(error) = keys.follow(master.as_fd())
        {
            let problem = format!("cannot give the target its keys: {error}");
            self.connection.problems.push(problem);
        }
    }

    fn end_keys(&mut self) {
        if let Some(Err(error)) = self.keys.as_mut().map(Keys::end) {
            let problem = format!("cannot put the terminal's modes back: {error}");
            self.connection.problems.push(problem);
        }
    }

    /// The process that copies keys to the target, if there is one now.
    pub(super) fn key_copier(&self) -> Option<i32> {
        self.keys.as_ref().and_then(Keys::copier)
    }

    /// `pid` has ended and was reaped.
    pub(super) fn reaped(&mut self, pid: i32) {
        if let Some(keys) = &mut self.keys {
            keys.reaped(pid);
        }
    }

    /// Takes the real terminal's size over to the pseudo-terminal; whether it had changed.
    pub(super) fn follow_window(&mut self) -> bool {
        let (Some(old), Some(master), Some(sink)) =
            (self.size, &self.connection.source, &self.connection.sink)
        else {
            return false;
        };
        let Ok(new) = window::size(sink.as_fd()) else {
            return false; // Hung up: the next write finds out.
        };
        if (new.ws_row, new.ws_col, new.ws_xpixel, new.ws_ypixel)
            == (old.ws_row, old.ws_col, old.ws_xpixel, old.ws_ypixel)
        {
            return false;
        }
        self.size = Some(new);
        match window::set_size(master.as_fd(), new) {
            Ok(()) => true,
            Err(error) => {
                let problem = format!("cannot resize the terminal of the target's stderr: {error}");
                self.connection.problems.push(problem);
                false
            }
        }
    }

    /// The target has ended: what it wrote is copied, not what others go on writing.
    pub(super) fn target_ended(&mut self, line: &mut dyn FnMut(&[u8])) {
        self.allowance.get_or_insert(LAST_WORDS);
        self.pump(line);
        self.end_keys();
    }

    /// The target has stopped: what it wrote until then is to be seen now.
    pub(super) fn target_stopped(&mut self, line: &mut dyn FnMut(&[u8])) {
        self.allowance = Some(LAST_WORDS);
        self.pump(line);
        self.allowance = None;
        if let Some(keys) = &mut self.keys {
            keys.pause();
        }
    }

    /// The target goes on, perhaps in the foreground.
    pub(super) fn target_continued(&mut self) {
        self.follow_modes();
    }

    /// Whether everything that is to be copied has been.
    pub(super) fn is_done(&self) -> bool {
        !self.pending() && (self.connection.source.is_none() || self.allowance == Some(0))
    }

    /// Reads a followed file, delivers the last line, and leaves a copier behind where a process
    /// still holds the target's stderr.
    pub(super) fn finish(mut self, line: &mut dyn FnMut(&[u8])) -> StderrWatch {
        if let Err(error) = self.read_file(line) {
            self.connection.problems.push(format!(
                "cannot read back the file that stderr went to: {error}"
            ));
        }
        self.lines.finish(line);
        let copier = match (&self.connection.source, &self.connection.sink) {
            (Some(source), Some(sink)) => {
                let plain = match &self.keys {
                    Some(_) => packet::set(source.as_fd(), false),
                    None => Ok(()),
                };
                match plain.and_then(|()| detach::copy_until_end(source.as_fd(), sink.as_fd())) {
                    Ok(pid) => Some(pid),
                    Err(error) => {
                        self.connection.problems.push(format!(
                            "cannot go on copying stderr for the processes left behind: {error}"
                        ));
                        None
                    }
                }
            }
            _ => None,
        };
        StderrWatch {
            kind: self.connection.kind,
            bytes: self.bytes,
            copier,
            problems: self.connection.problems,
        }
    }

    fn read_file(&mut self, line: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let Some((file, begin)) = self.connection.follow.take() else {
            return Ok(());
        };
        // As long as it is now: a process left behind may go on writing.
        let end = file.metadata()?.len();
        if end < begin {
            return Err(io::Error::other("it was truncated during the run"));
        }
        let mut at = begin;
        let mut buffer = vec![0; CHUNK];
        while at < end {
            let most = usize::try_from(end - at).unwrap_or(CHUNK).min(CHUNK);
            match file.read_at(&mut buffer[..most], at) {
                Ok(0) => break,
                Ok(n) => {
                    at += n as u64;
                    self.lines.feed(&buffer[..n], line);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.bytes = at - begin;
        Ok(())
    }

    /// Gives up what is still to be copied: whoever reads our stderr does not, and the end was
    /// asked for.
    pub(super) fn abandon(&mut self) {
        self.close();
    }
}

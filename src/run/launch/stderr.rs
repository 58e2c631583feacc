//! What the target's fd 2 becomes, so that it can be read and is still what the target expects.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::pty::{OpenptyResult, openpty};
use nix::sys::stat::{FileStat, Mode, SFlag, fchmod, fstat};
use nix::sys::termios::{OutputFlags, tcgetattr};
use nix::unistd::{Whence, lseek, ttyname};

use crate::run::sys::{inherited, os, packet, window};

/// How the target's stderr is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StderrKind {
    /// It was a terminal; the target has a pseudo-terminal, which is copied to it.
    Terminal,
    /// It was a terminal that the target has itself, and nothing of it is read: a pseudo-terminal could not
    /// be kept from being opened for keys (see [`connect`]).
    TerminalItself,
    /// It was a pipe or socket; the target has a pipe, which is copied to it.
    Pipe,
    /// It was the same pipe as stdout; the target has one pipe for both, so that the order of its
    /// lines stays. Lines of both are seen.
    PipeWithStdout,
    /// A regular file: the target writes to it itself; what it added is read from the file at the
    /// end, with whatever others wrote there meanwhile.
    File,
    /// A device such as `/dev/null`, passed on: nothing can be read, as whoever chose it knows.
    Device,
    /// Closed when we were started, and closed for the target.
    Closed,
}

/// fd 2 of the target and our side of it.
pub(in crate::run) struct Connection {
    pub kind: StderrKind,
    /// What the target gets as fd 2; ours is inherited where `None`.
    pub target_end: Option<OwnedFd>,
    /// The target gets `target_end` as fd 1 as well.
    pub with_stdout: bool,
    /// What we read and copy on; non-blocking.
    pub source: Option<OwnedFd>,
    /// Where the copy goes: our own stderr.
    pub sink: Option<OwnedFd>,
    /// The real terminal, non-blocking and open for reading: for a target that sets its pseudo-terminal to
    /// single keys. The source is in packet mode then.
    pub keys: Option<OwnedFd>,
    /// A regular file and the offset at which the target begins, in bytes.
    pub follow: Option<(File, u64)>,
    /// What could not be watched, and why.
    pub problems: Vec<String>,
}

/// Decides by what our own fd 2 is, and opens what is needed.
pub(in crate::run) fn connect() -> io::Result<Connection> {
    let stderr = io::stderr();
    let stderr = stderr.as_fd();
    if inherited::was_closed(2) {
        return Ok(passed_on(StderrKind::Closed));
    }
    let stat = match fstat(stderr) {
        Ok(stat) => stat,
        Err(Errno::EBADF) => return Ok(passed_on(StderrKind::Closed)),
        Err(error) => return Err(error.into()),
    };
    match SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT {
        SFlag::S_IFREG => Ok(file(stderr)),
        SFlag::S_IFIFO | SFlag::S_IFSOCK => pipe(stderr, same_as_stdout(&stat)),
        SFlag::S_IFCHR if nix::unistd::isatty(stderr).unwrap_or(false) => terminal(stderr),
        _ => Ok(passed_on(StderrKind::Device)),
    }
}

fn passed_on(kind: StderrKind) -> Connection {
    Connection {
        kind,
        target_end: None,
        with_stdout: false,
        source: None,
        sink: None,
        keys: None,
        follow: None,
        problems: Vec::new(),
    }
}

fn same_as_stdout(stderr: &FileStat) -> bool {
    !inherited::was_closed(1)
        && fstat(io::stdout().as_fd())
            .is_ok_and(|stdout| (stdout.st_dev, stdout.st_ino) == (stderr.st_dev, stderr.st_ino))
}

fn pipe(stderr: BorrowedFd<'_>, with_stdout: bool) -> io::Result<Connection> {
    let (source, target_end) = os::pipe()?;
    set_nonblocking(&source)?;
    Ok(Connection {
        kind: if with_stdout {
            StderrKind::PipeWithStdout
        } else {
            StderrKind::Pipe
        },
        with_stdout,
        source: Some(source),
        target_end: Some(target_end),
        sink: Some(stderr.try_clone_to_owned()?),
        keys: None,
        follow: None,
        problems: Vec::new(),
    })
}

fn terminal(stderr: BorrowedFd<'_>) -> io::Result<Connection> {
    let mut modes = tcgetattr(stderr)?;
    // The real terminal does what its own settings say (NL to CR-NL): doing it twice would show.
    modes.output_flags.remove(OutputFlags::OPOST);
    let size = window::size(stderr)?;
    let OpenptyResult { master, slave } = openpty(&size, &modes)?;
    for end in [&master, &slave] {
        fcntl(end, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    }
    // `less` opens the terminal that ttyname(2) names for its keys (ttyin.c). Recent ones go on to
    // /dev/tty where that cannot be read, which is better than our copy (supervise/keys.rs): ours is made
    // unreadable, while `> /dev/stderr` still works.
    fchmod(&slave, Mode::S_IWUSR)?;
    if opens_for_reading(&slave) {
        return Ok(passed_on(StderrKind::TerminalItself));
    }
    set_nonblocking(&master)?;
    let keys = reopen(stderr, OpenOptions::new().read(true));
    if keys.is_some() {
        os::announce_modes(master.as_fd(), slave.as_fd())?;
        packet::set(master.as_fd(), true)?;
    }
    Ok(Connection {
        kind: StderrKind::Terminal,
        with_stdout: false,
        source: Some(master),
        target_end: Some(slave),
        sink: Some(own_description(stderr)?),
        keys,
        follow: None,
        problems: Vec::new(),
    })
}

/// Whether a program that looks for its keys at the terminal's name gets it: modes do not hold for
/// root (CAP_DAC_OVERRIDE). One without a name, as in a foreign mount namespace, is not found.
fn opens_for_reading(terminal: &OwnedFd) -> bool {
    reopen(terminal.as_fd(), OpenOptions::new().read(true)).is_some()
}

/// A non-blocking description of the terminal, so that a stopped one (Ctrl-S) does not stop our
/// timers. The inherited one is shared with others, who expect it to block.
fn own_description(stderr: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    match reopen(stderr, OpenOptions::new().write(true)) {
        Some(reopened) => Ok(reopened),
        None => stderr.try_clone_to_owned(),
    }
}

/// `None` for a terminal of another user or mount.
fn reopen(terminal: BorrowedFd<'_>, options: &mut OpenOptions) -> Option<OwnedFd> {
    let path = ttyname(terminal).ok()?;
    options
        .custom_flags(libc::O_NOCTTY | libc::O_NONBLOCK)
        .open(path)
        .ok()
        .map(OwnedFd::from)
}

fn file(stderr: BorrowedFd<'_>) -> Connection {
    match follow(stderr) {
        Ok(follow) => Connection {
            follow: Some(follow),
            ..passed_on(StderrKind::File)
        },
        Err(error) => Connection {
            problems: vec![format!(
                "the file that stderr goes to cannot be read: {error}"
            )],
            ..passed_on(StderrKind::File)
        },
    }
}

fn follow(stderr: BorrowedFd<'_>) -> io::Result<(File, u64)> {
    let reader = os::reopen(stderr)?;
    let flags = OFlag::from_bits_truncate(fcntl(stderr, FcntlArg::F_GETFL)?);
    let begin = if flags.contains(OFlag::O_APPEND) {
        reader.metadata()?.len()
    } else {
        u64::try_from(lseek(stderr, 0, Whence::SeekCur)?).map_err(io::Error::other)?
    };
    Ok((reader, begin))
}

fn set_nonblocking(fd: &OwnedFd) -> io::Result<()> {
    let flags = OFlag::from_bits_truncate(fcntl(fd, FcntlArg::F_GETFL)?);
    fcntl(fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("kind", &self.kind)
            .field("source", &self.source.as_ref().map(AsRawFd::as_raw_fd))
            .field("problems", &self.problems)
            .finish_non_exhaustive()
    }
}

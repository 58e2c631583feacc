//! One process, run to its end, to a limit, or to an interrupt. Nothing is waited for by time but the limit.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// How much of its stderr is kept, from the start.
const KEPT: usize = 64 * 1024;

/// How a process ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// By itself.
    ByItself {
        /// Its status.
        status: ExitStatus,
        /// The start of what it wrote to stderr.
        stderr: Vec<u8>,
    },
    /// It was killed at the limit.
    AtTheLimit,
    /// It was killed because we were interrupted.
    Interrupted,
}

/// Runs `command` in a process group of its own, so that Ctrl-C reaches us alone. Its end shows when its stderr is closed: what
/// is run here starts no other process and keeps stderr open.
pub(super) fn run(
    command: &mut Command,
    limit: Duration,
    interrupted: BorrowedFd<'_>,
) -> io::Result<Ended> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()?;
    let mut pipe = child
        .stderr
        .take()
        .ok_or_else(|| io::Error::other("no pipe for stderr"))?;
    let deadline = Instant::now() + limit;
    let mut stderr = Vec::new();
    let why = loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break Ended::AtTheLimit;
        }
        // A millisecond more, so that the last wait does not end just before the deadline.
        let left =
            PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
        let mut fds = [
            PollFd::new(pipe.as_fd(), PollFlags::POLLIN),
            PollFd::new(interrupted, PollFlags::POLLIN),
        ];
        match poll(&mut fds, left) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(end(&mut child, error.into())),
        }
        let [is_written, is_interrupted] =
            fds.map(|fd| fd.revents().is_some_and(|events| !events.is_empty()));
        if is_interrupted {
            break Ended::Interrupted;
        }
        if is_written {
            let mut bytes = [0; 4096];
            match pipe.read(&mut bytes) {
                Ok(0) => {
                    let status = child.wait()?;
                    return Ok(Ended::ByItself { status, stderr });
                }
                Ok(read) => {
                    let room = KEPT - stderr.len();
                    stderr.extend_from_slice(&bytes[..read.min(room)]);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(end(&mut child, error)),
            }
        }
    };
    child.kill()?;
    child.wait()?;
    Ok(why)
}

/// Ends a process that cannot be watched.
fn end(child: &mut std::process::Child, error: io::Error) -> io::Error {
    match child.kill().and_then(|()| child.wait()) {
        Ok(_) => error,
        Err(also) => io::Error::other(format!("{error}; and it cannot be ended: {also}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::unistd::pipe;

    fn sh(script: &str, limit: Duration) -> Ended {
        let (never, _writer) = pipe().expect("a pipe");
        run(
            Command::new("sh").args(["-c", script]),
            limit,
            never.as_fd(),
        )
        .expect("sh runs")
    }

    #[test]
    fn the_status_and_the_start_of_stderr_come_back() {
        let ended = sh(
            "yes words | head -c 200000 >&2; exit 3",
            Duration::from_secs(60),
        );
        let Ended::ByItself { status, stderr } = ended else {
            panic!("{ended:?}")
        };
        assert_eq!(status.code(), Some(3));
        assert_eq!(stderr.len(), KEPT);
        assert!(stderr.starts_with(b"words\n"));
    }

    #[test]
    fn a_limit_and_an_interrupt_end_it() {
        let ended = sh("exec sleep 60", Duration::from_millis(20));
        assert!(matches!(ended, Ended::AtTheLimit), "{ended:?}");
        let (hung_up, writer) = pipe().expect("a pipe");
        drop(writer);
        let mut sleep = Command::new("sleep");
        let ended =
            run(sleep.arg("60"), Duration::from_secs(60), hung_up.as_fd()).expect("it runs");
        assert!(matches!(ended, Ended::Interrupted), "{ended:?}");
    }
}

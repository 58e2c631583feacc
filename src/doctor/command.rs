//! Asking another program, with a limit: one that hangs is ended with everything it started.

use std::fs::File;
use std::io::{self, Read};
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// How long a program has to answer.
pub const LIMIT: Duration = Duration::from_secs(2);

/// How much is kept of what it says, in bytes of each stream, from the start.
const KEPT: usize = 256 * 1024;

/// What became of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The program ended by itself.
    Ended {
        /// Its exit status; `None` where a signal ended it.
        code: Option<i32>,
        /// What it wrote to stdout; what is no text is replaced.
        out: String,
        /// What it wrote to stderr.
        err: String,
    },
    /// It did not end in time, and was killed.
    Late {
        /// The time that it had.
        limit: Duration,
    },
    /// There is no such program.
    Missing,
    /// It could not be started or listened to, for this reason.
    Failed(String),
}

impl Answer {
    /// What it wrote to stdout, where it ended well; else why there is no answer, as the end of a
    /// sentence that began with the program's name.
    pub fn output(&self) -> Result<&str, String> {
        match self {
            Self::Ended {
                code: Some(0), out, ..
            } => Ok(out),
            Self::Ended { code, err, .. } => {
                let ended = code.map_or_else(
                    || "was ended by a signal".to_owned(),
                    |code| format!("exited {code}"),
                );
                let said = err.trim().lines().last().unwrap_or_default();
                Err(if said.is_empty() {
                    ended
                } else {
                    format!("{ended}: {said}")
                })
            }
            Self::Late { limit } => Err(format!(
                "did not answer within {:.0} s",
                limit.as_secs_f64().ceil()
            )),
            Self::Missing => Err("is not there".to_owned()),
            Self::Failed(reason) => Err(format!("could not be asked: {reason}")),
        }
    }
}

/// Runs the program to its end or to the limit, in a process group of its own, with nothing to read.
pub fn ask(command: Command, limit: Duration) -> Answer {
    match converse(command, limit) {
        Ok(answer) => answer,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Answer::Missing,
        Err(error) => Answer::Failed(error.to_string()),
    }
}

/// The program has ended when its stdin, stdout and stderr are all closed: that can be waited for
/// together with the limit on every system, and its id stays its own until it is waited for. Its
/// stdin is a socket, since of a pipe only the reader sees that the other end is gone.
fn converse(mut command: Command, limit: Duration) -> io::Result<Answer> {
    let deadline = Instant::now() + limit;
    let (ours, theirs) = UnixStream::pair()?;
    ours.shutdown(Shutdown::Write)?;
    let mut child = command
        .stdin(OwnedFd::from(theirs))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()?;
    // It holds the other end of stdin.
    drop(command);
    let streams = [
        Some(OwnedFd::from(ours)),
        child.stdout.take().map(OwnedFd::from),
        child.stderr.take().map(OwnedFd::from),
    ];
    let mut streams = streams.map(|fd| Stream {
        open: fd.map(File::from),
        kept: Vec::new(),
    });
    let listened = listen(&mut streams, deadline);
    end(&child);
    match listened {
        Ok(true) => {
            let status = child.wait()?;
            let [_, out, err] =
                streams.map(|stream| String::from_utf8_lossy(&stream.kept).into_owned());
            Ok(Answer::Ended {
                code: status.code(),
                out,
                err,
            })
        }
        Ok(false) => {
            reap(child);
            Ok(Answer::Late { limit })
        }
        Err(error) => {
            reap(child);
            Err(error)
        }
    }
}

/// One of the program's three streams, until it is closed at the other end.
struct Stream {
    open: Option<File>,
    kept: Vec<u8>,
}

/// Whether all streams were closed before the deadline.
fn listen(streams: &mut [Stream; 3], deadline: Instant) -> io::Result<bool> {
    loop {
        let mut open: Vec<&mut Stream> = streams
            .iter_mut()
            .filter(|stream| stream.open.is_some())
            .collect();
        if open.is_empty() {
            return Ok(true);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        let ready: Vec<bool> = {
            let mut fds: Vec<PollFd<'_>> = open
                .iter()
                .filter_map(|stream| stream.open.as_ref())
                .map(|file| PollFd::new(file.as_fd(), PollFlags::POLLIN))
                .collect();
            // A millisecond more, so that the last wait does not end just before the deadline.
            let left =
                PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
            match poll(&mut fds, left) {
                Ok(_) => {}
                Err(Errno::EINTR) => continue,
                Err(error) => return Err(error.into()),
            }
            fds.iter()
                .map(|fd| fd.revents().is_some_and(|events| !events.is_empty()))
                .collect()
        };
        for (stream, ready) in open.iter_mut().zip(ready) {
            if ready {
                stream.read()?;
            }
        }
    }
}

impl Stream {
    fn read(&mut self) -> io::Result<()> {
        let Some(file) = &mut self.open else {
            return Ok(());
        };
        let mut bytes = [0; 16 * 1024];
        match file.read(&mut bytes) {
            Ok(0) => self.open = None,
            Ok(read) => {
                let room = KEPT - self.kept.len();
                self.kept.extend_from_slice(&bytes[..read.min(room)]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Ends whatever of the group still runs. To a program that has ended, this does nothing.
fn end(child: &Child) {
    if let Ok(pid) = i32::try_from(child.id()) {
        // ESRCH and, on macOS, EPERM for a group of zombies: there is nothing left to end.
        let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
    }
}

/// A program that sleeps in the kernel ends later than it is killed, and is not waited for.
fn reap(mut child: Child) {
    let reaper = thread::Builder::new().name("reaper".to_owned());
    // Without the thread, the system reaps it when we end.
    let _ = reaper.spawn(move || child.wait());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, limit: Duration) -> Answer {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        ask(command, limit)
    }

    const LONG: Duration = Duration::from_mins(1);

    #[test]
    fn status_and_both_streams_come_back() {
        let answer = sh("echo out; echo err >&2; exit 3", LONG);
        assert_eq!(
            answer,
            Answer::Ended {
                code: Some(3),
                out: "out\n".to_owned(),
                err: "err\n".to_owned(),
            }
        );
        assert_eq!(answer.output(), Err("exited 3: err".to_owned()));
        assert_eq!(sh("echo well", LONG).output(), Ok("well\n"));
        let signal = sh("kill -TERM $$", LONG);
        assert_eq!(signal.output(), Err("was ended by a signal".to_owned()));
    }

    #[test]
    fn it_reads_the_end_of_its_input_at_once() {
        assert_eq!(sh("cat; echo done", LONG).output(), Ok("done\n"));
    }

    #[test]
    fn a_flood_is_kept_in_part_and_read_to_its_end() {
        let Answer::Ended { code, out, .. } = sh("head -c 5000000 /dev/zero", LONG) else {
            panic!("it ends by itself")
        };
        assert_eq!((code, out.len()), (Some(0), KEPT));
    }

    #[test]
    fn one_that_hangs_is_ended_with_its_children() {
        // The child holds the pipe: the test ends when the pipe does, or never.
        let (mut reader, writer) = io::pipe().expect("a pipe");
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & echo begun; wait"]);
        let inherited = writer.try_clone().expect("a descriptor");
        command.stderr(inherited);
        drop(writer);
        let mut child = command
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("sh starts");
        let mut said = [0; 6];
        child
            .stdout
            .as_mut()
            .expect("piped")
            .read_exact(&mut said)
            .expect("it begins");
        drop(command);
        end(&child);
        child.wait().expect("it ends");
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).expect("all writers are gone");
    }

    #[test]
    fn the_limit_holds_for_one_that_is_silent_and_for_one_that_never_stops() {
        for script in ["exec sleep 600", "exec yes", "sleep 600 &"] {
            let limit = Duration::from_millis(50);
            assert_eq!(sh(script, limit), Answer::Late { limit }, "{script}");
        }
        let late = Answer::Late { limit: LIMIT };
        assert_eq!(late.output(), Err("did not answer within 2 s".to_owned()));
    }

    #[test]
    fn one_that_is_not_there_is_missing() {
        let answer = ask(Command::new("/no/such/program"), LONG);
        assert_eq!(answer, Answer::Missing);
        assert_eq!(answer.output(), Err("is not there".to_owned()));
        let folder = ask(Command::new("/"), LONG);
        assert!(matches!(folder, Answer::Failed(_)), "{folder:?}");
    }
}

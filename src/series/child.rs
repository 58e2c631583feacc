//! One run of a series: `agxrun run` as a process of ours, and the pipe by which its line comes.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{self, Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{Pid, pipe};

use super::clock::Moment;
use super::outputs::Outputs;
use super::{Series, Slot, book};
use crate::history::RunLine;

/// A run that goes on.
#[derive(Debug)]
pub(super) struct Child {
    pub slot: Slot,
    /// When it was started, in the series' time.
    pub at: Duration,
    begun: Moment,
    process: process::Child,
    pipe: File,
    received: Vec<u8>,
}

/// Why a run could not be started.
#[derive(Debug)]
pub(super) enum StartError {
    /// The files for its output.
    Output(io::Error),
    /// Its process.
    Process(io::Error),
}

/// A run that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub slot: Slot,
    pub begun: Moment,
    pub status: ExitStatus,
    /// What it said of itself; an error where it said something else, `None` where it said nothing.
    pub line: Option<serde_json::Result<RunLine>>,
}

impl Child {
    /// Starts the run of `slot`. It has a process group of its own, so that Ctrl-C reaches us alone.
    ///
    /// To be called on the thread that lives as long as the series: Linux tells the run of that thread's end.
    pub(super) fn start(
        agxrun: &Path,
        series: &Series,
        slot: Slot,
        at: Duration,
        wait: Option<[OsString; 2]>,
        outputs: &Outputs,
    ) -> Result<Self, StartError> {
        let (out, err) = outputs.open(slot.number).map_err(StartError::Output)?;
        let (read, write) = line_pipe().map_err(StartError::Process)?;
        let begun = Moment::now();
        let process = Command::new(agxrun)
            .args(arguments(series, slot, wait, &write))
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .process_group(0)
            .spawn()
            .map_err(StartError::Process)?;
        Ok(Self {
            slot,
            at,
            begun,
            process,
            pipe: read.into(),
            received: Vec::new(),
        })
    }

    /// Reads what has come; whether the run has said all it has to say, so that it is to be waited for.
    pub(super) fn read(&mut self) -> io::Result<bool> {
        let mut bytes = [0; 16 * 1024];
        loop {
            match self.pipe.read(&mut bytes) {
                Ok(0) => return Ok(true),
                Ok(read) => {
                    self.received.extend_from_slice(&bytes[..read]);
                    if bytes[..read].contains(&b'\n') {
                        return Ok(true);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits for the process, which ends once it has said its line.
    pub(super) fn end(mut self) -> io::Result<Ended> {
        let status = self.process.wait()?;
        let line = match self.received.split(|&byte| byte == b'\n').next() {
            None | Some([]) => None,
            Some(line) => Some(serde_json::from_slice(line)),
        };
        Ok(Ended {
            slot: self.slot,
            begun: self.begun,
            status,
            line,
        })
    }

    /// Asks the run to end: it passes TERM on to its target.
    pub(super) fn terminate(&self) -> io::Result<()> {
        sent(kill(self.pid(), Signal::SIGTERM))
    }

    /// Asks the run a second time, so that it kills its tree. By another signal than the first, as two of one kind that come before
    /// the run looks are one.
    pub(super) fn hurry(&self) -> io::Result<()> {
        sent(kill(self.pid(), Signal::SIGINT))
    }

    /// Kills the run's own process and what shares its process group. It can say nothing more.
    pub(super) fn kill(&self) -> io::Result<()> {
        sent(killpg(self.pid(), Signal::SIGKILL))
    }

    fn pid(&self) -> Pid {
        // A pid of Unix fits by its type, pid_t, which std keeps as u32.
        Pid::from_raw(self.process.id().cast_signed())
    }
}

impl AsFd for Child {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}

/// A process that has ended meanwhile needs no signal.
fn sent(sent: nix::Result<()>) -> io::Result<()> {
    match sent {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Read end, which does not block, and write end, which the next process inherits. Nothing else is started before the write end
/// is closed.
fn line_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = pipe()?;
    fcntl(&read, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    fcntl(&read, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok((read, write))
}

fn arguments(
    series: &Series,
    slot: Slot,
    wait: Option<[OsString; 2]>,
    line: &OwnedFd,
) -> Vec<OsString> {
    let arm = &series.arms[slot.arm];
    let text = |text: &dyn ToString| OsString::from(text.to_string());
    let mut arguments: Vec<OsString> = vec!["run".into()];
    for (option, value) in [
        ("--line-fd", text(&line.as_raw_fd())),
        ("--end-with", text(&process::id())),
        ("--series", series.id.clone().into()),
        ("--arm", arm.name.clone().into()),
        ("--slot", text(&slot.number)),
    ] {
        arguments.push(option.into());
        arguments.push(value);
    }
    arguments.extend(book::options(series));
    arguments.extend(wait.into_iter().flatten());
    arguments.extend(arm.options.iter().cloned());
    arguments.push("--".into());
    arguments.extend(arm.command.iter().cloned());
    arguments
}

//! Fork and exec, with everything the new process needs set between the two.

use std::ffi::{CStr, CString, c_char};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, RawFd};

use libc::{c_int, pid_t};

use super::os;
use super::signals::{AllBlocked, Found, Signals};

/// What becomes of one standard descriptor in the new process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::run) enum Descriptor {
    /// Ours, shared.
    Inherit,
    /// Closed, as it was for us.
    Close,
    /// A copy of this descriptor.
    CopyOf(RawFd),
}

/// A new process, as the kernel wants it.
pub(in crate::run) struct Image {
    pub program: CString,
    pub argv: Vec<CString>,
    pub envp: Vec<CString>,
    pub cwd: Option<CString>,
    /// Lead a process group of its own.
    pub own_group: bool,
    /// Make that group the foreground one of this terminal.
    pub foreground_of: Option<RawFd>,
    pub standard: [Descriptor; 3],
}

/// The step before the new program that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::run) enum Step {
    Prepare,
    Chdir,
    Exec,
}

/// Why there is no new program.
#[derive(Debug)]
pub(in crate::run) struct Failure {
    pub step: Step,
    pub source: io::Error,
}

impl From<io::Error> for Failure {
    fn from(source: io::Error) -> Self {
        Failure {
            step: Step::Prepare,
            source,
        }
    }
}

/// Starts `image`; returns its pid once the new program is in place. Dispositions and mask in it are
/// those found before `signals` was installed, and SIGPIPE's as at our own start.
pub(in crate::run) fn spawn(image: &Image, signals: &Signals) -> Result<pid_t, Failure> {
    let argv = pointers(&image.argv);
    let script_argv = script_arguments(image, &argv);
    let envp = pointers(&image.envp);
    let (mut report, report_write) = os::pipe().map(|(read, write)| (File::from(read), write))?;
    let pid = {
        // Our handlers must not run in the child: it would write into our pipe.
        let _blocked = AllBlocked::enter()?;
        // SAFETY: the child calls only async-signal-safe functions on memory prepared above.
        match unsafe { libc::fork() } {
            -1 => return Err(io::Error::last_os_error().into()),
            0 => {
                // SAFETY: in the child of fork; the pointer lists end with NULL and outlive it.
                let (step, errno) =
                    unsafe { become_image(image, &argv, &script_argv, &envp, signals.found()) };
                let mut message = [0u8; 5];
                message[0] = step as u8;
                message[1..].copy_from_slice(&errno.to_ne_bytes());
                // SAFETY: the buffer is live; the pipe is empty, so the write is whole. _exit runs
                // no destructor of the parent's.
                unsafe {
                    libc::write(
                        report_write.as_raw_fd(),
                        message.as_ptr().cast(),
                        message.len(),
                    );
                    libc::_exit(127)
                }
            }
            pid => pid,
        }
    };
    drop(report_write);
    // The end of file comes when exec closes the child's copy: by then its group is set too.
    let mut message = Vec::new();
    report.read_to_end(&mut message)?;
    let Ok([step, errno @ ..]) = <[u8; 5]>::try_from(message.as_slice()) else {
        return Ok(pid);
    };
    // SAFETY: waits for our own child, which is about to end; no status wanted.
    while unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) } == -1
        && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
    {}
    Err(Failure {
        step: match step {
            s if s == Step::Exec as u8 => Step::Exec,
            s if s == Step::Chdir as u8 => Step::Chdir,
            _ => Step::Prepare,
        },
        source: io::Error::from_raw_os_error(i32::from_ne_bytes(errno)),
    })
}

/// Becomes the new program; returns only where a step failed.
///
/// # Safety
/// Only in a child of fork that will exec or exit; `argv`, `script_argv` and `envp` end with NULL.
unsafe fn become_image(
    image: &Image,
    argv: &[*const c_char],
    script_argv: &[*const c_char],
    envp: &[*const c_char],
    found: &Found,
) -> (Step, c_int) {
    // SAFETY: plain system calls on numbers and on C strings that `image` owns.
    unsafe {
        if image.own_group && libc::setpgid(0, 0) != 0 {
            return (Step::Prepare, os::errno());
        }
        if let Some(terminal) = image.foreground_of {
            // Best effort: the terminal can hang up at any time, which is no reason not to run.
            // Every signal is blocked here, SIGTTOU too.
            libc::tcsetpgrp(terminal, libc::getpid());
        }
        for (fd, descriptor) in (0..).zip(image.standard) {
            match descriptor {
                Descriptor::Inherit => {}
                Descriptor::Close => {
                    libc::close(fd);
                }
                Descriptor::CopyOf(source) => {
                    if libc::dup2(source, fd) == -1 {
                        return (Step::Prepare, os::errno());
                    }
                }
            }
        }
        if let Some(cwd) = &image.cwd
            && libc::chdir(cwd.as_ptr()) != 0
        {
            return (Step::Chdir, os::errno());
        }
        found.restore();
        libc::signal(
            libc::SIGPIPE,
            if super::inherited::sigpipe_was_ignored() {
                libc::SIG_IGN
            } else {
                libc::SIG_DFL
            },
        );
        libc::execve(image.program.as_ptr(), argv.as_ptr(), envp.as_ptr());
        if os::errno() == libc::ENOEXEC {
            libc::execve(SHELL.as_ptr(), script_argv.as_ptr(), envp.as_ptr());
        }
        (Step::Exec, os::errno())
    }
}

/// What runs a file that the kernel does not know how to run: such a file is a script without a `#!`
/// line to `execvp` (POSIX, exec: "as if the process invoked the sh utility"), and so to
/// `env`, `timeout` and the shells.
const SHELL: &CStr = c"/bin/sh";

/// The shell's arguments for `image` as a script: its file in place of `argv[0]`.
fn script_arguments(image: &Image, argv: &[*const c_char]) -> Vec<*const c_char> {
    [SHELL.as_ptr(), image.program.as_ptr()]
        .into_iter()
        .chain(argv.iter().skip(1).copied())
        .collect()
}

fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings
        .iter()
        .map(|s| CStr::as_ptr(s))
        .chain(std::iter::once(std::ptr::null()))
        .collect()
}

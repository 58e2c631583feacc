//! A terminal with a session on it, as a terminal emulator makes one.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{Winsize, openpty};

use super::{PATIENCE, SUPERVISE, unprivileged, with_default_signals};

/// The prompt of a [`Session::shell`].
const PROMPT: &str = "<ready>";

pub struct Session {
    master: File,
    child: Child,
    seen: String,
}

impl Session {
    /// Starts `command` as leader of a session on a new terminal of 24 by 80.
    pub fn start(mut command: Command) -> Self {
        let size = Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pty = openpty(&size, None).expect("a pseudo-terminal");
        let end = |fd: &OwnedFd| fd.try_clone().expect("a copy of the terminal");
        command
            .stdin(end(&pty.slave))
            .stdout(end(&pty.slave))
            .stderr(end(&pty.slave));
        let master = pty.master.as_raw_fd();
        with_default_signals(&mut command);
        // SAFETY: setsid, ioctl and close are async-signal-safe, and no memory is touched.
        unsafe {
            command.pre_exec(move || {
                libc::close(master);
                // The request has another type on each system.
                #[allow(clippy::cast_lossless)]
                let request = libc::TIOCSCTTY as _;
                if libc::setsid() == -1 || libc::ioctl(0, request, 0) == -1 {
                    return Err(std::io::Error::last_os_error());
                }
                Ok(())
            });
        }
        let child = command.spawn().expect("the session starts");
        Session {
            master: pty.master.into(),
            child,
            seen: String::new(),
        }
    }

    /// An interactive shell with job control; `$S` is the program around the launcher, without root's
    /// special rights, and `$PLAIN` the same as we are.
    pub fn shell() -> Self {
        let mut command = Command::new("bash");
        command
            .args(["--norc", "--noprofile", "--noediting", "-i"])
            .env("S", unprivileged().join(" "))
            .env("PLAIN", SUPERVISE)
            .env("PS1", PROMPT)
            .env("TERM", "dumb")
            .env_remove("PROMPT_COMMAND");
        let mut session = Session::start(command);
        session.expect(PROMPT);
        session
    }

    /// Types a line.
    pub fn type_line(&mut self, line: &str) {
        self.send(format!("{line}\n").as_bytes());
    }

    /// Types a line and returns what came until the next prompt.
    #[track_caller]
    pub fn run(&mut self, line: &str) -> String {
        self.type_line(line);
        self.expect(PROMPT)
    }

    #[track_caller]
    pub fn prompt(&mut self) -> String {
        self.expect(PROMPT)
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.master.write_all(bytes).expect("the terminal takes it");
    }

    pub fn resize(&mut self, rows: u16, columns: u16) {
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        // SAFETY: TIOCSWINSZ reads one winsize.
        let done =
            unsafe { libc::ioctl(self.master.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
        assert_eq!(done, 0, "the terminal can be resized");
    }

    /// Waits until `needle` has been shown; returns what came up to its end, and forgets it.
    #[track_caller]
    pub fn expect(&mut self, needle: &str) -> String {
        let begun = Instant::now();
        loop {
            if let Some(at) = self.seen.find(needle) {
                let rest = self.seen.split_off(at + needle.len());
                return std::mem::replace(&mut self.seen, rest);
            }
            assert!(
                begun.elapsed() < PATIENCE && self.read_some(),
                "no `{needle}` in:\n{}",
                self.seen
            );
        }
    }

    /// Waits until the session leader sleeps: a shell that has started a command then waits for it.
    #[track_caller]
    pub fn leader_sleeps(&self) {
        let stat = format!("/proc/{}/stat", self.child.id());
        super::wait_for("the session leader to sleep", || {
            let stat = std::fs::read_to_string(&stat).expect("it lives");
            let (_, fields) = stat.rsplit_once(')').expect("a stat line");
            fields.trim_start().starts_with('S').then_some(())
        });
    }

    /// Waits for the end of the session leader; returns its exit code and everything shown.
    pub fn end(mut self) -> (Option<i32>, String) {
        while self.read_some() {}
        let status = self.child.wait().expect("the session leader ends");
        (status.code(), std::mem::take(&mut self.seen))
    }

    /// Whether there was something before the patience ended; no when all have closed it.
    fn read_some(&mut self) -> bool {
        let mut fds = [PollFd::new(self.master.as_fd(), PollFlags::POLLIN)];
        let patience = PollTimeout::try_from(PATIENCE).expect("it fits");
        if poll(&mut fds, patience).expect("poll") == 0 {
            return false;
        }
        let mut buffer = [0; 4096];
        match self.master.read(&mut buffer) {
            Ok(n) if n > 0 => {
                self.seen += &String::from_utf8_lossy(&buffer[..n]);
                true
            }
            _ => false,
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It may have ended; the terminal's closing hangs up on the rest.
        if let Ok(None) = self.child.try_wait() {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

//! What the library tells people: a line on stderr at once, written in one piece, and the same line for the system's log
//! when the thread has nothing that others may wait for.
//!
//! A system's log is a service with locks, memory and messages of its own. So nothing is handed to it from where a line is
//! said, which may be inside a lock of this library: [`pass_on`] does that, from places that have none.

mod line;
mod outbox;
mod printable;

use std::fmt;

use crate::lock::Plain;
use crate::os;
use line::Line;
use outbox::Outbox;
pub use printable::{Printable, is_plain};

/// How bad it is, as the system's log sorts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// What is done, for those who asked.
    Notice,
    /// Something is wrong.
    Error,
}

/// Lines for the system's log.
static OUTBOX: Plain<Outbox> = Plain::new(Outbox::new());

/// Tells that something is wrong: `agx_fix[pid]: <what>` on stderr.
pub fn say(what: fmt::Arguments<'_>) {
    tell(Severity::Error, what);
}

/// Tells what is done, if people asked for it (`AGX_FIX_VERBOSE`).
pub fn remark(what: fmt::Arguments<'_>) {
    if crate::is_verbose() {
        tell(Severity::Notice, what);
    }
}

fn tell(severity: Severity, what: fmt::Arguments<'_>) {
    let line = Line::new(os::pid(), what);
    let bytes = line.for_stderr();
    // SAFETY: the buffer is readable for its length. A closed or full stderr has nobody to tell.
    unsafe { libc::write(libc::STDERR_FILENO, bytes.as_ptr().cast(), bytes.len()) };
    OUTBOX.with(|it| it.put(severity, &line));
}

/// Hands what was told to the system's log. Called without any of the library's locks.
pub fn pass_on() {
    while let Some((severity, mut line)) = OUTBOX.with(Outbox::take) {
        os::log(severity, line.for_log());
    }
}

/// In the child of a `fork`: what waits is the parent's to hand on. Async-signal-safe.
pub fn reset_after_fork() {
    OUTBOX.reset_after_fork(Outbox::clear);
}

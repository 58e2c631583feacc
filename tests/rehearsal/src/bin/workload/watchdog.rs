//! Ends a run that hangs, with its own exit code, so that a hang is told apart from a time-out of whoever runs this.

use crate::application::Done;
use crate::arguments::{Arguments, Summary};
use crate::outcome::{self, Outcome};
use std::io::Write as _;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;

/// Dropped when the run has ended.
pub struct Watch {
    _ended: Option<Sender<()>>,
}

/// Starts watching, where the arguments ask for it.
pub fn watch(arguments: &Arguments) -> Result<Watch, String> {
    let Some(patience) = arguments.watchdog else {
        return Ok(Watch { _ended: None });
    };
    let (ended, has_ended) = mpsc::channel();
    let arguments = arguments.clone();
    let watcher = move || {
        if has_ended.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
            hang(&arguments);
        }
    };
    thread::Builder::new()
        .name("watchdog".into())
        .spawn(watcher)
        .map_err(|error| format!("no thread for the watchdog: {error}"))?;
    Ok(Watch {
        _ended: Some(ended),
    })
}

/// Ends the process at once: its threads wait for each other, and so would its exit handlers.
fn hang(arguments: &Arguments) {
    let done = Done::default();
    if arguments.summary == Summary::Json {
        println!("{}", outcome::json(arguments, Outcome::Hang, &done));
    }
    eprintln!("agx-rehearsal-workload: the run did not end in time");
    if std::io::stdout().flush().is_err() {
        // Nobody reads it; the exit code says the same.
    }
    // SAFETY: ends the process without running anything of it.
    unsafe { libc::_exit(i32::from(Outcome::Hang.code())) }
}

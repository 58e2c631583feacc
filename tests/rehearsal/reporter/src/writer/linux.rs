//! One report, in the order it happens: message, capture, release, delay, file.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::capture::Capture;
use crate::message::Message;
use crate::{capture, clock, compose, file, gpu_event, message, tracees};

/// Time from the crash to the report where `AGX_REHEARSAL_REPORT_DELAY_MS` does not say.
const DEFAULT_DELAY: Duration = Duration::from_millis(150);

/// Runs the writer. Everything it could say goes to a log beside the report folder: nobody reads its output.
pub fn main() -> ExitCode {
    let folder = match reports_dir() {
        Ok(folder) => folder,
        Err(error) => {
            eprintln!("agx-rehearsal-reporter: {error:#}");
            return ExitCode::from(2);
        }
    };
    let mut arguments = std::env::args().skip(1);
    let done = match arguments.next().as_deref() {
        Some(gpu_event::OPTION) => gpu_event::run(&folder, arguments, delay().time),
        _ => run(&folder),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            file::log(&folder, &format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn reports_dir() -> Result<PathBuf> {
    let folder = std::env::var_os("AGX_REHEARSAL_REPORTS_DIR")
        .map(PathBuf::from)
        .context(
            "AGX_REHEARSAL_REPORTS_DIR is not set (hint: this program is started by \
         libagx_rehearsal_reporter.so in a process that crashes, not by hand)",
        )?;
    if !folder.is_absolute() {
        bail!(
            "AGX_REHEARSAL_REPORTS_DIR is not an absolute path: {}",
            folder.display()
        );
    }
    Ok(folder)
}

fn run(folder: &std::path::Path) -> Result<()> {
    become_independent()?;
    let message = message::receive().context("reading the crash message on descriptor 0")?;
    let mut delay = delay();
    let capture = {
        let tracees = tracees::Tracees::stop_all(&message);
        let mut capture = capture::take(&message, &tracees);
        delay.note(&mut capture);
        tracees.release();
        capture
    };
    write_report(folder, &message, &capture, delay.time)
}

/// A hidden file at once, the report in it after the delay, its visible name last.
fn write_report(
    folder: &std::path::Path,
    message: &Message,
    capture: &Capture,
    delay: Duration,
) -> Result<()> {
    let crashed = clock::local_time(message.wall_ns);
    let mut hidden = file::Hidden::create(folder, &capture.process.name, &crashed)?;
    let text = compose::report(message, capture)?;
    clock::wait_until(message.boot_ns, delay);
    hidden
        .file
        .write_all(text.as_bytes())
        .with_context(|| hidden.naming("writing"))?;
    hidden.publish()
}

/// The delay that was asked for, and what was wrong with the request.
struct Delay {
    time: Duration,
    refused: Option<String>,
}

impl Delay {
    fn note(&mut self, capture: &mut Capture) {
        capture.notes.extend(self.refused.take());
    }
}

fn delay() -> Delay {
    let Some(value) = std::env::var_os("AGX_REHEARSAL_REPORT_DELAY_MS") else {
        return Delay {
            time: DEFAULT_DELAY,
            refused: None,
        };
    };
    match value.to_str().and_then(|value| value.parse().ok()) {
        Some(milliseconds) => Delay {
            time: Duration::from_millis(milliseconds),
            refused: None,
        },
        None => Delay {
            time: DEFAULT_DELAY,
            refused: Some(format!(
                "AGX_REHEARSAL_REPORT_DELAY_MS is not a number of milliseconds: {}",
                value.display()
            )),
        },
    }
}

/// Lets go of what came along from the target: its blocked signals and its working folder. Its session and its files the
/// library left behind already.
fn become_independent() -> Result<()> {
    nix::sys::signal::SigSet::all()
        .thread_unblock()
        .context("unblocking signals")?;
    std::env::set_current_dir("/").context("leaving the target's working folder")
}

//! Page faults of the GPU: claimed, never measured, to need three or more command buffers in flight.
//!
//! With the fault selected, a command buffer that is committed while [`TOO_MANY`] or more of the process are in flight, itself
//! included, is not executed and ends with an error. It says so on stderr as Metal does, and the first one of a process has a GPU event
//! report written, where the environment names a writer.

use crate::faults;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Command buffers in flight with which the GPU faults.
pub const TOO_MANY: u64 = 3;
/// How long the GPU works on a command buffer while this fault is selected: without work of some length nothing would ever be in
/// flight for long enough to meet another. It is the work's length that is modelled; nothing is waited for.
const BUSY: Duration = Duration::from_millis(2);
/// `MTLCommandBufferErrorPageFault`.
pub const ERROR_CODE: usize = 3;

/// Committed and not yet completed, over all queues.
static IN_FLIGHT: AtomicU64 = AtomicU64::new(0);
static FAULTED: AtomicU64 = AtomicU64::new(0);

/// Notes a commit; how many are in flight now.
pub fn committed() -> u64 {
    IN_FLIGHT.fetch_add(1, Ordering::SeqCst) + 1
}

/// Notes that the GPU is done with a command buffer. Before anybody is told, so that who waits for that may commit the next.
pub fn done() {
    IN_FLIGHT.fetch_sub(1, Ordering::SeqCst);
}

/// Command buffers that faulted so far.
pub fn count() -> u64 {
    FAULTED.load(Ordering::SeqCst)
}

/// Whether a command buffer that was committed as one of `in_flight` faults; the GPU's time for it passes here.
pub fn strikes(in_flight: u64) -> bool {
    if !faults::gpu_faults() {
        return false;
    }
    std::thread::sleep(BUSY);
    if in_flight < TOO_MANY {
        return false;
    }
    FAULTED.fetch_add(1, Ordering::SeqCst);
    tell();
    true
}

fn tell() {
    const LINE: &[u8] =
        b"Execution of the command buffer was aborted due to an error during execution. \
        Caused GPU Address Fault Error (0000000b:kIOGPUCommandBufferCallbackErrorPageFault)\n";
    static REPORTED: Once = Once::new();
    if std::io::stderr().lock().write_all(LINE).is_err() {
        // A closed stderr does not keep the GPU from faulting; the command buffer's error still says it.
    }
    REPORTED.call_once(report);
}

/// Starts the report writer, which takes its folder from the environment, and leaves it to itself.
fn report() {
    let Some(writer) = std::env::var_os("AGX_REHEARSAL_REPORTER").filter(|it| !it.is_empty())
    else {
        return;
    };
    let mut command = Command::new(&writer);
    command
        .args([
            "--gpu-event",
            &std::process::id().to_string(),
            "BIF0 page fault",
        ])
        .env_remove("LD_PRELOAD")
        .env_remove("DYLD_INSERT_LIBRARIES")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let started = command.spawn().and_then(|mut child| {
        std::thread::Builder::new()
            .name("agx-rehearsal report".into())
            .spawn(move || child.wait())
    });
    if let Err(error) = started {
        eprintln!(
            "agx-rehearsal: no GPU event report: cannot start {}: {error}",
            writer.display()
        );
    }
}

//! Whether another thread of this process waits for something: how one thread knows that the other has come to the driver's or the
//! fix's lock, which tell nobody.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;

#[cfg(target_os = "linux")]
pub use linux::{ThreadId, current, is_asleep};
#[cfg(target_os = "macos")]
pub use macos::{ThreadId, current, is_asleep};

use std::sync::mpsc::{Receiver, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

/// Looks at which a thread has to be asleep, one after the other: a thread may sleep for a moment on its way.
const LOOKS: u32 = 3;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(1);
/// How long to look: then the thread is somewhere that this program does not know of, and its turn is over.
const PATIENCE: Duration = Duration::from_secs(2);

/// Waits until `thread` sleeps, or `returned` says that it came back from where it went.
pub fn wait_until_asleep(thread: ThreadId, returned: &Receiver<()>) {
    let start = Instant::now();
    let mut seen = 0;
    while seen < LOOKS && start.elapsed() < PATIENCE {
        if returned.try_recv() != Err(TryRecvError::Empty) {
            return;
        }
        seen = if is_asleep(thread) { seen + 1 } else { 0 };
        thread::sleep(PAUSE);
    }
}

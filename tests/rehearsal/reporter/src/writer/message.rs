//! Receiving the crash message.

use std::io::{self, ErrorKind, Read};
use std::mem::MaybeUninit;

use anyhow::{Context, Result, bail};

use crate::wire::{self, CrashMessage};

/// The crash message and the stack bytes that came with it.
pub struct Message {
    crash: CrashMessage,
    /// The faulting thread's stack from [`CrashMessage::stack_address`] upwards.
    pub stack: Vec<u8>,
}

impl std::ops::Deref for Message {
    type Target = CrashMessage;
    fn deref(&self) -> &CrashMessage {
        &self.crash
    }
}

/// Reads what stood in the pipe before this process was started.
pub fn receive() -> Result<Message> {
    let mut bytes = Vec::new();
    match io::stdin().lock().read_to_end(&mut bytes) {
        Ok(_) => {}
        // The pipe is non-blocking, and stays open as long as the process lives.
        Err(error) if error.kind() == ErrorKind::WouldBlock => {}
        Err(error) => return Err(error).context("the pipe cannot be read"),
    }
    let Some((head, stack)) = bytes.split_at_checked(size_of::<CrashMessage>()) else {
        bail!(
            "{} bytes are no whole message (hint: the library starts this program)",
            bytes.len()
        );
    };
    let mut crash = MaybeUninit::<CrashMessage>::uninit();
    // SAFETY: `head` has the message's exact size, and a message is plain data: any bytes are a valid one.
    let crash = unsafe {
        head.as_ptr()
            .copy_to_nonoverlapping(crash.as_mut_ptr().cast(), head.len());
        crash.assume_init()
    };
    if crash.magic != wire::MAGIC {
        bail!(
            "the message is not of this build's layout (hint: rebuild library and writer together)"
        );
    }
    Ok(Message {
        crash,
        stack: stack.to_vec(),
    })
}

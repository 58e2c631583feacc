//! Lines on stderr, written in one piece, without allocating and without a lock.

use std::fmt::{self, Write as _};

/// One line, cut at its capacity.
struct Line {
    bytes: [u8; 512],
    len: usize,
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = &mut self.bytes[self.len..];
        let take = text.len().min(room.len());
        room[..take].copy_from_slice(&text.as_bytes()[..take]);
        self.len += take;
        Ok(())
    }
}

/// Writes `agx_fix[pid]: <what>` to stderr. Never called with the lock held.
pub fn say(what: fmt::Arguments<'_>) {
    let mut line = Line {
        bytes: [0; 512],
        len: 0,
    };
    // `Line` never fails; what a `Display` inside refuses to print is left out.
    if writeln!(line, "agx_fix[{}]: {what}", crate::os::pid()).is_err()
        || line.len == line.bytes.len()
    {
        line.len = line.len.min(line.bytes.len() - 1);
        line.bytes[line.len] = b'\n';
        line.len += 1;
    }
    // SAFETY: the buffer is readable for `len` bytes. A closed or full stderr has nobody to tell.
    unsafe { libc::write(libc::STDERR_FILENO, line.bytes.as_ptr().cast(), line.len) };
}

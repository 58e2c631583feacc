//! What the process was given at its start and what the Rust runtime has since replaced.
//!
//! Before `main`, the runtime ignores SIGPIPE and opens `/dev/null` on each closed standard
//! descriptor (`library/std/src/sys/pal/unix/mod.rs`: `reset_sigpipe`, `sanitize_standard_fds`).
//! A target must get what *we* were given, so it is recorded earlier, by an initialiser that
//! the loader runs.

use std::sync::atomic::{AtomicU8, Ordering};

use libc::c_int;

const SIGPIPE_IGNORED: u8 = 1 << 3;

/// Bits 0 to 2: that descriptor was closed; bit 3: SIGPIPE was ignored.
static FOUND: AtomicU8 = AtomicU8::new(0);

#[used]
// SAFETY: the section holds pointers to functions without arguments, which the loader calls once.
#[cfg_attr(target_os = "linux", unsafe(link_section = ".init_array"))]
// SAFETY: as above; Mach-O's name for the same section.
#[cfg_attr(
    target_os = "macos",
    unsafe(link_section = "__DATA,__mod_init_func,mod_init_funcs")
)]
static RECORD: extern "C" fn() = record;

extern "C" fn record() {
    let mut found = 0;
    for fd in 0..3 {
        // SAFETY: F_GETFD only asks; a closed descriptor answers EBADF.
        if unsafe { libc::fcntl(fd, libc::F_GETFD) } == -1 {
            found |= 1 << fd;
        }
    }
    if super::signals::is_ignored(libc::SIGPIPE) {
        found |= SIGPIPE_IGNORED;
    }
    FOUND.store(found, Ordering::Relaxed);
}

/// Whether standard descriptor `fd` (0, 1 or 2) was closed when the process started.
pub(in crate::run) fn was_closed(fd: c_int) -> bool {
    (0..3).contains(&fd) && FOUND.load(Ordering::Relaxed) & (1 << fd) != 0
}

/// Whether the process was started with SIGPIPE ignored.
pub(in crate::run) fn sigpipe_was_ignored() -> bool {
    FOUND.load(Ordering::Relaxed) & SIGPIPE_IGNORED != 0
}

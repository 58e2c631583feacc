//! Leaving the terminal and the session.

use std::io;

use super::os;

/// Becomes the leader of a session without a terminal, in the root folder, holding no descriptor but
/// the standard ones. Called first of all: what is open then was inherited.
///
/// # Errors
/// Where the process leads a group already (setsid(2)), or the folder cannot be entered.
pub(in crate::run) fn leave_session() -> io::Result<()> {
    nix::unistd::setsid()?;
    std::env::set_current_dir("/")?;
    os::close_range(3, libc::c_int::MAX);
    Ok(())
}

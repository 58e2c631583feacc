//! What a header line alone says of a report: enough to count, a hundred times cheaper than the
//! whole.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use chrono::{DateTime, FixedOffset};

use crate::reports::ips;
use crate::reports::kind::Kind;

/// Header lines of public reports have 200 to 600 bytes.
const FIRST_LOOK: usize = 2048;

/// The facts of a header line.
#[derive(Debug, Clone, PartialEq)]
pub struct Brief {
    /// What the report is.
    pub kind: Kind,
    /// When it was written, up to half a minute after the crash; to the second.
    pub written: DateTime<FixedOffset>,
    /// The incident id.
    pub incident: String,
    /// The process's name, as the header has it.
    pub process: Option<String>,
}

/// Reads the header line of a file. `None` where the line does not decide it alone (it is damaged,
/// longer, of an unknown kind, or there is none): the file must be read whole, and whatever is
/// wrong with it is told then.
pub fn read_brief(path: &Path, buffer: &mut Vec<u8>) -> Option<Brief> {
    let start = start_of(path, buffer).ok()?;
    let end = start.iter().position(|byte| *byte == b'\n')?;
    // A header alone is a report whose body is missing; that is for the reader to judge.
    if start.get(end + 1..).is_none_or(<[u8]>::is_empty) {
        return None;
    }
    let header = ips::read_header(start.get(..end)?)?;
    let kind = Kind::from_bug_type(header.bug_type.as_deref()?);
    if matches!(kind, Kind::Unknown(_) | Kind::Unstated) {
        return None;
    }
    Some(Brief {
        kind,
        written: header.timestamp?,
        incident: header.incident?,
        process: header.app_name,
    })
}

fn start_of<'a>(path: &Path, buffer: &'a mut Vec<u8>) -> io::Result<&'a [u8]> {
    // A pipe that somebody put there must not block us: reading it at an offset fails.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open(path)?;
    buffer.resize(FIRST_LOOK, 0);
    let length = file.read_at(buffer, 0)?;
    Ok(&buffer[..length])
}

//! The name of a ledger file: `<pid>-<load time>.ledger`.
//!
//! The load time, in nanoseconds since the epoch, is part of it because a program that replaces itself with `exec`
//! keeps its pid and loads the library again: each image has a ledger of its own.

use std::ffi::OsStr;
use std::io::Write as _;

use crate::EXTENSION;

/// Longest name in bytes: two decimal numbers, a dash, a dot and the ending.
pub const MAX_LEN: usize = 10 + 1 + 20 + 1 + EXTENSION.len();

/// The facts in a ledger's file name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LedgerName {
    /// The process.
    pub pid: u32,
    /// When the library was loaded into it, in nanoseconds since the epoch.
    pub load_ns: u64,
}

/// The file name for process `pid` and load time `load_ns`.
pub fn file_name(pid: u32, load_ns: u64) -> String {
    format!("{pid}-{load_ns}.{EXTENSION}")
}

impl LedgerName {
    /// Reads a file name (no folders). `None` for a name that [`file_name`] does not make.
    pub fn parse(name: &OsStr) -> Option<Self> {
        let (pid, load_ns) = name
            .to_str()?
            .strip_suffix(EXTENSION)?
            .strip_suffix('.')?
            .split_once('-')?;
        let parsed = Self {
            pid: pid.parse().ok()?,
            load_ns: load_ns.parse().ok()?,
        };
        (file_name(parsed.pid, parsed.load_ns).as_str() == name).then_some(parsed)
    }

    /// Writes the file name into `buffer` without allocating, as a child of `fork` must. The length is at most
    /// [`MAX_LEN`]; `None` if the buffer is too small.
    pub fn write_to(self, buffer: &mut [u8]) -> Option<usize> {
        let room = buffer.len();
        let mut rest = buffer;
        write!(rest, "{}-{}.{EXTENSION}", self.pid, self.load_ns).ok()?;
        Some(room - rest.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_round_trips() {
        let name = LedgerName {
            pid: 4_194_304,
            load_ns: 1_700_000_000_123_456_789,
        };
        assert_eq!(
            LedgerName::parse(OsStr::new(&file_name(name.pid, name.load_ns))),
            Some(name)
        );
        let mut buffer = [0; MAX_LEN];
        let len = name.write_to(&mut buffer).unwrap();
        assert_eq!(&buffer[..len], file_name(name.pid, name.load_ns).as_bytes());
    }

    #[test]
    fn the_longest_name_fits() {
        let name = LedgerName {
            pid: u32::MAX,
            load_ns: u64::MAX,
        };
        assert_eq!(name.write_to(&mut [0; MAX_LEN]), Some(MAX_LEN));
        assert_eq!(name.write_to(&mut [0; MAX_LEN - 1]), None);
    }

    #[test]
    fn other_names_are_not_ledgers() {
        for other in [
            "",
            ".ledger",
            "1-.ledger",
            "-1.ledger",
            "1-2",
            "1-2.ledger.tmp",
            "01-2.ledger",
            "+1-2.ledger",
        ] {
            assert_eq!(LedgerName::parse(OsStr::new(other)), None, "{other}");
        }
    }
}

//! Why there is no ledger, or only a part of it, and what can be done about that.

use std::ffi::{CStr, c_int};
use std::fmt;

use agx_ledger::LedgerName;

use crate::os;
use crate::say::Printable;

/// What was being done when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The folder's path is too long.
    Name,
    /// Opening the file.
    Open,
    /// Writing to it.
    Write,
    /// Mapping it.
    Map,
}

/// What the system refused.
#[derive(Clone, Copy, Debug)]
pub struct Cause {
    /// What was being done.
    pub stage: Stage,
    /// The system's error number.
    pub errno: c_int,
}

impl Cause {
    /// What the last call of the system on this thread failed with.
    pub fn now(stage: Stage) -> Self {
        let errno = os::errno();
        Self { stage, errno }
    }
}

/// Why there is no file, or no body. Made without allocating, as a child of `fork` must.
#[derive(Clone, Copy, Debug)]
pub struct Failure {
    /// Why.
    pub cause: Cause,
    /// In which folder.
    pub folder: &'static CStr,
    /// For which file.
    pub name: LedgerName,
}

/// Bytes of a path that are told: more would leave no room for the rest of the line.
const PATH_SHOWN: usize = 160;

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cause { stage, errno } = self.cause;
        let doing = match stage {
            Stage::Name => "name",
            Stage::Open => "open",
            Stage::Write => "write",
            Stage::Map => "map",
        };
        let folder = self.folder.to_string_lossy();
        let (text, most) = (folder.as_ref(), PATH_SHOWN);
        write!(f, "cannot {doing} the ledger {}/", Printable { text, most })?;
        let file = agx_ledger::file_name(self.name.pid, self.name.load_ns);
        match KNOWN.iter().find(|it| it.0 == errno) {
            Some((_, name, meaning, advice)) => write!(f, "{file}: {name} ({meaning}); {advice}"),
            None => write!(f, "{file}: error {errno}; check AGX_FIX_LEDGER_DIR"),
        }
    }
}

const FREE: &str = "free space there, or set AGX_FIX_LEDGER_DIR to a folder on another disk";
const PERMIT: &str = "set AGX_FIX_LEDGER_DIR to a folder that this program may write to";
const EXIST: &str = "make the folder, or set AGX_FIX_LEDGER_DIR to one that is there";
const ELSEWHERE: &str = "set AGX_FIX_LEDGER_DIR to a folder of another file system";
const FEWER: &str = "raise the limit of open files (ulimit -n)";

/// What open(2), pwrite(2) and mmap(2) answer: number, name, meaning (errno(3)), and what to do.
const KNOWN: [(c_int, &str, &str, &str); 18] = [
    (libc::ENOSPC, "ENOSPC", "no space left on device", FREE),
    (libc::EDQUOT, "EDQUOT", "disk quota exceeded", FREE),
    (libc::EACCES, "EACCES", "permission denied", PERMIT),
    (libc::EPERM, "EPERM", "operation not permitted", PERMIT),
    (libc::EROFS, "EROFS", "read-only file system", PERMIT),
    (libc::ENOENT, "ENOENT", "no such folder", EXIST),
    (libc::ENOTDIR, "ENOTDIR", "not a folder", EXIST),
    (libc::ELOOP, "ELOOP", "too many symbolic links", EXIST),
    (
        libc::EEXIST,
        "EEXIST",
        "the file exists already",
        "remove it",
    ),
    (
        libc::EFBIG,
        "EFBIG",
        "file too large",
        "raise the limit of file sizes (ulimit -f)",
    ),
    (libc::EMFILE, "EMFILE", "too many open files", FEWER),
    (
        libc::ENFILE,
        "ENFILE",
        "too many open files in the system",
        "close other programs",
    ),
    (
        libc::ENOMEM,
        "ENOMEM",
        "not enough memory",
        "raise the limit of memory (ulimit -v)",
    ),
    (
        libc::EAGAIN,
        "EAGAIN",
        "too much locked memory",
        "raise the limit of locked memory (ulimit -l)",
    ),
    (
        libc::ENAMETOOLONG,
        "ENAMETOOLONG",
        "file name too long",
        "set AGX_FIX_LEDGER_DIR to a shorter path",
    ),
    (libc::EIO, "EIO", "input/output error", ELSEWHERE),
    (
        libc::ENODEV,
        "ENODEV",
        "the file system cannot map files",
        ELSEWHERE,
    ),
    (libc::EINVAL, "EINVAL", "invalid argument", ELSEWHERE),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(errno: c_int, folder: &'static CStr) -> String {
        let name = LedgerName {
            pid: 7,
            load_ns: 11,
        };
        let stage = Stage::Write;
        Failure {
            cause: Cause { stage, errno },
            folder,
            name,
        }
        .to_string()
    }

    #[test]
    fn a_failure_says_what_where_why_and_what_to_do() {
        assert_eq!(
            failed(libc::ENOSPC, c"/tmp/x"),
            "cannot write the ledger /tmp/x/7-11.ledger: ENOSPC (no space left on device); free space there, or set \
             AGX_FIX_LEDGER_DIR to a folder on another disk"
        );
        assert_eq!(
            failed(9999, c"/tmp/x"),
            "cannot write the ledger /tmp/x/7-11.ledger: error 9999; check AGX_FIX_LEDGER_DIR"
        );
    }

    #[test]
    fn no_number_is_named_twice_and_all_that_is_told_fits_a_line() {
        let folder: &'static CStr = Box::leak(
            std::ffi::CString::new(format!("/{}\u{1b}", "x".repeat(4_000)))
                .expect("no NUL")
                .into_boxed_c_str(),
        );
        for (at, known) in KNOWN.iter().enumerate() {
            assert!(KNOWN[..at].iter().all(|it| it.0 != known.0), "{}", known.1);
            let told = failed(known.0, folder);
            assert!(told.len() < 400 && told.ends_with(known.3), "{told}");
        }
    }
}

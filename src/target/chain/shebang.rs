//! The first line of a script: which interpreter the kernel executes in its place.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::target::rules::System;

/// As much of a script's beginning as any kernel looks at.
pub const LOOKED_AT: u64 = 512;

/// An interpreter and the arguments that stand behind it on the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    /// Its path, as it stands there: relative ones are relative to the working directory.
    pub path: OsString,
    /// Its arguments: at most one on Linux.
    pub arguments: Vec<OsString>,
}

/// Reads the line at the beginning of `head`, which starts with `#!`. `None` where the kernel does
/// not take the file for a script (`ENOEXEC`).
pub fn parse(head: &[u8], system: System) -> Option<Interpreter> {
    let line = head.strip_prefix(b"#!")?;
    match system {
        System::Linux => linux(line),
        System::MacOs => macos(line),
    }
}

/// Everything behind the interpreter is one argument; of a longer line than 255 bytes the rest is
/// cut off, unless that cuts the interpreter's name (Linux 5.1, `fs/binfmt_script.c`).
fn linux(line: &[u8]) -> Option<Interpreter> {
    const BUFFER: usize = 255 - 2;
    let seen = &line[..line.len().min(BUFFER)];
    let end = seen.iter().position(|byte| *byte == b'\n' || *byte == 0);
    let whole = match end {
        Some(end) => &seen[..end],
        // The file ends there; its buffer is filled with NUL bytes.
        None if line.len() < BUFFER => seen,
        None => {
            let name = trim_start(seen);
            name.iter().position(|byte| is_blank(*byte))?;
            seen
        }
    };
    let whole = trim(whole);
    let (path, rest) = match whole.iter().position(|byte| is_blank(*byte)) {
        Some(end) => whole.split_at(end),
        None => (whole, &[][..]),
    };
    let argument = trim_start(rest);
    (!path.is_empty()).then(|| Interpreter {
        path: owned(path),
        arguments: (!argument.is_empty())
            .then(|| owned(argument))
            .into_iter()
            .collect(),
    })
}

/// Arguments are split at blanks; the line ends at a `#` as well, and must end within 512 bytes (xnu,
/// `bsd/kern/kern_exec.c`, `exec_shell_imgact`, `IS_EOL`).
fn macos(line: &[u8]) -> Option<Interpreter> {
    const BUFFER: usize = 512 - 2;
    let seen = &line[..line.len().min(BUFFER)];
    let end = seen.iter().position(|byte| matches!(*byte, b'\n' | b'#'))?;
    let mut words = seen[..end]
        .split(|byte| is_blank(*byte))
        .filter(|word| !word.is_empty())
        .map(owned);
    Some(Interpreter {
        path: words.next()?,
        arguments: words.collect(),
    })
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn trim_start(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !is_blank(*byte));
    &bytes[start.unwrap_or(bytes.len())..]
}

fn trim(bytes: &[u8]) -> &[u8] {
    let bytes = trim_start(bytes);
    let end = bytes.iter().rposition(|byte| !is_blank(*byte));
    &bytes[..end.map_or(0, |last| last + 1)]
}

fn owned(bytes: &[u8]) -> OsString {
    OsStr::from_bytes(bytes).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(line: &str, system: System) -> Option<Vec<String>> {
        let found = parse(line.as_bytes(), system)?;
        let all = std::iter::once(found.path).chain(found.arguments);
        Some(all.map(|word| word.into_string().expect("text")).collect())
    }

    #[test]
    fn the_two_kernels_split_arguments_differently() {
        let line = "#! /usr/bin/env  -S python3 -u \t\nprint(1)\n";
        assert_eq!(
            words(line, System::Linux).expect("a script"),
            ["/usr/bin/env", "-S python3 -u"]
        );
        assert_eq!(
            words(line, System::MacOs).expect("a script"),
            ["/usr/bin/env", "-S", "python3", "-u"]
        );
        let line = "#!/bin/sh -e # strict\n";
        assert_eq!(
            words(line, System::Linux).expect("a script"),
            ["/bin/sh", "-e # strict"]
        );
        assert_eq!(
            words(line, System::MacOs).expect("a script"),
            ["/bin/sh", "-e"]
        );
    }

    #[test]
    fn lines_that_name_nothing_are_no_scripts() {
        for line in ["#!\n", "#! \t \n", "#!"] {
            for system in [System::Linux, System::MacOs] {
                assert_eq!(words(line, system), None, "{line:?}");
            }
        }
        // macOS wants the line's end, Linux takes the file's.
        assert_eq!(words("#!/bin/sh", System::MacOs), None);
        assert_eq!(
            words("#!/bin/sh", System::Linux).expect("a script"),
            ["/bin/sh"]
        );
    }

    #[test]
    fn long_lines_are_cut_or_refused() {
        let name = format!("#!/{}\n", "a".repeat(300));
        assert_eq!(words(&name, System::Linux), None);
        assert!(words(&name, System::MacOs).is_some());
        let argument = format!("#!/bin/sh {}\n", "a".repeat(300));
        assert_eq!(
            words(&argument, System::Linux).expect("a script")[1].len(),
            255 - "#!/bin/sh ".len()
        );
        let longest = format!("#!/bin/sh {}\n", "a".repeat(600));
        assert_eq!(words(&longest, System::MacOs), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(rest in proptest::collection::vec(any::<u8>(), 0..600)) {
            let head = [b"#!", rest.as_slice()].concat();
            for system in [System::Linux, System::MacOs] {
                if let Some(found) = parse(&head, system) {
                    prop_assert!(!found.path.is_empty());
                    prop_assert!(!found.path.as_bytes().contains(&b'\n'));
                }
            }
        }
    }
}

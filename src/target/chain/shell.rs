//! Shells: what they were told to run cannot be seen from outside.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// What a shell is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// A command in an argument (`-c`).
    Command,
    /// The script at this place of its arguments.
    Script(usize),
    /// What comes on its standard input.
    Input,
}

/// Whether a program of this name is a shell.
pub fn is_shell(name: &str) -> bool {
    matches!(
        name,
        "sh" | "bash"
            | "zsh"
            | "dash"
            | "ash"
            | "ksh"
            | "mksh"
            | "fish"
            | "csh"
            | "tcsh"
            | "busybox"
    )
}

/// Reads a shell's arguments; the first element is the shell.
pub fn task(argv: &[OsString]) -> Task {
    let mut at = 1;
    while let Some(argument) = argv.get(at) {
        let bytes = argument.as_bytes();
        match bytes {
            b"--" | b"-" => {
                return if at + 1 < argv.len() {
                    Task::Script(at + 1)
                } else {
                    Task::Input
                };
            }
            b"--rcfile" | b"--init-file" => at += 1,
            b"--command" => return Task::Command,
            [b'-', b'-', ..] => {}
            [b'-' | b'+', letters @ ..] if !letters.is_empty() => {
                if bytes[0] == b'-' && letters.contains(&b'c') {
                    return Task::Command;
                }
                if bytes[0] == b'-' && letters.contains(&b's') {
                    return Task::Input;
                }
                // `-o pipefail`, `-O extglob`, also at the end of a cluster (`-eo pipefail`).
                at += usize::from(matches!(letters.last(), Some(b'o' | b'O')));
            }
            _ => return Task::Script(at),
        }
        at += 1;
    }
    Task::Input
}

/// The interpreter of a script that a shell only executes, with the script as its argument: pip and uv
/// write such a head where an interpreter's path is too long for a first line, or has a blank in it
/// (pip's distlib, `scripts.py`, `_build_shebang`). To Python the lines are a string.
pub fn executed_by_head(head: &[u8]) -> Option<PathBuf> {
    let mut lines = head.split(|byte| *byte == b'\n').skip(1);
    let rest = lines.next()?.strip_prefix(b"'''exec' ")?;
    let path = rest.strip_suffix(b" \"$0\" \"$@\"")?;
    let path = match path {
        [b'"', quoted @ .., b'"'] => quoted,
        plain => plain,
    };
    // uv finds the interpreter of a folder that can be moved by a command.
    let is_plain = path.starts_with(b"/") && !path.iter().any(|byte| b"$`\"\\".contains(byte));
    is_plain.then(|| PathBuf::from(OsStr::from_bytes(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_that_only_execute_an_interpreter() {
        let head = |path: &str| format!("#!/bin/sh\n'''exec' {path} \"$0\" \"$@\"\n' '''\n");
        for (path, expected) in [
            (
                "\"/Users/me/my venv/bin/python\"",
                Some("/Users/me/my venv/bin/python"),
            ),
            ("/opt/long/bin/python", Some("/opt/long/bin/python")),
            ("\"$(dirname -- \"$0\")\"/python", None),
        ] {
            let found = executed_by_head(head(path).as_bytes());
            assert_eq!(found, expected.map(PathBuf::from), "{path}");
        }
        assert_eq!(executed_by_head(b"#!/bin/sh\nexec python\n"), None);
    }

    #[test]
    fn commands_scripts_and_input() {
        for (words, expected) in [
            ("sh -c true", Task::Command),
            ("bash -lc true", Task::Command),
            ("bash --norc -euo pipefail -c true", Task::Command),
            ("bash script -c", Task::Script(1)),
            ("bash -eo pipefail script", Task::Script(3)),
            ("bash --rcfile file script", Task::Script(3)),
            ("sh -- script", Task::Script(2)),
            ("sh -s a", Task::Input),
            ("zsh", Task::Input),
        ] {
            let argv: Vec<OsString> = words.split(' ').map(OsString::from).collect();
            assert_eq!(task(&argv), expected, "{words}");
        }
    }
}

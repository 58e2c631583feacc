//! `env`: what it changes, and the command that it becomes.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::split::split;
use crate::target::surroundings::Variables;

/// What `env` does to the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// It starts with an empty one.
    pub clear: bool,
    /// It takes these away.
    pub unset: Vec<OsString>,
    /// It sets these, in order.
    pub set: Vec<(OsString, OsString)>,
}

impl Changes {
    /// Applies them.
    pub fn apply(&self, variables: &mut Variables) {
        if self.clear {
            variables.clear();
        }
        for name in &self.unset {
            variables.remove(name);
        }
        variables.extend(self.set.iter().cloned());
    }

    /// Whether what `name` held before is gone afterwards.
    pub fn removes(&self, name: &str) -> bool {
        self.clear
            || self.unset.iter().any(|unset| unset == name)
            || self.set.iter().any(|(set, _)| set == name)
    }
}

/// A call of `env`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Env {
    /// What becomes of the environment.
    pub changes: Changes,
    /// Where it goes first (`-C`).
    pub folder: Option<OsString>,
    /// Where it looks for the command instead of in `PATH` (`-P`).
    pub search: Option<OsString>,
    /// The command's `argv[0]` (`-a`).
    pub arg0: Option<OsString>,
    /// An option that does more than to change the environment.
    pub does_more: bool,
    /// The command and its arguments; none where `env` only prints.
    pub command: Vec<OsString>,
}

/// Reads the arguments behind `env` itself; `variables` are those that it finds.
///
/// Options are GNU's and those of macOS together; no letter means different things to them.
/// `Err` says what cannot be understood.
pub fn parse(arguments: &[OsString], variables: &Variables) -> Result<Env, String> {
    let mut env = Env::default();
    let mut rest: VecDeque<OsString> = arguments.iter().cloned().collect();
    let mut splits = 0;
    while let Some(argument) = rest.pop_front() {
        let bytes = argument.as_bytes();
        if bytes == b"--" {
            break;
        }
        if bytes == b"-" {
            env.changes.clear = true;
        } else if let Some(long) = bytes.strip_prefix(b"--") {
            long_option(&mut env, long, &mut rest, variables)?;
        } else if bytes.len() > 1 && bytes[0] == b'-' {
            cluster(&mut env, &bytes[1..], &mut rest, variables)?;
        } else {
            rest.push_front(argument);
            break;
        }
        // Each string may hold another `-S`; text only shrinks, so this is never reached in earnest.
        splits += 1;
        if splits > MOST_OPTIONS {
            return Err("more options than are read".to_owned());
        }
    }
    while let Some(argument) = rest.front() {
        let bytes = argument.as_bytes();
        let Some(at) = bytes.iter().position(|byte| *byte == b'=') else {
            break;
        };
        let (name, value) = (&bytes[..at], &bytes[at + 1..]);
        env.changes.set.push((owned(name), owned(value)));
        rest.pop_front();
    }
    env.command = rest.into();
    Ok(env)
}

const MOST_OPTIONS: usize = 10_000;

fn cluster(
    env: &mut Env,
    letters: &[u8],
    rest: &mut VecDeque<OsString>,
    variables: &Variables,
) -> Result<(), String> {
    for (at, letter) in letters.iter().enumerate() {
        match letter {
            b'i' => env.changes.clear = true,
            b'0' | b'v' => {}
            b'u' | b'C' | b'P' | b'S' | b'a' | b'L' | b'U' => {
                let attached = &letters[at + 1..];
                let value = if attached.is_empty() {
                    rest.pop_front()
                        .ok_or_else(|| format!("`-{}` lacks its value", char::from(*letter)))?
                } else {
                    owned(attached)
                };
                return with_value(env, *letter, value, rest, variables);
            }
            other => return Err(format!("`-{}` is no option of it", char::from(*other))),
        }
    }
    Ok(())
}

fn long_option(
    env: &mut Env,
    option: &[u8],
    rest: &mut VecDeque<OsString>,
    variables: &Variables,
) -> Result<(), String> {
    let (name, value) = match option.iter().position(|byte| *byte == b'=') {
        Some(at) => (&option[..at], Some(owned(&option[at + 1..]))),
        None => (option, None),
    };
    let letter = match name {
        b"ignore-environment" => {
            env.changes.clear = true;
            return Ok(());
        }
        b"null" | b"debug" => return Ok(()),
        b"block-signal" | b"default-signal" | b"ignore-signal" | b"list-signal-handling" => {
            env.does_more = true;
            return Ok(());
        }
        b"unset" => b'u',
        b"chdir" => b'C',
        b"split-string" => b'S',
        b"argv0" => b'a',
        other => {
            let other = String::from_utf8_lossy(other);
            return Err(format!("`--{other}` is no option of it"));
        }
    };
    let value = match value {
        Some(value) => value,
        None => rest
            .pop_front()
            .ok_or_else(|| format!("`--{}` lacks its value", String::from_utf8_lossy(name)))?,
    };
    with_value(env, letter, value, rest, variables)
}

fn with_value(
    env: &mut Env,
    letter: u8,
    value: OsString,
    rest: &mut VecDeque<OsString>,
    variables: &Variables,
) -> Result<(), String> {
    match letter {
        b'u' => env.changes.unset.push(value),
        b'C' => env.folder = Some(value),
        b'P' => env.search = Some(value),
        b'a' => env.arg0 = Some(value),
        b'S' => {
            let words = split(&value, variables).map_err(|why| format!("`-S`: {why}"))?;
            for word in words.into_iter().rev() {
                rest.push_front(word);
            }
        }
        // Another user's login class and environment (env(1) of FreeBSD).
        _ => env.does_more = true,
    }
    Ok(())
}

fn owned(bytes: &[u8]) -> OsString {
    OsStr::from_bytes(bytes).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Env, String> {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        parse(&arguments, &Variables::new())
    }

    fn command(arguments: &[&str]) -> Vec<OsString> {
        read(arguments).expect("understood").command
    }

    #[test]
    fn the_command_stands_behind_options_and_assignments() {
        assert_eq!(command(&["python3", "-u", "A=1"]), ["python3", "-u", "A=1"]);
        assert_eq!(command(&["A=1", "B=", "python3"]), ["python3"]);
        assert_eq!(command(&["-i", "-u", "X", "--", "python3"]), ["python3"]);
        assert_eq!(command(&["-uX", "-iv", "python3"]), ["python3"]);
        assert_eq!(command(&["--unset", "X", "--chdir=/", "ls"]), ["ls"]);
        assert_eq!(command(&["A=1"]), Vec::<OsString>::new());
        let env = read(&["-i", "A=1", "-", "x"]).expect("understood");
        assert!(env.changes.clear);
        assert_eq!(env.command, ["-", "x"]);
    }

    #[test]
    fn a_string_is_split_on_either_kernel() {
        // Linux hands a shebang's line over in one piece, macOS in several.
        for arguments in [
            &["-S python3 -u", "script"][..],
            &["-S", "python3", "-u", "script"],
            &["-vSpython3 -u", "script"],
            &["--split-string=python3 -u", "script"],
            &["-S-i A=1 python3 -u", "script"],
        ] {
            assert_eq!(command(arguments), ["python3", "-u", "script"]);
        }
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for arguments in [&["-x", "ls"][..], &["--what", "ls"], &["-u"], &["-S", "'"]] {
            read(arguments).expect_err("not understood");
        }
        let env = read(&["--ignore-signal=INT", "ls"]).expect("understood");
        assert!(env.does_more);
    }

    #[test]
    fn changes_are_applied_in_envs_order() {
        let changes = read(&["-u", "A", "A=2", "B=3", "ls"])
            .expect("understood")
            .changes;
        let mut variables = Variables::from([("A".into(), "1".into()), ("C".into(), "4".into())]);
        changes.apply(&mut variables);
        let expected = [("A", "2"), ("B", "3"), ("C", "4")];
        assert_eq!(
            variables,
            expected
                .map(|(name, value)| (name.into(), value.into()))
                .into()
        );
        assert!(changes.removes("A") && !changes.removes("C"));
    }
}

//! Why a target could not be started.

use std::io;
use std::path::{Path, PathBuf};

use super::Launch;
use crate::run::sys::exec::{Failure, Step};

/// Why a target could not be started, or not be supervised.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// There is no such file: exit code 127.
    #[error("`{}` not found (hint: check the spelling, or give the path)", program.display())]
    NotFound {
        /// The program as it was given.
        program: PathBuf,
    },
    /// The file is there and cannot be executed: exit code 126.
    #[error("cannot execute `{}`: {why}", program.display())]
    NotExecutable {
        /// The program as it was given.
        program: PathBuf,
        /// What stands in the way and what to do.
        why: String,
        /// What the system said.
        source: io::Error,
    },
    /// Anything else, such as arguments that are too long, or no more processes: exit code 125.
    #[error("{what}: {source}")]
    Failed {
        /// What was being done.
        what: String,
        /// What the system said.
        source: io::Error,
    },
}

impl LaunchError {
    /// The exit code that `env`, `timeout` and shells use for this: 127, 126 or 125.
    pub fn exit_code(&self) -> u8 {
        match self {
            LaunchError::NotFound { .. } => 127,
            LaunchError::NotExecutable { .. } => 126,
            LaunchError::Failed { .. } => 125,
        }
    }

    pub(crate) fn failed(what: &str) -> impl FnOnce(io::Error) -> Self {
        move |source| LaunchError::Failed {
            what: what.to_owned(),
            source,
        }
    }

    pub(super) fn from_exec(launch: &Launch, failure: Failure) -> Self {
        let program = launch.program.clone();
        let source = failure.source;
        match failure.step {
            Step::Prepare => LaunchError::Failed {
                what: format!("cannot start `{}`", program.display()),
                source,
            },
            Step::Chdir => LaunchError::Failed {
                what: format!(
                    "cannot start `{}` in `{}`",
                    program.display(),
                    launch.cwd.as_deref().unwrap_or(Path::new(".")).display()
                ),
                source,
            },
            Step::Exec => {
                let there = launch
                    .cwd
                    .as_ref()
                    .map_or_else(|| program.exists(), |cwd| cwd.join(&program).exists());
                match classify(source.raw_os_error().unwrap_or(0), there) {
                    Class::NotFound => LaunchError::NotFound { program },
                    Class::NotExecutable(why) => LaunchError::NotExecutable {
                        program,
                        why: why.to_owned(),
                        source,
                    },
                    Class::TooLong => LaunchError::Failed {
                        what: format!(
                            "cannot start `{}`: arguments and environment are too long together \
                             (hint: pass them in a file)",
                            program.display()
                        ),
                        source,
                    },
                    Class::Other => LaunchError::Failed {
                        what: format!("cannot start `{}`", program.display()),
                        source,
                    },
                }
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Class {
    NotFound,
    NotExecutable(&'static str),
    TooLong,
    Other,
}

/// The meaning of an errno of `execve(2)`. `there`: the program's file exists, so that a missing
/// file is another one.
fn classify(errno: i32, there: bool) -> Class {
    match errno {
        libc::ENOENT if there => Class::NotExecutable(
            "the interpreter or loader that it names does not exist (hint: look at its `#!` line)",
        ),
        libc::ENOENT | libc::ENOTDIR | libc::ENAMETOOLONG => Class::NotFound,
        libc::EACCES | libc::EPERM | libc::EISDIR => Class::NotExecutable(
            "permission denied (hint: `chmod +x` it, or name its interpreter; directories and \
             files on a noexec mount cannot be run)",
        ),
        libc::ENOEXEC => Class::NotExecutable(
            "neither it nor `/bin/sh`, which would run it as a script, is a program for this machine",
        ),
        libc::ETXTBSY => Class::NotExecutable("it is open for writing (hint: close it first)"),
        libc::ELOOP => Class::NotExecutable("too many symbolic links lead to it"),
        libc::E2BIG => Class::TooLong,
        _ => Class::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_file_and_missing_interpreter_differ() {
        assert_eq!(classify(libc::ENOENT, false), Class::NotFound);
        assert!(matches!(
            classify(libc::ENOENT, true),
            Class::NotExecutable(_)
        ));
    }

    #[test]
    fn resources_are_our_failure() {
        assert_eq!(classify(libc::E2BIG, true), Class::TooLong);
        assert_eq!(classify(libc::EAGAIN, true), Class::Other);
    }
}

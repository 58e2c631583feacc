//! From a command to the files that the kernel executes for it, in their order, by reading files
//! only.
//!
//! - [`path`] finds a command, [`Files`] follows links;
//! - [`shebang`] reads a script's first line, [`mod@env`] (with [`split`]) what `env` makes of its arguments;
//! - [`wrappers`] know what `nice` and the like execute, [`shell`] that a shell cannot be seen into;
//! - [`developer`], [`versions`] and [`python`] know programs that choose another in their own place.
//!
//! The walk ends where a program keeps its place, where nobody can see further, or where the
//! kernel would give up.

pub mod developer;
pub mod env;
mod files;
pub mod path;
pub mod python;
pub mod shebang;
pub mod shell;
pub mod split;
pub mod versions;
mod walk;
pub mod wrappers;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::image::{Image, Processor, Unreadable};
use super::surroundings::Variables;

pub use files::{Files, Lost, Resolved};
pub use walk::walk;

/// An `execve` that is about to happen.
#[derive(Debug, Clone)]
pub struct Call {
    /// The file, as it is named to the kernel.
    pub program: PathBuf,
    /// Its arguments, `argv[0]` first.
    pub argv: Vec<OsString>,
    /// Its environment.
    pub variables: Variables,
    /// Its working directory, absolute.
    pub folder: PathBuf,
    /// The slice that was asked for.
    pub preference: Option<Processor>,
    /// Why this file: a phrase.
    pub because: String,
}

/// One file of the chain.
#[derive(Debug)]
pub struct Step {
    /// The call that led to it.
    pub call: Call,
    /// The file itself: absolute, without links.
    pub file: PathBuf,
    /// The links that led to it, in order.
    pub links: Vec<PathBuf>,
    /// What it does.
    pub part: Part,
    /// What else is known about it, as a phrase.
    pub note: Option<String>,
    /// What was read from it.
    pub image: Result<Image, Unreadable>,
}

/// What a file does in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A script: the kernel executes the next file in its place.
    Script,
    /// `env`: it changes the environment and becomes the next file.
    Env {
        /// What it changes.
        changes: env::Changes,
        /// Whether it does nothing else, so that somebody else can do it in its place.
        only_that: bool,
    },
    /// It does something of its own besides, such as `nice`, and executes the next file.
    Wrapper(&'static str),
    /// It chooses the next file and becomes it.
    Chooser,
    /// It runs others, which cannot be seen.
    Starter,
    /// The program that the command is about.
    Program,
}

/// How a walk ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The last step is the program.
    Program,
    /// What the last step runs cannot be seen from outside; a sentence without an end.
    Unseen(String),
    /// There is no next file, or the kernel would not execute it.
    Broken {
        /// A stable id.
        rule: &'static str,
        /// Why, as a sentence without an end.
        because: String,
        /// The file that was not reached, or that cannot be executed.
        file: PathBuf,
    },
}

/// The files of a command.
#[derive(Debug)]
pub struct Chain {
    /// In the order in which they are executed; empty where the command itself leads nowhere.
    pub steps: Vec<Step>,
    /// How the walk ended.
    pub end: End,
}

impl Call {
    /// The same process with another file and other arguments.
    fn onward(&self, program: impl Into<PathBuf>, argv: Vec<OsString>, because: String) -> Self {
        Call {
            program: program.into(),
            argv,
            because,
            ..self.clone()
        }
    }
}

/// The last part of a path, as text; empty where it is none.
fn name(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
}

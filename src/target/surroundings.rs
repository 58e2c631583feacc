//! Where a command would run: the host, its files, and what the environment says.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::chain::Files;
use super::image::Processor;
use super::platform;
use super::rules::{Host, System};

/// The variables of a process, by name.
pub type Variables = BTreeMap<OsString, OsString>;

/// What decides about a command besides its own files.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// System, processor and user.
    pub host: Host,
    /// The host's files.
    pub files: Files,
    /// The folder that the command is started in.
    pub folder: PathBuf,
    /// The environment that it is started with, without what a run adds.
    pub variables: Variables,
    /// The variable that carries the library.
    pub insert_variable: &'static str,
}

impl Surroundings {
    /// This machine, this user, this folder, and `variables`.
    ///
    /// System Integrity Protection is taken to be on: it is, but where somebody turned it off from
    /// the recovery system.
    pub fn current(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let host = Host {
            system: platform::SYSTEM,
            processor: platform::PROCESSOR,
            sip: platform::SYSTEM == System::MacOs,
            user: nix::unistd::getuid().as_raw(),
            group: nix::unistd::getgid().as_raw(),
        };
        // A working directory that was removed has no name; what is relative to it is then not found.
        let folder = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        Self::of(host, PathBuf::from("/"), folder, variables)
    }

    /// Another machine, whose files lie under `root`. Paths are as that machine knows them.
    pub fn of(
        host: Host,
        root: PathBuf,
        folder: PathBuf,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Self {
        Self {
            host,
            files: Files::under(root, host.system),
            folder,
            variables: variables.into_iter().collect(),
            insert_variable: insert_variable(host.system),
        }
    }

    /// A Mac with Apple silicon, as it is sold: what `--file` judges a Mach-O file by elsewhere.
    pub fn mac() -> Host {
        Host {
            system: System::MacOs,
            processor: Processor::Arm64,
            sip: true,
            // The first account's.
            user: 501,
            group: 20,
        }
    }
}

/// The variable that the system's loader reads.
pub fn insert_variable(system: System) -> &'static str {
    match system {
        System::MacOs => "DYLD_INSERT_LIBRARIES",
        System::Linux => "LD_PRELOAD",
    }
}

//! What is examined besides the machine: the library, folders and archive that a run would use.

use std::path::{Path, PathBuf};

use crate::inject::locate::{Located, Surroundings};
use crate::inject::{Artifact, check};
use crate::reports::ReportFolder;
use crate::target::image::{Contents, Image};
use crate::target::rules::System;

/// What a run would use.
#[derive(Debug)]
pub struct Subject {
    /// Whose checks are made.
    pub system: System,
    /// The processor that agxrun is built for, as Rust names it.
    pub processor: &'static str,
    /// The fix library.
    pub library: Library,
    /// Linux: which pieces of the rehearsal stand beside agxrun.
    pub rehearsal: Vec<(Artifact, bool)>,
    /// Report folders, the one that reports of this user go to first.
    pub folders: Vec<ReportFolder>,
    /// Whether the user named them.
    pub folders_named: bool,
    /// Where reports are kept, or why that is not known.
    pub archive: Result<PathBuf, String>,
    /// Whether stderr is a terminal.
    pub terminal: bool,
}

/// The fix library that a run would inject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Library {
    /// It can be injected.
    Usable {
        /// Where it was found.
        located: Located,
        /// It is Mach-O and has no signature.
        unsigned: bool,
        /// It was downloaded, and macOS will ask or refuse (`com.apple.quarantine`).
        quarantined: bool,
    },
    /// It is there and cannot be injected, for this reason, which has its own remedy.
    Unusable(String),
    /// It is nowhere; the first run builds it.
    Absent,
}

impl Library {
    /// Looks at the one that the user named, else at the one that a run would find. Builds nothing.
    pub fn look(named: Option<Located>, surroundings: &Surroundings, system: System) -> Self {
        let Some(located) = named.or_else(|| surroundings.find(Artifact::FixLibrary)) else {
            return Self::Absent;
        };
        match check::library(&located.path) {
            Err(reason) => Self::Unusable(reason.to_string()),
            Ok(()) => Self::Usable {
                unsigned: is_unsigned(&located.path),
                quarantined: system == System::MacOs && is_quarantined(&located.path),
                located,
            },
        }
    }
}

fn is_unsigned(path: &Path) -> bool {
    // One that cannot be read whole is not said to be unsigned: the loader judges it.
    Image::read(path).is_ok_and(|image| match &image.contents {
        Contents::MachO(slices) => slices
            .iter()
            .filter_map(|slice| slice.contents.as_ref().ok())
            .any(|macho| macho.signature.is_none()),
        Contents::Elf(_) | Contents::Script | Contents::Other => false,
    })
}

fn is_quarantined(path: &Path) -> bool {
    // A file system without attributes has no such mark either.
    xattr::get(path, "com.apple.quarantine").is_ok_and(|value| value.is_some())
}

/// Which pieces of the rehearsal are there.
pub fn rehearsal(surroundings: &Surroundings) -> Vec<(Artifact, bool)> {
    [
        Artifact::ReportHandler,
        Artifact::ReportWriter,
        Artifact::RehearsalDriver,
        Artifact::RehearsalWorkload,
    ]
    .into_iter()
    .map(|artifact| (artifact, surroundings.find(artifact).is_some()))
    .collect()
}

//! The checks, one file a subject.

mod archive;
mod folders;
mod insertion;
mod library;
mod metal;
mod place;
mod protection;
mod python;
mod rehearsal;
mod report_crash;
mod room;
mod system;
mod variables;

use super::finding::Observation;
use super::host::Host;
use super::subject::Subject;
use crate::target::rules::System;

pub(in crate::doctor) use system::machine;

/// A check and its stable name.
#[derive(Clone, Copy)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) run: fn(&dyn Host, &Subject) -> Vec<Observation>,
}

const fn check(name: &'static str, run: fn(&dyn Host, &Subject) -> Vec<Observation>) -> Check {
    Check { name, run }
}

const SYSTEM: Check = check("system", system::check);
const LIBRARY: Check = check("library", library::check);
const PYTHON: Check = check("python", python::check);
const FOLDERS: Check = check("reports", folders::check);
const ROOM: Check = check("disk", room::check);
const ARCHIVE: Check = check("archive", archive::check);
const VARIABLES: Check = check("variables", variables::check);
const INSERTION: Check = check("insertion", insertion::check);
const PLACE: Check = check("place", place::check);

static MACOS: [Check; 12] = [
    SYSTEM,
    check("metal", metal::check),
    LIBRARY,
    check("sip", protection::check),
    PYTHON,
    check("reportcrash", report_crash::check),
    FOLDERS,
    ROOM,
    ARCHIVE,
    VARIABLES,
    INSERTION,
    PLACE,
];

static LINUX: [Check; 10] = [
    SYSTEM,
    check("rehearsal", rehearsal::check),
    LIBRARY,
    PYTHON,
    FOLDERS,
    ROOM,
    ARCHIVE,
    VARIABLES,
    INSERTION,
    PLACE,
];

/// The checks that fit a system, in the order in which they are read.
pub(super) fn of(system: System) -> &'static [Check] {
    match system {
        System::MacOs => &MACOS,
        System::Linux => &LINUX,
    }
}

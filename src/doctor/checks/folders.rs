//! Report folders: whether they can be read, and how near each process is to the cap.

use std::collections::BTreeMap;

use crate::doctor::finding::Observation;
use crate::doctor::host::Host;
use crate::doctor::subject::Subject;
use crate::reports::Snapshot;
use crate::reports::snapshot::{Directory, FolderState};
use crate::target::rules::System;

/// ReportCrash keeps at most so many reports of one process name in a folder, and writes none past that.
const CAP: usize = 25;
/// From here on a CI job or a stress run may reach it.
const NEAR: usize = 20;
/// How many names are told before the rest is counted.
const TOLD: usize = 5;

pub(super) fn check(_: &dyn Host, subject: &Subject) -> Vec<Observation> {
    if subject.folders.is_empty() {
        return vec![Observation::error(
            "no report folder is known: HOME is not set",
            "set HOME, or name a folder with --reports-dir",
        )];
    }
    let snapshot = Snapshot::take(&subject.folders);
    let mut found = Vec::new();
    for (index, folder) in subject.folders.iter().enumerate() {
        let Some(directory) = snapshot.directory(&folder.path) else {
            continue;
        };
        // As a run has it: without its user's own folder it could not say that there was no crash.
        let must_be_readable = subject.folders_named || index == 0;
        found.push(state(directory, must_be_readable, subject));
        if directory.state == FolderState::Watched {
            found.extend(retired(&snapshot, &folder.retired()));
        }
        // The rehearsal's report writer has no cap.
        if subject.system == System::MacOs {
            found.extend(near_the_cap(directory));
        }
    }
    found
}

fn state(directory: &Directory, must_be_readable: bool, subject: &Subject) -> Observation {
    let path = directory.path.display();
    match &directory.state {
        FolderState::Watched => {
            let reports = counted(directory.files.len());
            let unseen = directory.errors.len();
            if unseen > 0 {
                return Observation::warning(
                    format!("`{path}`: {reports}, and {unseen} files that cannot be looked at"),
                    "make them readable: a crash may stand in them",
                );
            }
            Observation::ok(format!("`{path}`: readable, {reports}"))
        }
        FolderState::Missing if subject.folders_named => Observation::error(
            format!("`{path}` does not exist"),
            "create it, or name another with --reports-dir",
        ),
        FolderState::Missing => Observation::ok(format!(
            "`{path}`: not there yet, as before the first report"
        )),
        FolderState::Unreadable(reason) if must_be_readable => Observation::error(
            format!("`{path}` cannot be read: {reason}: no run can say that there was no crash"),
            "make it readable for this user, or name another with --reports-dir",
        ),
        FolderState::Unreadable(reason) => Observation::warning(
            format!(
                "`{path}` cannot be read: {reason}: crashes of other users and of root are not seen"
            ),
            "run as an administrator where the target changes its user; else nothing is missed",
        ),
    }
}

/// `1 report`, `2 reports`.
pub(super) fn counted(reports: usize) -> String {
    match reports {
        1 => "1 report".to_owned(),
        many => format!("{many} reports"),
    }
}

/// Reports move there, sometimes within a second.
fn retired(snapshot: &Snapshot, path: &std::path::Path) -> Option<Observation> {
    match &snapshot.directory(path)?.state {
        FolderState::Unreadable(reason) => Some(Observation::warning(
            format!(
                "`{}` cannot be read: {reason}: reports that move there are missed",
                path.display()
            ),
            "make it readable for this user",
        )),
        FolderState::Watched | FolderState::Missing => None,
    }
}

fn near_the_cap(directory: &Directory) -> Vec<Observation> {
    let mut by_name: BTreeMap<String, usize> = BTreeMap::new();
    for entry in &directory.files {
        let name = entry.name.to_string_lossy();
        if let Some(process) = process_of(&name) {
            *by_name.entry(process.to_owned()).or_default() += 1;
        }
    }
    let (full, near): (Vec<_>, Vec<_>) = by_name
        .into_iter()
        .filter(|(_, reports)| *reports >= NEAR)
        .partition(|(_, reports)| *reports >= CAP);
    let path = directory.path.display();
    let remedy = format!("move old ones out of `{path}`, into the archive for example");
    let mut found = Vec::new();
    if !full.is_empty() {
        found.push(Observation::error(
            format!(
                "at the cap of {CAP} reports a name: {}: their next crash leaves no report",
                told(&full)
            ),
            remedy.clone(),
        ));
    }
    if !near.is_empty() {
        found.push(Observation::warning(
            format!(
                "near the cap of {CAP} reports a name, past which none is written: {}",
                told(&near)
            ),
            remedy,
        ));
    }
    found
}

fn told(names: &[(String, usize)]) -> String {
    let mut all: Vec<String> = names
        .iter()
        .take(TOLD)
        .map(|(name, reports)| format!("{name} ({reports})"))
        .collect();
    if names.len() > TOLD {
        all.push(format!("and {} more", names.len() - TOLD));
    }
    all.join(", ")
}

/// The process that a report's file name names: what stands before the last time in it, as in
/// `Python-2026-01-02-030405.000.ips` or `Python_2026-01-02-030405_mac.crash`.
fn process_of(file: &str) -> Option<&str> {
    const FORM: &[u8; 18] = b"-dddd-dd-dd-dddddd";
    let bytes = file.as_bytes();
    let is_time = |window: &[u8]| {
        window
            .iter()
            .zip(FORM)
            .enumerate()
            .all(|(at, (byte, form))| match form {
                b'd' => byte.is_ascii_digit(),
                _ if at == 0 => matches!(byte, b'-' | b'_'),
                _ => byte == form,
            })
    };
    let at = bytes.windows(FORM.len()).rposition(is_time)?;
    // A separator is one byte of ASCII, so that it stands between characters.
    file.get(..at).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_process_stands_before_the_time() {
        for (file, expected) in [
            ("Python-2026-01-02-030405.ips", Some("Python")),
            ("Python-2026-01-02-030405.000.ips", Some("Python")),
            ("Python_2026-01-02-030405_mac.crash", Some("Python")),
            ("my-tool-2-2026-01-02-030405.ips", Some("my-tool-2")),
            (
                "x-2025-01-01-000000-2026-01-02-030405.ips",
                Some("x-2025-01-01-000000"),
            ),
            (
                "gpuEvent-Python-2026-01-02-030405.ips",
                Some("gpuEvent-Python"),
            ),
            ("é-2026-01-02-030405.ips", Some("é")),
            ("-2026-01-02-030405.ips", None),
            ("notes.ips", None),
        ] {
            assert_eq!(process_of(file), expected, "{file}");
        }
    }

    proptest! {
        #[test]
        fn any_name_is_taken(file in "(?s).{0,60}", name in "[^/\u{0}]{1,20}") {
            let _ = process_of(&file);
            let report = format!("{name}-2026-01-02-030405.ips");
            prop_assert_eq!(process_of(&report), Some(name.as_str()));
        }
    }
}

//! Removing copies from the archive. Only what archiving made is removed: regular files that are
//! named like its copies, in that folder itself.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::NaiveDateTime;

use super::ArchiveError;
use crate::reports::folders::{ReportFolder, is_report_name};
use crate::reports::listing::archive_stamp;

/// A copy that may be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removable {
    /// Where it is.
    pub path: PathBuf,
    /// Size, in bytes.
    pub size: u64,
    /// When it was archived, in local time.
    pub archived: NaiveDateTime,
}

/// What would be removed, and what would stay.
#[derive(Debug, Default)]
pub struct Plan {
    /// Copies to be removed, the oldest first.
    pub files: Vec<Removable>,
    /// Copies that are too new.
    pub newer: usize,
    /// Reports that are not named like copies: somebody else put them there.
    pub foreign: usize,
}

/// What removing did.
#[derive(Debug, Default)]
pub struct Cleaned {
    /// Files removed.
    pub removed: usize,
    /// Their size, in bytes.
    pub bytes: u64,
    /// Files that could not be removed, with the reason.
    pub failed: Vec<(PathBuf, io::Error)>,
}

impl Plan {
    /// The size of what would be removed, in bytes.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }
}

/// Finds the copies of an archive that were made before `before`, all where it is `None`.
///
/// # Errors
/// Where the folder cannot be read; [`ArchiveError::System`] where it is one of `system`, to which
/// only the system itself adds and from which only it removes.
pub fn plan(
    folder: &Path,
    before: Option<NaiveDateTime>,
    system: &[ReportFolder],
) -> Result<Plan, ArchiveError> {
    let failed = |source| ArchiveError::Read {
        path: folder.to_path_buf(),
        source,
    };
    let real = fs::canonicalize(folder).map_err(failed)?;
    if is_within(&real, system) {
        return Err(ArchiveError::System {
            path: folder.to_path_buf(),
        });
    }
    let mut plan = Plan::default();
    for entry in fs::read_dir(&real).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if !is_report_name(&name) {
            continue;
        }
        // Not followed: a link is nothing that archiving makes.
        let metadata = entry.metadata().map_err(failed)?;
        let Some((archived, _)) = archive_stamp::split(&name).filter(|_| metadata.is_file()) else {
            plan.foreign += 1;
            continue;
        };
        if before.is_some_and(|before| archived >= before) {
            plan.newer += 1;
            continue;
        }
        plan.files.push(Removable {
            path: real.join(name),
            size: metadata.len(),
            archived,
        });
    }
    plan.files
        .sort_by(|a, b| (a.archived, &a.path).cmp(&(b.archived, &b.path)));
    Ok(plan)
}

/// Whether a folder is one of the system's, or lies in one.
fn is_within(real: &Path, system: &[ReportFolder]) -> bool {
    let named = real
        .components()
        .any(|part| part.as_os_str() == "DiagnosticReports");
    named
        || system.iter().any(|folder| {
            // One that does not exist holds nothing.
            fs::canonicalize(&folder.path).is_ok_and(|system| real.starts_with(system))
        })
}

/// Removes what was planned. One that has gone meanwhile is as good as removed.
pub fn remove(plan: &Plan) -> Cleaned {
    let mut cleaned = Cleaned::default();
    for file in &plan.files {
        match fs::remove_file(&file.path) {
            Ok(()) => {
                cleaned.removed += 1;
                cleaned.bytes += file.size;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => cleaned.failed.push((file.path.clone(), error)),
        }
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(plan: &Plan) -> Vec<String> {
        let names = plan.files.iter().filter_map(|file| file.path.file_name());
        names
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn only_copies_are_removed_and_only_old_ones() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        for name in [
            "20260101_000000_a.ips",
            "20260301_000000_b.crash",
            "c.ips",
            "20260101_000000_notes.txt",
            "crash_summary.json",
        ] {
            fs::write(at(name), "12345").expect("written");
        }
        fs::create_dir(at("20260101_000000_d.ips")).expect("made");
        std::os::unix::fs::symlink(at("c.ips"), at("20260101_000000_e.ips")).expect("linked");
        let before = archive_stamp::parse("20260201_000000");
        let old = plan(folder.path(), before, &[]).expect("planned");
        assert_eq!(names(&old), ["20260101_000000_a.ips"]);
        assert_eq!((old.bytes(), old.newer, old.foreign), (5, 1, 3));
        let all = plan(folder.path(), None, &[]).expect("planned");
        assert_eq!(all.files.len(), 2);
        fs::remove_file(at("20260301_000000_b.crash")).expect("removed by another");
        let cleaned = remove(&all);
        assert_eq!(
            (cleaned.removed, cleaned.bytes, cleaned.failed.len()),
            (1, 5, 0)
        );
        assert!(at("c.ips").exists() && at("20260101_000000_notes.txt").exists());
    }

    #[test]
    fn the_systems_folders_are_refused_by_whatever_name() {
        let base = tempfile::tempdir().expect("a folder");
        let system = base.path().join("system");
        fs::create_dir_all(system.join("Retired")).expect("made");
        fs::write(system.join("20260101_000000_a.ips"), "x").expect("written");
        let link = base.path().join("link");
        std::os::unix::fs::symlink(&system, &link).expect("linked");
        let folders = [ReportFolder::new(&system)];
        for folder in [system.clone(), system.join("Retired"), link] {
            let refused = plan(&folder, None, &folders).expect_err("the system's");
            assert!(matches!(refused, ArchiveError::System { .. }), "{refused}");
        }
        let named = base.path().join("DiagnosticReports");
        fs::create_dir(&named).expect("made");
        assert!(matches!(
            plan(&named, None, &[]),
            Err(ArchiveError::System { .. })
        ));
    }
}

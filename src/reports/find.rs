//! Finding a report by what a person remembers of it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::file::incident_of;
use super::folders::ReportFolder;
use super::snapshot::Snapshot;

/// The shortest beginning of an incident's id that is looked for, in characters.
const ID_PREFIX: usize = 4;

/// The reports in the folders and the archive that a word fits, each incident once: the file of
/// that name, else the files whose name begins with it, else those whose incident's id does.
///
/// Names are compared as they are, ids without regard to case. Only ids make it necessary to open
/// files, and then to read no more than their header line.
pub fn find(wanted: &str, folders: &[ReportFolder], archive: Option<&Path>) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = Snapshot::take(folders).paths().collect();
    if let Some(archive) = archive {
        paths.extend(Snapshot::take(&[ReportFolder::new(archive)]).paths());
    }
    let name = |path: &Path| {
        path.file_name()
            .map(|name| name.as_encoded_bytes().to_vec())
    };
    let named = |fits: &dyn Fn(&[u8]) -> bool| -> Vec<PathBuf> {
        let fitting = paths
            .iter()
            .filter(|path| name(path).is_some_and(|name| fits(&name)));
        fitting.cloned().collect()
    };
    for found in [
        named(&|name| name == wanted.as_bytes()),
        named(&|name| name.starts_with(wanted.as_bytes())),
    ] {
        if !found.is_empty() {
            return distinct(found);
        }
    }
    if !may_be_an_id(wanted) {
        return Vec::new();
    }
    let wanted = wanted.to_ascii_uppercase();
    paths.retain(|path| id_of(path).is_some_and(|id| id.to_ascii_uppercase().starts_with(&wanted)));
    distinct(paths)
}

fn may_be_an_id(text: &str) -> bool {
    text.len() >= ID_PREFIX
        && text
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// A file that cannot be read has no id to be found by.
fn id_of(path: &Path) -> Option<String> {
    incident_of(path).ok().flatten()
}

/// The first file of each incident, and every file that names none.
fn distinct(paths: Vec<PathBuf>) -> Vec<PathBuf> {
    if paths.len() < 2 {
        return paths;
    }
    let mut seen = HashSet::new();
    paths
        .into_iter()
        .filter(|path| id_of(path).is_none_or(|id| seen.insert(id)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn write(folder: &Path, name: &str, incident: &str) -> PathBuf {
        let path = folder.join(name);
        let header = format!(r#"{{"bug_type":"309","incident_id":"{incident}"}}"#);
        fs::write(&path, header + "\n{\"pid\":1}").expect("written");
        path
    }

    #[test]
    fn a_report_is_found_by_name_by_its_beginning_and_by_its_incident() {
        let folder = tempfile::tempdir().expect("a folder");
        let reports = folder.path().join("reports");
        let archive = folder.path().join("archive");
        fs::create_dir_all(&reports).expect("made");
        fs::create_dir_all(&archive).expect("made");
        let first = write(&reports, "Python-2025-06-27-123535.ips", "A357AD50-B0BC");
        let second = write(&reports, "Python-2025-06-27-123536.ips", "B357AD50-B0BC");
        let copy = write(&archive, "20250627_Python.ips", "A357AD50-B0BC");
        let folders = [ReportFolder::new(&reports)];
        let find = |wanted: &str| find(wanted, &folders, Some(&archive));
        assert_eq!(
            find("Python-2025-06-27-123535.ips"),
            std::slice::from_ref(&first)
        );
        assert_eq!(
            find("Python-2025-06-27-123536"),
            std::slice::from_ref(&second)
        );
        assert_eq!(find("Python"), [first.clone(), second.clone()]);
        assert_eq!(find("2025"), [copy], "a name comes before an id");
        assert_eq!(find("a357ad50"), [first], "the copy is the same incident");
        assert_eq!(find("B357AD50-B0BC"), [second]);
        for none in ["python", "B35", "C357AD50", "zzzz", "xython"] {
            assert!(find(none).is_empty(), "{none}");
        }
    }
}

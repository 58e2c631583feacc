//! Waiting for a change in the report folders, by the system's own notification.
//!
//! The contents are never taken from the notification: it only says when to look again. So a
//! lost or doubled event costs a look, not a report.

use std::path::PathBuf;
use std::time::Duration;

use super::folders::ReportFolder;

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod platform;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod platform;

/// How often folders that cannot be watched are looked at: those that do not exist yet, and all
/// of them where the system has run out of watches.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A watch over report folders and their `Retired` folders.
pub struct FolderWatch {
    watch: Option<platform::Watch>,
    /// Directories that do not exist yet.
    absent: Vec<PathBuf>,
}

impl FolderWatch {
    /// Starts watching. Look at the folders *after* this, then call [`FolderWatch::wait`]: what
    /// comes between the look and the wait is notified.
    pub fn new(folders: &[ReportFolder]) -> Self {
        let all = folders
            .iter()
            .flat_map(|folder| [folder.path.clone(), folder.retired()]);
        let mut this = Self {
            watch: platform::Watch::new().ok(),
            absent: all.collect(),
        };
        this.add_those_that_exist();
        this
    }

    /// Waits for a change or until `limit` has passed; says whether to look again.
    pub fn wait(&mut self, limit: Duration) -> bool {
        let were_absent = self.absent.len();
        self.add_those_that_exist();
        if self.absent.len() < were_absent {
            // What came into it before it was watched is not notified.
            return true;
        }
        // A `Retired` folder that does not exist appears by a change of the folder above it.
        let blind =
            self.watch.is_none() || self.absent.iter().any(|path| !path.ends_with("Retired"));
        let slice = if blind { limit.min(LOOK_AGAIN) } else { limit };
        let Some(watch) = &mut self.watch else {
            std::thread::sleep(slice);
            return true;
        };
        watch.wait(slice) || blind
    }

    fn add_those_that_exist(&mut self) {
        if let Some(watch) = &mut self.watch {
            self.absent.retain(|path| !watch.add(path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    const LONG: Duration = Duration::from_secs(20);

    fn watch(path: &std::path::Path) -> FolderWatch {
        FolderWatch::new(&[ReportFolder::new(path)])
    }

    #[test]
    fn a_rename_into_the_folder_ends_the_wait() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let hidden = folder.path().join(".x.ips");
        std::fs::write(&hidden, b"{}").expect("written");
        let mut watch = watch(folder.path());
        let started = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(|| std::fs::rename(&hidden, folder.path().join("x.ips")));
            assert!(watch.wait(LONG));
        });
        assert!(started.elapsed() < LONG);
    }

    #[test]
    fn a_change_before_the_wait_is_not_lost() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut watch = watch(folder.path());
        std::fs::write(folder.path().join("x.ips"), b"{}").expect("written");
        assert!(watch.wait(LONG));
    }

    #[test]
    fn a_folder_that_appears_later_is_watched() {
        let parent = tempfile::tempdir().expect("a temporary folder");
        let folder = parent.path().join("DiagnosticReports");
        let mut watch = watch(&folder);
        std::fs::create_dir(&folder).expect("created");
        assert!(watch.wait(LONG), "a missing folder is looked at again");
        std::fs::write(folder.join("x.ips"), b"{}").expect("written");
        assert!(watch.wait(LONG));
    }

    #[test]
    fn without_a_change_the_limit_ends_the_wait() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(!watch(folder.path()).wait(Duration::from_millis(5)));
    }
}

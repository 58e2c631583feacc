//! Waiting for a change in the report folders, by the system's own notification.
//!
//! The contents are never taken from the notification: it only says when to look again. So a
//! lost or doubled event costs a look, not a report.

use std::io;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::folders::ReportFolder;

mod wanted;

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod platform;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod platform;

/// How often folders are looked at of which the system will not tell: where it has run out of
/// watches, and where a folder may not be read.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// Look again: something changed, or it cannot be told whether something did.
    Changed,
    /// The descriptor given has something to read.
    Called,
    /// The time is over.
    Limit,
    /// Nothing of these, but the wait was interrupted.
    Again,
}

/// What watching a list of directories came to.
#[derive(Debug, Default)]
struct Applied {
    /// Whether one is watched that was not watched before.
    new: bool,
    /// Those that exist and cannot be watched.
    failed: Vec<(PathBuf, io::Error)>,
}

/// A watch over report folders and their `Retired` folders. They may come, go, and come again.
pub struct FolderWatch {
    watch: io::Result<platform::Watch>,
    folders: Vec<PathBuf>,
    failed: Vec<(PathBuf, io::Error)>,
}

impl FolderWatch {
    /// Starts watching. Look at the folders *after* this, then call [`FolderWatch::wait`]: what
    /// comes between the look and the wait is notified.
    pub fn new(folders: &[ReportFolder]) -> Self {
        let all = folders
            .iter()
            .flat_map(|folder| [folder.path.clone(), folder.retired()]);
        let mut this = Self {
            watch: platform::Watch::new().map_err(io::Error::from),
            folders: all.collect(),
            failed: Vec::new(),
        };
        this.follow();
        this
    }

    /// Waits for a change or until `limit` has passed; says whether to look again.
    pub fn wait(&mut self, limit: Duration) -> bool {
        self.wait_or(Some(limit), None) == Woken::Changed
    }

    /// Waits for a change, for `wake` to have something to read, or until `limit` has passed. The
    /// caller looks at the folders after [`Woken::Changed`], then waits again.
    pub fn wait_or(&mut self, limit: Option<Duration>, wake: Option<BorrowedFd<'_>>) -> Woken {
        let end = limit.map(|limit| Instant::now() + limit);
        // A folder may have come since the last wait; what came into it then is not notified.
        if self.follow() {
            return Woken::Changed;
        }
        loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            let step = self.look_again();
            let slice = match (left, step) {
                (Some(left), Some(step)) => Some(left.min(step)),
                (left, step) => left.or(step),
            };
            let woken = match &mut self.watch {
                Ok(watch) => watch.wait(slice, wake),
                Err(_) => blind(slice, wake),
            };
            match woken {
                // The watches follow what changed before the caller looks.
                Woken::Changed => {
                    self.follow();
                    return woken;
                }
                Woken::Limit if step.is_some() && slice == step => return Woken::Changed,
                Woken::Again => {}
                Woken::Called | Woken::Limit => return woken,
            }
        }
    }

    /// Folders of which the system does not tell, with its reason: they are looked at twice a
    /// second instead.
    pub fn unnotified(&self) -> Vec<(PathBuf, String)> {
        match &self.watch {
            Ok(_) => self
                .failed
                .iter()
                .map(|(path, error)| (path.clone(), error.to_string()))
                .collect(),
            Err(error) => self
                .folders
                .iter()
                .map(|path| (path.clone(), error.to_string()))
                .collect(),
        }
    }

    /// How often to look without being told.
    fn look_again(&self) -> Option<Duration> {
        if self.watch.is_err() || !self.failed.is_empty() {
            Some(LOOK_AGAIN)
        } else {
            platform::SILENT_CHANGES
        }
    }

    /// Watches what must be watched as the folders are now; whether a watch is new.
    fn follow(&mut self) -> bool {
        let Ok(watch) = &mut self.watch else {
            return false;
        };
        let mut any = false;
        let mut wanted = wanted::directories(&self.folders);
        // A folder that came before the one above it was watched is seen by looking once more.
        loop {
            let applied = watch.apply(&wanted);
            any |= applied.new;
            self.failed = applied.failed;
            let now = wanted::directories(&self.folders);
            if now == wanted {
                return any;
            }
            wanted = now;
        }
    }
}

/// A wait where nothing is notified.
fn blind(limit: Option<Duration>, wake: Option<BorrowedFd<'_>>) -> Woken {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    let timeout = limit.map_or(PollTimeout::NONE, |limit| {
        PollTimeout::try_from(limit).unwrap_or(PollTimeout::MAX)
    });
    let mut descriptors: Vec<PollFd> = wake
        .map(|wake| PollFd::new(wake, PollFlags::POLLIN))
        .into_iter()
        .collect();
    match poll(&mut descriptors, timeout) {
        Ok(1..) => Woken::Called,
        Err(nix::errno::Errno::EINTR) => Woken::Again,
        Ok(_) | Err(_) => Woken::Limit,
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

    #[test]
    fn a_folder_that_is_removed_and_made_again_is_watched_again() {
        let parent = tempfile::tempdir().expect("a temporary folder");
        let folder = parent.path().join("DiagnosticReports");
        std::fs::create_dir(&folder).expect("created");
        let mut watch = watch(&folder);
        for _ in 0..3 {
            std::fs::remove_dir_all(&folder).expect("removed");
            assert!(watch.wait(LONG), "the removal is notified");
            while watch.wait(Duration::ZERO) {}
            std::fs::create_dir(&folder).expect("created");
            assert!(watch.wait(LONG), "the new folder is notified");
            while watch.wait(Duration::ZERO) {}
            std::fs::write(folder.join("x.ips"), b"{}").expect("written");
            assert!(watch.wait(LONG), "its reports are notified");
        }
    }

    #[test]
    fn a_folder_whose_parent_is_renamed_is_followed_by_its_name() {
        let base = tempfile::tempdir().expect("a temporary folder");
        let folder = base.path().join("Logs/DiagnosticReports");
        std::fs::create_dir_all(&folder).expect("created");
        let mut watch = watch(&folder);
        std::fs::rename(base.path().join("Logs"), base.path().join("Old")).expect("renamed");
        assert!(watch.wait(LONG));
        while watch.wait(Duration::ZERO) {}
        std::fs::create_dir_all(&folder).expect("created");
        assert!(watch.wait(LONG));
        while watch.wait(Duration::ZERO) {}
        std::fs::write(folder.join("x.ips"), b"{}").expect("written");
        assert!(watch.wait(LONG));
    }

    #[test]
    fn a_descriptor_ends_the_wait() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut watch = watch(folder.path());
        let (read, write) = std::io::pipe().expect("a pipe");
        drop(write);
        let woken = watch.wait_or(None, Some(std::os::fd::AsFd::as_fd(&read)));
        assert_eq!(woken, Woken::Called);
    }
}

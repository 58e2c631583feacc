//! One monitor an archive: a file in it that stays locked as long as the monitor lives.
//!
//! The kernel gives the lock back when the process ends, however it ends: a record in a file that
//! nobody holds is a stale one. The lock on the archive's folder is held only for a moment, so that
//! a look at the file does not keep a monitor from starting.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

/// The locked file's name in the archive.
pub const LOCK_NAME: &str = ".monitor.lock";

/// Who holds an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// Since when.
    pub started: DateTime<Utc>,
    /// Where its state and log are.
    pub state: PathBuf,
}

/// The lock. It is given back when this is dropped.
#[derive(Debug)]
pub struct Instance {
    path: PathBuf,
    holder: Holder,
    file: Flock<File>,
}

/// What came of taking an archive.
#[derive(Debug)]
pub enum Taken {
    /// It is ours. With it the record of a monitor that ended without taking it back.
    Ours(Instance, Option<Holder>),
    /// Another monitor has it; `None` where its record cannot be read.
    Held(Option<Holder>),
}

/// What a look at an archive found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A monitor has it; `None` where its record cannot be read.
    Running(Option<Holder>),
    /// The record of a monitor that ended without taking it back: it was killed, or the machine
    /// went down.
    Stale(Holder),
    /// No monitor.
    Nobody,
}

/// Takes an archive, which exists.
///
/// # Errors
/// Where the file cannot be made or locked.
pub fn take(archive: &Path, holder: Holder) -> io::Result<Taken> {
    let _gate = gate(archive)?;
    let path = archive.join(LOCK_NAME);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path)?;
    match lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(mut file) => {
            let stale = read(&mut file)?;
            let mut instance = Instance { path, holder, file };
            instance.write()?;
            Ok(Taken::Ours(instance, stale))
        }
        Err((mut file, Errno::EWOULDBLOCK)) => Ok(Taken::Held(read(&mut file)?)),
        Err((_, error)) => Err(error.into()),
    }
}

/// Looks at an archive and changes nothing.
///
/// # Errors
/// Where the file is there and cannot be looked at.
pub fn look(archive: &Path) -> io::Result<Found> {
    let Some(mut file) = open_both(archive)? else {
        return Ok(Found::Nobody);
    };
    let (_gate, file) = (file.0, &mut file.1);
    let holder = read(file)?;
    match lock(file.try_clone()?, FlockArg::LockSharedNonblock) {
        Ok(_) => Ok(holder.map_or(Found::Nobody, Found::Stale)),
        Err((_, Errno::EWOULDBLOCK)) => Ok(Found::Running(holder)),
        Err((_, error)) => Err(error.into()),
    }
}

/// Waits until no monitor has the archive; whether that came before `limit`.
///
/// # Errors
/// Where the file cannot be waited for.
pub fn wait_for_end(archive: &Path, limit: Duration) -> io::Result<bool> {
    let file = match File::open(archive.join(LOCK_NAME)) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    let (send, receive) = mpsc::channel();
    // A lock cannot be waited for with a limit: a thread waits, and is left behind at the limit.
    std::thread::spawn(move || {
        let outcome = lock(file, FlockArg::LockShared).map(drop);
        // Nobody listens any more after the limit.
        let _ = send.send(outcome.map_err(|(_, error)| error));
    });
    match receive.recv_timeout(limit) {
        Ok(outcome) => Ok(outcome.map(|()| true)?),
        Err(_) => Ok(false),
    }
}

impl Instance {
    /// Makes sure that the archive is still ours, after its folder may have been removed and made
    /// again: takes the lock anew there. `false` where another monitor has taken it meanwhile.
    ///
    /// # Errors
    /// Where the file cannot be made or locked.
    pub fn renew(&mut self) -> io::Result<bool> {
        let ours = self.file.metadata()?;
        match fs::metadata(&self.path) {
            Ok(there) if (there.dev(), there.ino()) == (ours.dev(), ours.ino()) => return Ok(true),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let archive = self.path.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(archive)?;
        match take(archive, self.holder.clone())? {
            Taken::Ours(instance, _) => {
                *self = instance;
                Ok(true)
            }
            Taken::Held(_) => Ok(false),
        }
    }

    /// Gives the archive back: the record goes, and with it what a killed monitor would leave.
    ///
    /// # Errors
    /// Where the record cannot be removed; the lock is given back all the same.
    pub fn release(self) -> io::Result<()> {
        self.file.set_len(0)
    }

    fn write(&mut self) -> io::Result<()> {
        let record = serde_json::to_vec(&self.holder)?;
        self.file.set_len(0)?;
        self.file.rewind()?;
        match self.file.write_all(&record) {
            // The lock is what counts; whose it is says the state folder as well.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
                ) =>
            {
                self.file.set_len(0)
            }
            other => other,
        }
    }
}

/// Holds the archive's folder for a moment: nobody else takes or looks meanwhile.
fn gate(archive: &Path) -> io::Result<Flock<File>> {
    lock(File::open(archive)?, FlockArg::LockExclusive).map_err(|(_, error)| error.into())
}

/// The gate and the file; `None` where either is not there.
fn open_both(archive: &Path) -> io::Result<Option<(Flock<File>, File)>> {
    let opened = gate(archive).and_then(|gate| Ok((gate, File::open(archive.join(LOCK_NAME))?)));
    match opened {
        Ok(both) => Ok(Some(both)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn lock(mut file: File, how: FlockArg) -> Result<Flock<File>, (File, Errno)> {
    loop {
        match Flock::lock(file, how) {
            Err((returned, Errno::EINTR)) => file = returned,
            other => return other,
        }
    }
}

/// The record, if there is one that can be understood.
fn read(file: &mut File) -> io::Result<Option<Holder>> {
    const LIMIT: u64 = 64 * 1024;
    file.rewind()?;
    let mut bytes = Vec::new();
    file.take(LIMIT).read_to_end(&mut bytes)?;
    // Empty, or cut off by a full disk: nothing is known of its writer.
    Ok(serde_json::from_slice(&bytes).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(pid: u32) -> Holder {
        Holder {
            pid,
            started: DateTime::UNIX_EPOCH,
            state: PathBuf::from("/state"),
        }
    }

    #[track_caller]
    fn ours(taken: Taken) -> (Instance, Option<Holder>) {
        match taken {
            Taken::Ours(instance, stale) => (instance, stale),
            Taken::Held(holder) => panic!("held by {holder:?}"),
        }
    }

    #[test]
    fn an_archive_is_taken_once_and_given_back() {
        let archive = tempfile::tempdir().expect("a folder");
        assert_eq!(look(archive.path()).expect("looked"), Found::Nobody);
        let (instance, stale) = ours(take(archive.path(), holder(1)).expect("taken"));
        assert_eq!(stale, None);
        let again = take(archive.path(), holder(2)).expect("asked");
        assert!(
            matches!(again, Taken::Held(Some(ref first)) if first.pid == 1),
            "{again:?}"
        );
        let found = look(archive.path()).expect("looked");
        assert_eq!(found, Found::Running(Some(holder(1))));
        assert!(!wait_for_end(archive.path(), Duration::from_millis(10)).expect("waited"));
        instance.release().expect("given back");
        assert_eq!(look(archive.path()).expect("looked"), Found::Nobody);
        assert!(wait_for_end(archive.path(), Duration::from_secs(20)).expect("waited"));
    }

    #[test]
    fn a_record_without_a_lock_is_stale_and_replaced() {
        let archive = tempfile::tempdir().expect("a folder");
        let (instance, _) = ours(take(archive.path(), holder(1)).expect("taken"));
        // As a kill does: the lock goes, the record stays.
        drop(instance);
        assert_eq!(
            look(archive.path()).expect("looked"),
            Found::Stale(holder(1))
        );
        let (_instance, stale) = ours(take(archive.path(), holder(2)).expect("taken"));
        assert_eq!(stale, Some(holder(1)));
        let found = look(archive.path()).expect("looked");
        assert_eq!(found, Found::Running(Some(holder(2))));
    }

    #[test]
    fn the_lock_follows_the_archive_when_it_is_made_again() {
        let base = tempfile::tempdir().expect("a folder");
        let archive = base.path().join("crash_logs");
        fs::create_dir(&archive).expect("made");
        let (mut instance, _) = ours(take(&archive, holder(1)).expect("taken"));
        fs::remove_dir_all(&archive).expect("removed");
        assert!(instance.renew().expect("renewed"));
        assert_eq!(
            look(&archive).expect("looked"),
            Found::Running(Some(holder(1)))
        );
        fs::remove_dir_all(&archive).expect("removed");
        fs::create_dir(&archive).expect("made");
        let (_other, _) = ours(take(&archive, holder(2)).expect("taken"));
        assert!(!instance.renew().expect("asked"));
    }

    #[test]
    fn a_look_at_no_archive_finds_nobody() {
        let found = look(Path::new("/nonexistent/crash_logs")).expect("looked");
        assert_eq!(found, Found::Nobody);
    }
}

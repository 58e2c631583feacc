//! Taking turns: of several processes that want to build into one folder, one builds and the others wait.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// Hidden, and named for its owner: the folder may be one that a user chose.
const LOCK_FILE: &str = ".agxrun-build.lock";

/// The right to build into a folder, until it is dropped.
///
/// It is an flock(2) on a file, so that it ends with its holders however they end, and works between
/// machines that share a home.
#[derive(Debug)]
pub struct Turn {
    lock: File,
    path: PathBuf,
}

impl Turn {
    /// Takes the turn for `folder`, which must exist. `waiting` is called once if another process has it.
    pub fn take(folder: &Path, mut waiting: impl FnMut()) -> io::Result<Self> {
        let path = folder.join(LOCK_FILE);
        let mut waited = false;
        loop {
            let lock = File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)?;
            match lock.try_lock() {
                Ok(()) => {}
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) => {
                    if !waited {
                        waiting();
                        waited = true;
                    }
                    lock_after_others(&lock)?;
                }
            }
            // The holder before us removed its file: who waited for that one has locked what nobody else will find.
            if is_at(&lock, &path)? {
                return Ok(Self { lock, path });
            }
        }
    }

    /// For a child's standard input: an empty file that keeps the turn as long as the child or one of its
    /// children lives, even where this process is killed first.
    pub fn for_child(&self) -> io::Result<Stdio> {
        self.lock.try_clone().map(Stdio::from)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // A file that stays behind is found and locked by the next one. The explicit unlocking is for waiters: a service
        // that the compiler started may still have the file open.
        let _ = std::fs::remove_file(&self.path);
        let _ = self.lock.unlock();
    }
}

fn lock_after_others(lock: &File) -> io::Result<()> {
    loop {
        match lock.lock() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

/// Whether `path` still names this open file.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let ours = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    #[test]
    fn one_at_a_time_and_nothing_is_left() {
        const BUILDERS: usize = 8;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let inside = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..BUILDERS {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let _turn = Turn::take(folder.path(), || ()).expect("a turn");
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        let left = std::fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(left, 0);
    }

    #[test]
    fn who_has_to_wait_says_so_and_goes_on_when_the_turn_ends() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let first = Turn::take(folder.path(), || panic!("nobody else is here")).expect("a turn");
        let (say, said) = mpsc::channel();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| {
                Turn::take(folder.path(), || say.send(()).expect("a listener")).map(drop)
            });
            said.recv().expect("the second one waits");
            drop(first);
            second.join().expect("no panic").expect("a turn");
        });
    }
}

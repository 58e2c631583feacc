//! What the runs print: a pair of files each, kept where the run was not clean.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The folder of a series' outputs.
#[derive(Debug, Clone)]
pub struct Outputs {
    folder: PathBuf,
}

/// The files of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// What the target wrote to stdout.
    pub out: PathBuf,
    /// What the target and `agxrun run` wrote to stderr.
    pub err: PathBuf,
}

impl Outputs {
    /// Those in this folder, which need not be there yet.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The files of the run with this number, whether or not they are there.
    pub fn pair(&self, slot: u64) -> Pair {
        // People count from 1.
        let number = slot.saturating_add(1);
        let file = |end: &str| self.folder.join(format!("{number:06}.{end}"));
        Pair {
            out: file("out"),
            err: file("err"),
        }
    }

    /// Makes the files of a run, empty, and the folder where it is not there.
    pub(super) fn open(&self, slot: u64) -> io::Result<(File, File)> {
        let pair = self.pair(slot);
        let both = || -> io::Result<_> { Ok((fresh(&pair.out)?, fresh(&pair.err)?)) };
        match both() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(&self.folder)?;
                both()
            }
            other => other,
        }
    }

    /// Removes the files of a run, and those that are empty where `all` is false.
    pub(super) fn discard(&self, slot: u64, all: bool) -> io::Result<()> {
        let pair = self.pair(slot);
        for path in [&pair.out, &pair.err] {
            let gone = if all || fs::metadata(path).is_ok_and(|it| it.len() == 0) {
                fs::remove_file(path)
            } else {
                Ok(())
            };
            match gone {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Copies what a run printed to our stdout and stderr.
    pub(super) fn pass_on(&self, slot: u64) -> io::Result<()> {
        let pair = self.pair(slot);
        copy(&pair.out, &mut io::stdout().lock())?;
        copy(&pair.err, &mut io::stderr().lock())
    }

    /// Takes the folder away if nothing is in it.
    pub(super) fn tidy(&self) -> io::Result<()> {
        match fs::remove_dir(&self.folder) {
            Err(error)
                if !matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty
                ) =>
            {
                Err(error)
            }
            _ => Ok(()),
        }
    }
}

/// An empty file to append to: target and `agxrun run` share one, and either may have opened it anew.
fn fresh(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    file.set_len(0)?;
    Ok(file)
}

fn copy(from: &Path, to: &mut impl Write) -> io::Result<()> {
    io::copy(&mut File::open(from)?, to)?;
    to.flush()
}

impl Pair {
    /// The last lines of what was written to stderr, `most` bytes of them at most.
    pub fn last_words(&self, most: u64) -> io::Result<String> {
        let mut file = File::open(&self.err)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if length <= most {
            return Ok(text);
        }
        // Cut at the first line's beginning.
        Ok(text
            .split_once('\n')
            .map_or(text.clone(), |(_, rest)| rest.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_made_kept_and_removed() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let outputs = Outputs::new(root.path().join("series/x"));
        let (mut out, _err) = outputs.open(3).expect("made");
        out.write_all(b"words\n").expect("written");
        let pair = outputs.pair(3);
        assert!(pair.out.ends_with("series/x/000004.out"));
        outputs.discard(3, false).expect("the empty one");
        assert!(pair.out.exists() && !pair.err.exists());
        outputs.tidy().expect("not empty, so it stays");
        outputs.discard(3, true).expect("the other one");
        outputs.discard(3, true).expect("nothing left to do");
        outputs.tidy().expect("removed");
        assert!(!root.path().join("series/x").exists());
        outputs.tidy().expect("nothing left to do");
    }

    #[test]
    fn a_run_that_is_made_again_begins_with_empty_files() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let outputs = Outputs::new(root.path().to_owned());
        let (mut out, _) = outputs.open(0).expect("made");
        out.write_all(b"old").expect("written");
        outputs.open(0).expect("made again");
        assert_eq!(fs::read(outputs.pair(0).out).expect("read"), b"");
    }

    #[test]
    fn the_last_words_are_whole_lines() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let outputs = Outputs::new(root.path().to_owned());
        let (_, mut err) = outputs.open(0).expect("made");
        err.write_all(b"first\nsecond\nthird\n").expect("written");
        let pair = outputs.pair(0);
        assert_eq!(
            pair.last_words(100).expect("read"),
            "first\nsecond\nthird\n"
        );
        assert_eq!(pair.last_words(9).expect("read"), "third\n");
    }
}

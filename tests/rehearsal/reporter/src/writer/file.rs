//! Placing a report: hidden first, then under its name, never over another.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Local};
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

/// Reports of one process name in one second; beyond, something else is wrong.
const MOST_COLLISIONS: u32 = 9999;

/// A report under way, which watchers must not read yet: its name begins with a dot.
pub struct Hidden {
    /// The open file.
    pub file: File,
    path: PathBuf,
    folder: PathBuf,
    stem: String,
}

impl Hidden {
    /// Creates the hidden file, and the folder if need be, for a crash of `process` at `time`.
    pub fn create(folder: &Path, process: &str, time: &DateTime<Local>) -> Result<Self> {
        fs::create_dir_all(folder)
            .with_context(|| format!("creating the report folder {}", folder.display()))?;
        let stem = format!(
            "{}-{}",
            file_name_part(process),
            time.format("%Y-%m-%d-%H%M%S")
        );
        let [a, b, c, d, ..] = random()?;
        let random = u32::from_ne_bytes([a, b, c, d]);
        let path = folder.join(format!(".{stem}.ips.{random:08x}"));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        let file = file.with_context(|| format!("creating {}", path.display()))?;
        Ok(Self {
            file,
            path,
            folder: folder.to_owned(),
            stem,
        })
    }

    /// What was being done to the file, for an error.
    pub fn naming(&self, doing: &str) -> String {
        format!("{doing} {}", self.path.display())
    }

    /// Gives the report its visible name: `<proc>-<time>.ips`, with `.0001` and so on where that is taken.
    pub fn publish(self) -> Result<()> {
        for collision in 0..=MOST_COLLISIONS {
            let visible = self.folder.join(visible_name(&self.stem, collision));
            match rename_to_new(&self.path, &visible) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(error).with_context(|| format!("naming {}", visible.display()));
                }
            }
        }
        bail!(
            "no free name for {} in {}",
            self.stem,
            self.folder.display()
        )
    }
}

fn visible_name(stem: &str, collision: u32) -> String {
    match collision {
        0 => format!("{stem}.ips"),
        n => format!("{stem}.{n:04}.ips"),
    }
}

/// Renames without replacing. A file system without that kind of rename gets a second link, which cannot replace either.
fn rename_to_new(from: &Path, to: &Path) -> std::io::Result<()> {
    match renameat2(AT_FDCWD, from, AT_FDCWD, to, RenameFlags::RENAME_NOREPLACE) {
        Err(nix::Error::EINVAL | nix::Error::ENOSYS) => {
            fs::hard_link(from, to)?;
            fs::remove_file(from)
        }
        result => Ok(result?),
    }
}

/// A process name as part of a file name, visible and in one piece.
fn file_name_part(process: &str) -> String {
    let name: String = process
        .chars()
        .map(|c| if c == '/' || c.is_control() { '_' } else { c })
        .take(64)
        .collect();
    match name.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None => name,
    }
}

/// Random bytes of the kernel.
pub fn random() -> Result<[u8; 16]> {
    let mut bytes = [0; 16];
    let read = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    read.context("reading /dev/urandom")?;
    Ok(bytes)
}

/// Notes why there is no report, in `reporter.log` beside the report folder. This is the last resort: if that fails too,
/// nobody is left to tell, and the target must not be disturbed.
pub fn log(folder: &Path, reason: &str) {
    let path = folder.parent().unwrap_or(folder).join("reporter.log");
    let line = format!("{} {reason}\n", Local::now().format("%Y-%m-%d %H:%M:%S %z"));
    let file = OpenOptions::new().append(true).create(true).open(path);
    file.and_then(|mut file| file.write_all(line.as_bytes()))
        .ok(); // see above
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn the_second_report_of_a_second_gets_a_number() {
        let folder = tempfile::tempdir().expect("a folder");
        let reports = folder.path().join("made/for/it");
        let time = clock::local_time(1_735_817_696_000_000_000);
        for content in ["first", "second"] {
            let mut hidden = Hidden::create(&reports, "a/b", &time).expect("a hidden file");
            assert!(
                hidden
                    .path
                    .file_name()
                    .expect("a name")
                    .to_string_lossy()
                    .starts_with(".a_b-")
            );
            hidden.file.write_all(content.as_bytes()).expect("writing");
            hidden.publish().expect("a name");
        }
        let stem = format!("a_b-{}", time.format("%Y-%m-%d-%H%M%S"));
        let read = |name: String| fs::read_to_string(reports.join(name)).expect("a report");
        assert_eq!(read(format!("{stem}.ips")), "first");
        assert_eq!(read(format!("{stem}.0001.ips")), "second");
        assert_eq!(fs::read_dir(&reports).expect("a folder").count(), 2);
    }

    #[test]
    fn a_name_is_never_hidden_by_its_process() {
        assert_eq!(file_name_part(".x"), "_x");
        assert_eq!(file_name_part("a\nb"), "a_b");
        assert_eq!(file_name_part("Größe"), "Größe");
    }
}

//! What the monitor did, in two files of bounded size.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Local, SecondsFormat};

/// The file's name in the state folder; the one before it has `.1` behind it.
pub const LOG_NAME: &str = "monitor.log";

/// Size at which a new file is begun, in bytes: both together stay below twice this.
pub const LIMIT: u64 = 512 * 1024;

/// A log.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    file: File,
    size: u64,
}

impl Log {
    /// Opens the log in a folder, which is made.
    ///
    /// # Errors
    /// Where folder or file cannot be made.
    pub fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let path = folder.join(LOG_NAME);
        let file = append(&path)?;
        let size = file.metadata()?.len();
        Ok(Self { path, file, size })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file as it is now, for what writes to a descriptor.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Adds a line, with its time before it.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn say(&mut self, time: DateTime<Local>, text: &str) -> io::Result<()> {
        let time = time.to_rfc3339_opts(SecondsFormat::Millis, false);
        let line = format!("{time} {}\n", one_line(text));
        if self.size + line.len() as u64 > LIMIT {
            fs::rename(&self.path, self.path.with_extension("log.1"))?;
            self.file = append(&self.path)?;
            self.size = 0;
        }
        self.file.write_all(line.as_bytes())?;
        self.size += line.len() as u64;
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// Names of files and words of reports stay on their line and do nothing to a terminal.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 4096;
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if line.len() > LONGEST {
            line.push('…');
            break;
        }
        if c.is_control() || (!c.is_ascii() && !c.is_alphanumeric()) {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time() -> DateTime<Local> {
        DateTime::UNIX_EPOCH.into()
    }

    #[test]
    fn a_line_stays_a_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut log = Log::open(folder.path()).expect("opened");
        log.say(time(), "copied `ä\n\u{1b}[2J\u{202e}.ips`")
            .expect("written");
        let text = fs::read_to_string(log.path()).expect("read");
        assert!(
            text.ends_with("copied `ä\\n\\u{1b}[2J\\u{202e}.ips`\n"),
            "{text}"
        );
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn both_files_together_are_bounded_and_the_newest_lines_are_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut log = Log::open(folder.path()).expect("opened");
        let long = "x".repeat(3000);
        for number in 0..600 {
            log.say(time(), &format!("{long} {number}"))
                .expect("written");
        }
        // Opened again, it goes on where it was.
        let mut log = Log::open(folder.path()).expect("opened");
        log.say(time(), "the last").expect("written");
        let sizes = fs::read_dir(folder.path()).expect("listed").map(|entry| {
            entry
                .and_then(|entry| entry.metadata())
                .expect("a file")
                .len()
        });
        let sizes: Vec<u64> = sizes.collect();
        assert_eq!(sizes.len(), 2);
        assert!(sizes.iter().all(|size| *size <= LIMIT), "{sizes:?}");
        let text = fs::read_to_string(log.path()).expect("read");
        assert!(text.ends_with("the last\n"));
    }
}

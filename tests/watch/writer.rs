//! A process that writes reports, as this test binary started again.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const FOLDER: &str = "WRITER_TEST_FOLDER";
const COUNT: &str = "WRITER_TEST_COUNT";
/// What the writer says when one half is written and it waits to be told to go on.
const HALF: &str = "half";

/// How a report comes to its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Under a hidden name, then renamed, as the system does.
    Renamed,
    /// The same, and moved to `Retired` at once.
    Retired,
    /// In place and in pieces.
    Pieces,
    /// In place, then truncated and written again with more in it.
    Rewritten,
}

/// The manner of the report with this number.
pub fn manner(number: usize) -> Manner {
    [
        Manner::Renamed,
        Manner::Retired,
        Manner::Pieces,
        Manner::Rewritten,
    ][number % 4]
}

pub fn incident(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

/// A report's text; `version` 2 is what a rewritten one holds in the end.
pub fn text(number: usize, version: usize) -> String {
    let incident = incident(number);
    let second = number % 60;
    let minute = number / 60 % 60;
    let header = format!(
        r#"{{"app_name":"Python","timestamp":"2026-01-02 03:{minute:02}:{second:02}.00 +0000","bug_type":"309","incident_id":"{incident}","name":"Python"}}"#
    );
    let frames: Vec<String> = (0..20 * version + number % 50)
        .map(|frame| format!(r#"      {{"imageOffset" : {frame}, "imageIndex" : 0}}"#))
        .collect();
    let frames = frames.join(",\n");
    format!(
        "{header}\n{{\n  \"pid\" : {number},\n  \"procName\" : \"Python\",\n  \"incident\" : \"{incident}\",\n  \
         \"exception\" : {{\"type\":\"EXC_BAD_ACCESS\",\"signal\":\"SIGSEGV\"}},\n  \
         \"threads\" : [{{\"triggered\":true,\"frames\":[\n{frames}\n]}}]\n}}\n"
    )
}

/// A writer at work.
pub struct Writer {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Writer {
    /// Has another process write `count` reports into a folder. After one half it waits for
    /// [`Writer::go_on`], then removes the folder, makes it again, and writes the other.
    pub fn start(folder: &Path, count: usize) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this test's file"))
            .args(["--exact", "writer::the_writer", "--ignored", "--nocapture"])
            .env(FOLDER, folder)
            .env(COUNT, count.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the writer starts");
        Self {
            stdin: child.stdin.take().expect("a pipe"),
            stdout: BufReader::new(child.stdout.take().expect("a pipe")),
            child,
        }
    }

    /// Waits until the first half is written and has it go on.
    pub fn go_on(&mut self) {
        let mut line = String::new();
        while line.trim() != HALF {
            line.clear();
            let read = self.stdout.read_line(&mut line).expect("read");
            assert_ne!(read, 0, "the writer ended before its half");
        }
        writeln!(self.stdin).expect("written");
    }

    /// Waits until all is written.
    pub fn end(mut self) {
        let status = self.child.wait().expect("waited");
        assert!(status.success(), "the writer: {status}");
    }
}

#[test]
#[ignore = "no test: the writer that the others start"]
fn the_writer() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("a folder"));
    let count: usize = std::env::var(COUNT)
        .expect("a count")
        .parse()
        .expect("a number");
    for number in 0..count / 2 {
        write(&folder, number);
    }
    // On a line of its own: the harness has begun one.
    println!("\n{HALF}");
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .expect("told to go on");
    fs::remove_dir_all(&folder).expect("removed");
    fs::create_dir(&folder).expect("made again");
    for number in count / 2..count {
        write(&folder, number);
    }
}

fn write(folder: &Path, number: usize) {
    let name = format!("Python-2026-01-02-{number:06}.ips");
    let path = folder.join(&name);
    let whole = text(number, 1);
    match manner(number) {
        Manner::Renamed | Manner::Retired => {
            let hidden = folder.join(format!(".{name}"));
            fs::write(&hidden, &whole).expect("written");
            fs::rename(&hidden, &path).expect("renamed");
            if manner(number) == Manner::Retired {
                let retired = folder.join("Retired");
                fs::create_dir_all(&retired).expect("made");
                fs::rename(&path, retired.join(&name)).expect("moved");
            }
        }
        Manner::Pieces => {
            let mut file = File::create(&path).expect("created");
            for piece in whole.as_bytes().chunks(300) {
                file.write_all(piece).expect("written");
            }
        }
        Manner::Rewritten => {
            fs::write(&path, &whole).expect("written");
            let mut file = File::create(&path).expect("truncated");
            for piece in text(number, 2).as_bytes().chunks(1000) {
                file.write_all(piece).expect("written");
            }
        }
    }
}

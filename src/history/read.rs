//! Reading a history: line by line, so that its size does not matter.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;

use super::{RunLine, SCHEMA};

/// The longest line that is read, in bytes; the rest of a longer one is skipped.
const LONGEST: u64 = 16 * 1024 * 1024;

/// How much is read at once, in bytes.
const CHUNK: usize = 256 * 1024;

/// A line that is no run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {number}: {why}")]
pub struct BadLine {
    /// Which one, from 1.
    pub number: u64,
    /// What is wrong with it.
    pub why: Why,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// It is the last, and its end is missing: its writer was stopped, or is writing.
    #[error("cut off")]
    Torn,
    /// It has another layout.
    #[error("layout {0}, and this agxrun reads {SCHEMA} (hint: use the agxrun that wrote it)")]
    OtherSchema(u64),
    /// It holds NUL bytes: what some file systems leave in place of data that was not yet written when the power went.
    #[error("NUL bytes, as a loss of power leaves them")]
    Nul,
    /// It is no line of a history.
    #[error("no run: {0}")]
    NoRun(String),
    /// It is longer than a line can be.
    #[error("longer than {} MiB", LONGEST / 1024 / 1024)]
    TooLong,
}

/// Hands every line of a history over, in the file's order. Empty lines are passed by.
///
/// # Errors
/// Where the file cannot be opened or read; what was read before has been handed over.
pub fn read(path: &Path, each: &mut dyn FnMut(Result<RunLine, BadLine>)) -> io::Result<()> {
    read_from(&mut open(path)?, each)
}

/// The same of anything that can be read, such as stdin.
///
/// # Errors
/// Where it cannot be read; what was read before has been handed over.
pub fn read_from(
    source: &mut dyn BufRead,
    each: &mut dyn FnMut(Result<RunLine, BadLine>),
) -> io::Result<()> {
    texts(source, &mut |number, text| {
        each(text.and_then(parse).map_err(|why| BadLine { number, why }));
    })
}

/// Opens a history, to be read by lines.
///
/// # Errors
/// The system's.
pub fn open(path: &Path) -> io::Result<BufReader<File>> {
    Ok(BufReader::with_capacity(CHUNK, File::open(path)?))
}

/// Takes a line's number and its text.
pub(super) type EachText<'a> = dyn FnMut(u64, Result<&[u8], Why>) + 'a;

/// Hands over the number and the text of each line that is not empty.
pub(super) fn texts(source: &mut dyn BufRead, each: &mut EachText<'_>) -> io::Result<()> {
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        line.clear();
        number += 1;
        let read = Read::take(&mut *source, LONGEST).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(());
        }
        let is_whole = line.last() == Some(&b'\n');
        if !is_whole && line.len() as u64 == LONGEST {
            skip_line(source)?;
            each(number, Err(Why::TooLong));
            continue;
        }
        let text = line.trim_ascii();
        if text.is_empty() {
            continue;
        }
        // The last line of a file that an editor has saved may lack its end, and still be whole.
        let is_torn =
            || !is_whole && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_err();
        let text = if text.contains(&0) {
            Err(Why::Nul)
        } else if is_torn() {
            Err(Why::Torn)
        } else {
            Ok(text)
        };
        each(number, text);
    }
}

fn skip_line(source: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let buffer = source.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(buffer.len(), |at| at + 1);
        source.consume(used);
        if end.is_some() {
            return Ok(());
        }
    }
}

/// What has a layout.
pub(super) trait Laid {
    /// Its version.
    fn schema(&self) -> u32;
}

impl Laid for RunLine {
    fn schema(&self) -> u32 {
        self.schema
    }
}

/// Reads a line as the whole of it, or as the part of it that is wanted.
pub(super) fn parse<'a, T: Deserialize<'a> + Laid>(text: &'a [u8]) -> Result<T, Why> {
    match serde_json::from_slice::<T>(text) {
        Ok(line) if line.schema() == SCHEMA => Ok(line),
        Ok(line) => Err(Why::OtherSchema(line.schema().into())),
        Err(error) => Err(other_schema(text).unwrap_or_else(|| Why::NoRun(said(&error)))),
    }
}

/// The parser's words: the line that it counts is always the first, and not that of the file.
fn said(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        Some(words) => format!("{words} at column {}", error.column()),
        None => text,
    }
}

/// Another layout may lack what this one has.
fn other_schema(text: &[u8]) -> Option<Why> {
    #[derive(Deserialize)]
    struct Layout {
        schema: u64,
    }
    // What is no object with a layout is no run, which the caller says.
    let layout: Layout = serde_json::from_slice(text).ok()?;
    (layout.schema != u64::from(SCHEMA)).then_some(Why::OtherSchema(layout.schema))
}

#[cfg(test)]
mod tests {
    use super::super::line::tests::line;
    use super::*;

    /// What is wrong with each line of a text; `None` for a run.
    fn wrong(text: &[u8]) -> Vec<Option<Why>> {
        let mut found = Vec::new();
        read_from(&mut &*text, &mut |line| {
            found.push(line.err().map(|bad| bad.why));
        })
        .expect("read");
        found
    }

    fn with(changes: &serde_json::Value) -> String {
        let mut line = serde_json::to_value(line()).expect("serialised");
        for (key, value) in changes.as_object().expect("an object") {
            line[key] = value.clone();
        }
        format!("{line}\n")
    }

    #[test]
    fn what_is_wrong_with_a_line_is_named() {
        let whole = with(&serde_json::json!({}));
        let newer = with(&serde_json::json!({"not known": [1]}));
        assert_eq!(
            wrong(format!("{whole}\n\r\n{newer}").as_bytes()),
            [None, None]
        );
        assert_eq!(
            wrong(whole.trim_end().as_bytes()),
            [None],
            "without its end"
        );
        assert_eq!(wrong(&whole.as_bytes()[..99]), [Some(Why::Torn)]);
        let schema = with(&serde_json::json!({"schema": 2}));
        assert_eq!(wrong(schema.as_bytes()), [Some(Why::OtherSchema(2))]);
        assert_eq!(
            wrong(b"{\"schema\": 7}\n"),
            [Some(Why::OtherSchema(7))],
            "whatever else it lacks"
        );
        let zeros = format!("\0\0\0\0\n{whole}\0\0");
        let nul = || Some(Why::Nul);
        assert_eq!(wrong(zeros.as_bytes()), [nul(), None, nul()]);
        for (text, said) in [
            ("no run\n", "no run: expected ident at column 2"),
            ("[]\n", "no run: invalid length 0"),
            ("\u{feff}{}\n", "no run: expected value at column 1"),
        ] {
            let [Some(why)] = &wrong(text.as_bytes())[..] else {
                panic!("one line")
            };
            assert!(why.to_string().starts_with(said), "{why}");
        }
        let kind = with(&serde_json::json!({"kind": "boom"}));
        let [Some(why)] = &wrong(kind.as_bytes())[..] else {
            panic!("one line")
        };
        assert!(why.to_string().contains("unknown variant `boom`"), "{why}");
    }

    #[test]
    fn a_line_without_end_costs_no_memory_and_the_next_one_is_read() {
        let whole = with(&serde_json::json!({}));
        let long = std::io::repeat(b'x').take(LONGEST + 10);
        let mut text = BufReader::new(long.chain(&b"\n"[..]).chain(whole.as_bytes()));
        let mut found = Vec::new();
        read_from(&mut text, &mut |line| {
            found.push(line.map(|_| ()).map_err(|bad| (bad.number, bad.why)));
        })
        .expect("read");
        assert_eq!(found, [Err((1, Why::TooLong)), Ok(())]);
    }
}

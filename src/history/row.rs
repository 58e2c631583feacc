//! The part of a line that questions are asked about: borrowed from its text, since a fleet's file has millions of them.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufRead};

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::Kind;
use super::read::{BadLine, Laid, parse, texts};

/// A text of a line, borrowed where nothing in it is escaped.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// One run, as far as `agxrun history` asks; [`super::RunLine`] has the fields' meanings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[allow(missing_docs)] // said there
pub struct Row<'a> {
    pub schema: u32,
    #[serde(borrow)]
    pub id: Text<'a>,
    pub started: DateTime<Utc>,
    pub wall: f64,
    pub host: Text<'a>,
    pub os: Text<'a>,
    pub hardware: Option<Text<'a>>,
    pub agxrun: Text<'a>,
    pub library: Option<Text<'a>>,
    pub command: Vec<Text<'a>>,
    pub program: Text<'a>,
    pub directory: Text<'a>,
    pub fix: Text<'a>,
    pub throttle: Option<u16>,
    pub lock_scope: Option<Text<'a>>,
    pub series: Option<Text<'a>>,
    pub arm: Option<Text<'a>>,
    pub slot: Option<u64>,
    pub pid: Option<i32>,
    pub exit_code: Option<u8>,
    pub signal_name: Option<Text<'a>>,
    pub verdict: u8,
    pub kind: Kind,
    pub crash: Option<Text<'a>>,
    pub title: Option<Text<'a>>,
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Laid for Row<'_> {
    fn schema(&self) -> u32 {
        self.schema
    }
}

impl Row<'_> {
    /// The command as one text.
    pub fn command_line(&self) -> String {
        let mut line = String::with_capacity(64);
        for (at, word) in self.command.iter().enumerate() {
            if at > 0 {
                line.push(' ');
            }
            line.push_str(&word.0);
        }
        line
    }
}

/// Takes a run and the text of its line.
pub type EachRow<'a> = dyn FnMut(Result<(Row<'_>, &[u8]), BadLine>) + 'a;

/// Hands every line over, each with its text.
///
/// # Errors
/// Where the source cannot be read; what was read before has been handed over.
pub fn rows_from(source: &mut dyn BufRead, each: &mut EachRow<'_>) -> io::Result<()> {
    texts(source, &mut |number, text| {
        let row = text.and_then(|text| Ok((parse(text)?, text)));
        each(row.map_err(|why| BadLine { number, why }));
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_part_of_its_line_and_borrows_it() {
        let line = super::super::line::tests::line();
        let text = serde_json::to_string(&line).expect("serialised");
        let mut rows = 0;
        rows_from(&mut text.as_bytes(), &mut |row| {
            let (row, whole) = row.expect("a row");
            assert_eq!(whole, text.as_bytes());
            assert_eq!((&*row.id.0, row.started), (&*line.id, line.started));
            assert_eq!(row.command_line(), line.command.join(" "));
            assert!(matches!(row.host.0, Cow::Borrowed(_)));
            assert!(matches!(row.crash, Some(Text(Cow::Borrowed(_)))));
            rows += 1;
        })
        .expect("read");
        assert_eq!(rows, 1);
    }
}

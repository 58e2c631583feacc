//! A number that the target prints, picked from its output by a pattern.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use regex_lite::Regex;

/// The longest part of a line that is looked at, in bytes: a target that prints no line end must not fill the memory.
const LONGEST: u64 = 1024 * 1024;

/// The pattern of `--metric`.
#[derive(Debug, Clone)]
pub struct Metric {
    pattern: Regex,
}

/// Why a pattern cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "not a regular expression: {0} (hint: such as 'throughput: ([0-9.]+)', the first group being the number)"
)]
pub struct MetricError(#[from] regex_lite::Error);

impl Metric {
    /// Reads a pattern. Its first group is the number, or all of it where it has none.
    ///
    /// # Errors
    /// [`MetricError`] where it is no regular expression.
    pub fn new(pattern: &str) -> Result<Self, MetricError> {
        Ok(Self {
            pattern: Regex::new(pattern)?,
        })
    }

    /// As it was written.
    pub fn pattern(&self) -> &str {
        self.pattern.as_str()
    }

    /// The number in a line: of its last match that is a finite number.
    pub fn in_line(&self, line: &str) -> Option<f64> {
        let numbers = self.pattern.captures_iter(line).filter_map(|found| {
            let text = found.get(1).or_else(|| found.get(0))?.as_str();
            text.trim().parse().ok().filter(|it: &f64| it.is_finite())
        });
        numbers.last()
    }

    /// The number in a text: of the last line that has one, as a program that reports progress prints the result last.
    pub fn in_text(&self, text: impl Read) -> io::Result<Option<f64>> {
        let mut reader = BufReader::new(text);
        let mut line = Vec::new();
        let mut last = None;
        loop {
            line.clear();
            if reader.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
                return Ok(last);
            }
            last = self.in_line(&String::from_utf8_lossy(&line)).or(last);
        }
    }

    /// The number in the first of these files that has one; a file that is not there has none.
    pub fn in_files(&self, files: &[&Path]) -> io::Result<Option<f64>> {
        for path in files {
            let found = match File::open(path) {
                Ok(file) => self.in_text(file)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, text: &str) -> Option<f64> {
        let metric = Metric::new(pattern).expect("a pattern");
        metric.in_text(text.as_bytes()).expect("read")
    }

    #[test]
    fn the_first_group_of_the_last_match_is_the_number() {
        let text = "warm-up: 12.5 it/s\nrun: 99 it/s\nrun: 101.25 it/s\ndone\n";
        assert_eq!(found(r"run: ([0-9.]+) it/s", text), Some(101.25));
        assert_eq!(found(r"[0-9.]+ it", text), None, "`101.25 it` is no number");
        assert_eq!(found(r"[0-9.]+", "1 2 3"), Some(3.0));
        assert_eq!(found(r"run: (\S+)", "run: 1e3\nrun: none\n"), Some(1000.0));
        assert_eq!(found(r"(\S+)", "nan\n"), None);
        assert_eq!(found("x", ""), None);
    }

    #[test]
    fn a_line_without_end_is_read_in_pieces() {
        let metric = Metric::new("n=([0-9]+)").expect("a pattern");
        let endless = io::repeat(b'a').take(3 * LONGEST).chain(&b" n=7"[..]);
        assert_eq!(metric.in_text(endless).expect("read"), Some(7.0));
    }

    #[test]
    fn files_are_asked_in_their_order_and_need_not_be_there() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [out, err] = ["out", "err"].map(|name| folder.path().join(name));
        let metric = Metric::new("n=([0-9]+)").expect("a pattern");
        let find = || metric.in_files(&[&out, &err]).expect("read");
        assert_eq!(find(), None);
        std::fs::write(&err, "n=2").expect("written");
        assert_eq!(find(), Some(2.0));
        std::fs::write(&out, "n=1").expect("written");
        assert_eq!(find(), Some(1.0));
    }

    #[test]
    fn what_is_no_pattern_is_said_to_be_none() {
        let error = Metric::new("(").expect_err("open").to_string();
        assert!(error.starts_with("not a regular expression: "), "{error}");
    }
}

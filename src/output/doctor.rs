//! The answer of `doctor`: a line for each finding, and what they come to.

use std::fmt::Write;

use serde::Serialize;

use super::terminal::{DIM, ERROR, OK, STRONG, WARNING, visible, visible_up_to};
use crate::doctor::{Finding, Level};

/// How much of one finding is shown, in characters: names may be as long as files may be named. JSON has them whole.
const WIDTH: usize = 600;

/// All findings.
#[derive(Debug, Serialize)]
pub struct Answer<'a> {
    /// Version of this layout.
    pub schema: u32,
    /// Which agxrun answers.
    pub agxrun: &'static str,
    /// How many are errors.
    pub errors: usize,
    /// How many are warnings.
    pub warnings: usize,
    /// In the order in which they are to be read.
    pub findings: &'a [Finding],
}

impl<'a> Answer<'a> {
    /// What these findings come to.
    pub fn of(findings: &'a [Finding]) -> Self {
        let count = |level: Level| {
            findings
                .iter()
                .filter(|finding| finding.level == level)
                .count()
        };
        Self {
            schema: 1,
            agxrun: env!("CARGO_PKG_VERSION"),
            errors: count(Level::Error),
            warnings: count(Level::Warning),
            findings,
        }
    }

    /// The screen.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut before = "";
        for finding in self.findings {
            text += &line(finding, before);
            before = finding.check;
        }
        text.push('\n');
        text += &self.outcome();
        text.push('\n');
        text
    }

    fn outcome(&self) -> String {
        let warnings = match self.warnings {
            0 => "no warning".to_owned(),
            1 => "1 warning".to_owned(),
            many => format!("{many} warnings"),
        };
        match self.errors {
            0 if self.warnings == 0 => format!("{OK}ok{OK:#}: nothing to do"),
            0 => format!("{OK}ok{OK:#}: no error, {warnings}"),
            1 => format!("{ERROR}FAILED{ERROR:#}: 1 error, {warnings}"),
            many => format!("{ERROR}FAILED{ERROR:#}: {many} errors, {warnings}"),
        }
    }
}

/// Level, check, what was seen; below it what to do. A check's name stands on its first line only.
fn line(finding: &Finding, before: &str) -> String {
    let (style, word) = match finding.level {
        Level::Ok => (OK, "ok"),
        Level::Warning => (WARNING, "warning"),
        Level::Error => (ERROR, "error"),
    };
    let name = if finding.check == before {
        ""
    } else {
        finding.check
    };
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{style}{word:<7}{style:#}  {STRONG}{name:<11}{STRONG:#}  {}",
        visible_up_to(WIDTH, &finding.says)
    );
    if let Some(remedy) = &finding.remedy {
        let _ = writeln!(text, "{:22}{DIM}to do:{DIM:#} {}", "", visible(remedy));
    }
    text
}

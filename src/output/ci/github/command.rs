//! Workflow commands: `::error title=...,file=...::message`.
//!
//! Their escaping is that of `@actions/core` (`toolkit/packages/core/src/command.ts`), which the runner undoes
//! (`Runner.Common/ActionCommand.cs`).

use std::fmt;

/// How an annotation is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something failed.
    Error,
    /// Something is to be looked at.
    Warning,
    /// A remark.
    Notice,
}

/// An annotation. Shown as the line that the runner reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// How it is shown.
    pub level: Level,
    /// Its heading.
    pub title: String,
    /// The file that it is about, from the checkout.
    pub file: Option<String>,
    /// What it says; may have several lines.
    pub message: String,
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Notice => "notice",
        };
        write!(f, "::{level} title={}", property(&self.title))?;
        if let Some(file) = &self.file {
            write!(f, ",file={}", property(file))?;
        }
        write!(f, "::{}", data(&self.message))
    }
}

/// Text after the second `::`. The percent sign first, or the others would be escaped twice.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property's value: what ends it is escaped, too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_property_or_the_line_is_escaped() {
        let command = Command {
            level: Level::Error,
            title: "50% of a, b: c".to_owned(),
            file: Some("crash_logs/a,b.ips".to_owned()),
            message: "first: 1, 2\r\n::error::second %0A".to_owned(),
        };
        assert_eq!(
            command.to_string(),
            "::error title=50%25 of a%2C b%3A c,file=crash_logs/a%2Cb.ips::first: 1, 2%0D%0A::error::second %250A"
        );
    }
}

//! A report as text, line by line as the system itself translates it.
//!
//! Apple's translation has had several layouts, told apart by the release that wrote the report;
//! see `layout.rs`. What a report does not give has no line here, and every value is made safe for
//! a terminal, where Apple writes line breaks of a symbol's name as they are.

use std::fmt::Write;

use super::terminal::visible;
use crate::reports::Report;

mod events;
mod failure;
mod head;
mod images;
mod json;
mod layout;
mod registers;
mod text;
mod threads;

pub use json::{Document, SCHEMA};
use layout::Layout;
pub use text::{raw, text_report};

/// What is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TranslateOptions {
    /// Which threads.
    pub threads: Threads,
    /// Whether C++ and Rust names that the report has mangled are shown as their source spells
    /// them.
    pub demangle: bool,
}

impl Default for TranslateOptions {
    fn default() -> Self {
        Self {
            threads: Threads::All,
            demangle: true,
        }
    }
}

/// Which threads are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// All of them, and what follows them.
    All,
    /// One, by its place in the report from 0, and nothing that follows; its registers, where it
    /// is the one that crashed.
    One(usize),
}

/// The report as text, each line ended by a line break.
pub fn translate(report: &Report, options: &TranslateOptions) -> String {
    let mut page = Page::default();
    if !report.is_process_crash() && report.threads.is_empty() {
        events::write(&mut page, report);
        return page.text;
    }
    let layout = Layout::of(report);
    head::write(&mut page, report, layout);
    failure::write(&mut page, report, layout);
    threads::write(&mut page, report, layout, options);
    if options.threads == Threads::All {
        images::write(&mut page, report, layout);
    }
    page.text
}

/// The text so far.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    /// A line of ours, or of parts that are safe already.
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn blank(&mut self) {
        self.text.push('\n');
    }

    /// A key, its colon, and a value from the column `width` on.
    fn pair(&mut self, width: usize, key: &str, value: &str) {
        let start = self.text.len();
        self.text.push_str(key);
        self.text.push(':');
        let written = self.text.len() - start;
        for _ in written..width {
            self.text.push(' ');
        }
        let value = visible(value);
        self.line(&value);
    }

    /// [`Page::pair`], where there is a value.
    fn pair_of<T: std::fmt::Display>(&mut self, width: usize, key: &str, value: Option<T>) {
        if let Some(value) = value {
            self.pair(width, key, &value.to_string());
        }
    }

    /// Lines of a text from the report; an end of line at its own end gives an empty one.
    fn lines(&mut self, text: &str) {
        for line in text.split('\n') {
            let line = visible(line);
            self.line(&line);
        }
    }

    /// Formatted text without an end of line.
    fn put(&mut self, arguments: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.text.write_fmt(arguments);
    }
}

/// `name [pid]`, with what is known of both.
fn process(name: Option<&str>, pid: Option<i32>) -> Option<String> {
    match (name, pid) {
        (Some(name), Some(pid)) => Some(format!("{name} [{pid}]")),
        (Some(name), None) => Some(name.to_owned()),
        (None, Some(pid)) => Some(format!("??? [{pid}]")),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests;

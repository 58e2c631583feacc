//! Reports that are text already.

use std::fmt::Write;

use super::{Page, Threads, TranslateOptions, visible};
use crate::reports::symbols;

/// A text report, line by line as its writer laid it out, with one form of line end, mangled names
/// read, and control characters shown. `content` may have a JSON header line, which is left out.
pub fn text_report(content: &str, options: &TranslateOptions) -> String {
    let content = content.trim_start_matches('\u{feff}');
    let content = match content.split_once('\n') {
        Some((header, body)) if header.starts_with('{') => body,
        _ => content,
    };
    let mut page = Page::default();
    let mut section = Section::Head;
    for line in content.lines() {
        section = section.after(line);
        if section.is_shown(options.threads) {
            put(&mut page, line, options);
        }
    }
    page.text
}

fn put(page: &mut Page, line: &str, options: &TranslateOptions) {
    if options.demangle {
        page.line(&shown(&symbols::demangle_line(line)));
    } else {
        page.line(&shown(line));
    }
}

/// A whole file as it is, but for control characters, which are shown, and bytes that are no
/// UTF-8, which are written as `\xNN`.
pub fn raw(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for (number, line) in chunk.valid().split('\n').enumerate() {
            if number > 0 {
                text.push('\n');
            }
            text.push_str(&shown(line));
        }
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// [`visible`], with tabs left as they are: frames have them.
fn shown(line: &str) -> String {
    let parts: Vec<String> = line.split('\t').map(visible).collect();
    parts.join("\t")
}

/// Where in the report a line stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    /// Before the first thread.
    Head,
    /// A thread by its number, or its registers.
    Thread(usize),
    /// What follows the threads.
    Rest,
}

impl Section {
    fn after(self, line: &str) -> Self {
        let line = line.trim();
        if line == "Binary Images:" {
            return Self::Rest;
        }
        let number = line.strip_prefix("Thread ").and_then(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_digit())?;
            let (number, mark) = rest.split_at_checked(end)?;
            let begins = [":", " Crashed", " name", " crashed", " instruction"];
            begins
                .iter()
                .any(|begin| mark.starts_with(begin))
                .then(|| number.parse().ok())?
        });
        number.map_or(self, Self::Thread)
    }

    fn is_shown(self, threads: Threads) -> bool {
        match threads {
            Threads::All => true,
            Threads::One(number) => self == Self::Head || self == Self::Thread(number),
        }
    }
}

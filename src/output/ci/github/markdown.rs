//! Text in GitHub's Markdown: nothing that a target or a report says is obeyed.

use std::fmt::Write;

use crate::output::terminal::is_hidden;

/// Text of somebody else's on one line, to be read as it is. Any ASCII punctuation may be escaped with a backslash
/// (CommonMark 0.31, 2.4); here what begins something in the middle of a line or in a table.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&'
            | '$' | '!' | '@' | ':' => {
                safe.push('\\');
                safe.push(c);
            }
            '\n' | '\r' | '\t' => safe.push(' '),
            c if is_hidden(c) => {
                for c in c.escape_default() {
                    // `\u{1b}`: its own backslash and braces are to be read, too.
                    if matches!(c, '\\' | '{' | '}') {
                        safe.push('\\');
                    }
                    safe.push(c);
                }
            }
            c => safe.push(c),
        }
    }
    safe
}

/// A block of text as it is; its fence is longer than any in it.
pub fn fenced(text: &str) -> String {
    let longest = text
        .split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    let shown: String = text
        .chars()
        .map(|c| {
            if c != '\n' && is_hidden(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect();
    format!("{fence}text\n{}\n{fence}\n", shown.trim_end_matches('\n'))
}

/// How a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table of texts, which are escaped. A row that is too short is filled up.
pub fn table(columns: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = String>| {
        text.push('|');
        for cell in cells {
            // Writing to a String cannot fail.
            let _ = write!(text, " {cell} |");
        }
        text.push('\n');
    };
    line(&mut columns.iter().map(|(name, _)| escape(name)));
    line(&mut columns.iter().map(|(_, align)| match align {
        Align::Left => ":---".to_owned(),
        Align::Right => "---:".to_owned(),
    }));
    for row in rows {
        line(
            &mut (0..columns.len())
                .map(|at| row.get(at).map_or_else(String::new, |cell| escape(cell))),
        );
    }
    text
}

//! Lines for people: the prefix, colours, errors with their causes.

use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anstyle::{AnsiColor, Style};

use crate::cli::Color;

/// What is wrong.
pub const ERROR: Style = AnsiColor::Red.on_default().bold();
/// What should be looked at.
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// What is well.
pub const OK: Style = AnsiColor::Green.on_default().bold();
/// What matters in a line.
pub const STRONG: Style = Style::new().bold();
/// What may be skipped.
pub const DIM: Style = Style::new().dimmed();

/// Applies `--color`; `auto` asks the stream, `NO_COLOR`, `CLICOLOR` and `TERM`.
pub fn set_color(color: Color) {
    match color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

/// An error with its chain of causes, on stderr.
pub fn error(error: &anyhow::Error) {
    anstream::eprintln!("agxrun: {ERROR}error{ERROR:#}: {error}");
    let mut said = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // A message that names its cause itself is one line.
        if !said.contains(&cause) {
            anstream::eprintln!("  caused by: {cause}");
            said = cause;
        }
    }
}

/// A warning, on stderr.
pub fn warning(text: &str) {
    anstream::eprintln!("agxrun: {WARNING}warning{WARNING:#}: {text}");
}

/// A remark, on stderr.
pub fn note(text: &str) {
    anstream::eprintln!("agxrun: {text}");
}

/// An answer, on stdout. A reader that has gone away (`| head`) is no failure.
pub fn print(text: &str) -> io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    gone_is_fine(writeln!(stdout, "{}", text.trim_end_matches('\n')).and_then(|()| stdout.flush()))
}

/// A path on stdout, byte for byte: it may be no text.
pub fn print_path(path: &Path) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let bytes = path.as_os_str().as_bytes();
    gone_is_fine(stdout.write_all(bytes).and_then(|()| writeln!(stdout)))
}

fn gone_is_fine(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Text of the target's or of a report, made safe for a terminal: no control characters.
pub fn visible(text: &str) -> String {
    if !text.chars().any(char::is_control) {
        return text.to_owned();
    }
    text.chars()
        .flat_map(|c| {
            let escaped: Box<dyn Iterator<Item = char>> = if c.is_control() {
                Box::new(c.escape_default())
            } else {
                Box::new(Some(c).into_iter())
            };
            escaped
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_not_obeyed() {
        assert_eq!(visible("plain é"), "plain é");
        assert_eq!(visible("a\u{1b}[31mb\nc"), "a\\u{1b}[31mb\\nc");
    }
}

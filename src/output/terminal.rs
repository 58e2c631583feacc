//! Lines for people: the prefix, colours, errors with their causes.

use std::io::{self, Write};
use std::ops::ControlFlow;
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

/// An error with its causes, on stderr: one line, unless it passes on what a compiler said.
pub fn error(error: &anyhow::Error) {
    anstream::eprintln!("agxrun: {ERROR}error{ERROR:#}: {}", chain(error));
}

/// An error and its causes in one sentence. Many errors name their cause themselves.
pub fn chain(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    let lines: Vec<_> = text.lines().map(visible).collect();
    lines.join("\n")
}

/// A warning, on stderr.
pub fn warning(text: &str) {
    anstream::eprintln!("agxrun: {WARNING}warning{WARNING:#}: {}", visible(text));
}

/// A remark, on stderr.
pub fn note(text: &str) {
    anstream::eprintln!("agxrun: {}", visible(text));
}

/// An answer, on stdout. A reader that has gone away (`| head`) is no failure.
pub fn print(text: &str) -> io::Result<()> {
    print_on(text).map(|_| ())
}

/// [`print()`] for answers that go on: says whether anybody still reads.
pub fn print_on(text: &str) -> io::Result<ControlFlow<()>> {
    let mut stdout = anstream::stdout().lock();
    let written = writeln!(stdout, "{}", text.trim_end_matches('\n')).and_then(|()| stdout.flush());
    match written {
        Ok(()) => Ok(ControlFlow::Continue(())),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
        Err(error) => Err(error),
    }
}

/// Bytes on stdout as they are: those of a file, or text that was made safe already.
pub fn print_bytes(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    gone_is_fine(stdout.write_all(bytes).and_then(|()| stdout.flush()))
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

/// Text of the target's or of a report, made safe for a terminal: nothing that moves the cursor,
/// turns the direction of writing, breaks the line, or is not seen at all.
pub fn visible(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Whether a character is not seen as such on a terminal: control characters, and those that format
/// text.
pub fn is_hidden(c: char) -> bool {
    c.is_control() || is_deceptive(c)
}

/// Characters that format text and show nothing of themselves: bidirectional controls (Unicode
/// Standard Annex 9), line and paragraph separators, zero-width and tag characters.
fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

/// [`visible`], and no longer than `width` characters: what is left out is counted.
pub fn visible_up_to(width: usize, text: &str) -> String {
    match text.char_indices().nth(width) {
        None => visible(text),
        Some((at, _)) => format!("{}… ({} bytes more)", visible(&text[..at]), text.len() - at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_not_obeyed() {
        assert_eq!(visible("plain é"), "plain é");
        assert_eq!(visible("a\u{1b}[31mb\nc"), "a\\u{1b}[31mb\\nc");
    }

    #[test]
    fn what_turns_the_direction_or_hides_is_shown_too() {
        let hostile = "a\u{202e}b\u{2066}c\u{200b}d\u{2028}e\u{9b}f\u{feff}";
        let shown = visible(hostile);
        assert_eq!(
            shown,
            "a\\u{202e}b\\u{2066}c\\u{200b}d\\u{2028}e\\u{9b}f\\u{feff}"
        );
    }

    #[test]
    fn long_text_is_cut_between_characters_and_the_rest_counted() {
        assert_eq!(visible_up_to(3, "äöü"), "äöü");
        assert_eq!(visible_up_to(2, "äöüß"), "äö… (4 bytes more)");
    }

    #[test]
    fn an_error_and_its_causes_are_one_line_and_each_is_said_once() {
        let cause = std::io::Error::other("disk\u{1b}[0m gone");
        let error = anyhow::Error::new(cause).context("cannot write `x`");
        assert_eq!(chain(&error), "cannot write `x`: disk\\u{1b}[0m gone");
        let error = anyhow::anyhow!("gone").context("cannot write: gone (hint: mount it)");
        assert_eq!(chain(&error), "cannot write: gone (hint: mount it)");
    }
}

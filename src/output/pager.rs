//! Long answers through a pager, where a person reads them.

use std::ffi::OsString;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process::{Command, Stdio};

use anstream::{AutoStream, ColorChoice};
use nix::sys::signal::{SigSet, Signal};
use unicode_width::UnicodeWidthStr;

use super::terminal;

/// Leaves at once what fits (`F`), passes colours on (`R`), and leaves the text on the screen (`X`).
const LESS: &str = "FRX";

/// The terminal that stdout is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Cells of a line.
    pub width: usize,
    /// Lines.
    pub height: usize,
}

/// The terminal on stdout; `None` where stdout is none. One that does not say its size, as
/// serial lines and some build services, has 80 by 24.
pub fn screen() -> Option<Screen> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let size = terminal_size::terminal_size_of(io::stdout());
    let (width, height) = size.map_or((0, 0), |(width, height)| (width.0, height.0));
    let or = |said: u16, usual| if said == 0 { usual } else { usize::from(said) };
    Some(Screen {
        width: or(width, 80),
        height: or(height, 24),
    })
}

/// The pager to use: the environment's, unless the user wants none.
pub fn wanted(no_pager: bool) -> Option<OsString> {
    (!no_pager)
        .then(|| pager(|name| std::env::var_os(name)))
        .flatten()
}

/// Which pager the environment names: `AGXRUN_PAGER`, else `PAGER`, else `less`. `None`: none, as
/// an empty value and `cat` mean.
pub fn pager(variable: impl Fn(&str) -> Option<OsString>) -> Option<OsString> {
    let named = variable("AGXRUN_PAGER").or_else(|| variable("PAGER"));
    let pager = named.unwrap_or_else(|| OsString::from(format!("less -{LESS}")));
    let none = pager
        .to_str()
        .is_some_and(|text| matches!(text.trim(), "" | "cat"));
    (!none).then_some(pager)
}

/// Prints an answer: through the pager where stdout is a terminal and too low for it.
///
/// # Errors
/// Where stdout cannot be written. A pager that cannot be started is told, and done without.
pub fn print(text: &str, screen: Option<Screen>, pager: Option<OsString>) -> io::Result<()> {
    let long = screen.filter(|screen| rows(text, screen.width) >= screen.height);
    match (long, pager) {
        (Some(_), Some(pager)) => through(text, &pager),
        _ => terminal::print(text),
    }
}

/// Lines that a text takes on a terminal, those that wrap counted in full.
fn rows(text: &str, width: usize) -> usize {
    let plain = anstream::adapter::strip_str(text).to_string();
    let rows = |line: &str| line.width().max(1).div_ceil(width.max(1));
    plain.lines().map(rows).sum()
}

fn through(text: &str, pager: &OsString) -> io::Result<()> {
    let mut command = Command::new("sh");
    // By the shell, as in every program that has a pager: the value may have arguments.
    command.arg("-c").arg(pager).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        command.env("LESS", LESS);
    }
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            terminal::warning(&format!("cannot start a pager ({error})"));
            return terminal::print(text);
        }
    };
    // Ctrl-C belongs to the pager while it runs: were we ended by it, the shell would take the
    // terminal from under it. Blocked after the start, as the pager would inherit it.
    let mut keys = SigSet::empty();
    keys.add(Signal::SIGINT);
    keys.add(Signal::SIGQUIT);
    keys.thread_block()?;
    let mut stdin = child.stdin.take().expect("it was asked for");
    let shown = match AutoStream::choice(&io::stdout()) {
        ColorChoice::Never => anstream::adapter::strip_str(text).to_string(),
        _ => text.to_owned(),
    };
    let written = writeln!(stdin, "{}", shown.trim_end_matches('\n'));
    drop(stdin);
    let status = child.wait()?;
    match written {
        // 126 and 127 are the shell's: there is no such pager.
        _ if matches!(status.code(), Some(126 | 127)) => {
            terminal::warning(&format!(
                "the pager `{}` cannot be started (set AGXRUN_PAGER or PAGER, or use --no-pager)",
                pager.to_string_lossy()
            ));
            terminal::print(text)
        }
        // The reader has seen enough.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<OsString> + 'a {
        |name| {
            let found = pairs.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| OsString::from(value))
        }
    }

    #[test]
    fn our_own_variable_comes_first_and_an_empty_one_means_none() {
        assert_eq!(pager(named(&[])), Some("less -FRX".into()));
        assert_eq!(pager(named(&[("PAGER", "more")])), Some("more".into()));
        let both = [("PAGER", "more"), ("AGXRUN_PAGER", "most -s")];
        assert_eq!(pager(named(&both)), Some("most -s".into()));
        assert_eq!(
            pager(named(&[("PAGER", "more"), ("AGXRUN_PAGER", "")])),
            None
        );
        assert_eq!(pager(named(&[("PAGER", "cat")])), None);
    }

    #[test]
    fn lines_that_wrap_count_in_full_and_colours_do_not() {
        assert_eq!(rows("", 10), 0);
        assert_eq!(rows("a\n\nb\n", 10), 3);
        assert_eq!(rows("0123456789", 10), 1);
        assert_eq!(rows("0123456789a", 10), 2);
        assert_eq!(rows("\u{1b}[1m0123456789\u{1b}[0m", 10), 1);
        assert_eq!(rows("日本語日本", 10), 1);
    }
}

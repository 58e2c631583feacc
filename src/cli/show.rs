use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::{ColorArgs, SourceArgs};

/// Options of `show`.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools)] // each is a flag of its own
#[command(after_help = "\
Exit codes: 0 shown; 125 there is no such report, or it cannot be read.")]
pub struct ShowArgs {
    /// A file, `latest`, or, of the reports on record, an incident's id or the beginning of an id or of a file's name.
    #[arg(value_name = "REPORT")]
    pub report: OsString,
    /// Show one thread by its number, or all.
    #[arg(long, value_name = "N|all", default_value = "all", value_parser = parse_thread, allow_negative_numbers = true)]
    pub thread: ThreadChoice,
    /// Print what was read, as JSON.
    #[arg(long, conflicts_with_all = ["raw", "thread", "no_demangle"])]
    pub json: bool,
    /// Print the file as it is; a terminal is shown control characters, not given them.
    #[arg(long, conflicts_with_all = ["thread", "no_demangle"])]
    pub raw: bool,
    /// Explain the crash by this audit (`agxrun audit --output FILE`) [default: the one that `agxrun audit` kept of the
    /// driver's build].
    #[arg(long, value_name = "FILE", conflicts_with = "raw")]
    pub audit: Option<PathBuf>,
    /// Leave C++ and Rust names as the report has them.
    #[arg(long)]
    pub no_demangle: bool,
    /// Do not send long output through a pager [env: AGXRUN_PAGER, PAGER; without them less -FRX].
    #[arg(long)]
    pub no_pager: bool,
    /// Where reports are.
    #[command(flatten)]
    pub sources: SourceArgs,
    /// Colours.
    #[command(flatten)]
    pub color: ColorArgs,
}

/// Which threads are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThreadChoice {
    /// All of them.
    All,
    /// One, by its number.
    One(usize),
}

fn parse_thread(text: &str) -> Result<ThreadChoice, String> {
    if text == "all" {
        return Ok(ThreadChoice::All);
    }
    text.parse()
        .map(ThreadChoice::One)
        .map_err(|_| "expected a thread's number, such as 0, or `all`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_a_number_or_all() {
        assert_eq!(parse_thread("all"), Ok(ThreadChoice::All));
        assert_eq!(parse_thread("12"), Ok(ThreadChoice::One(12)));
        for text in ["", "-1", "1.5", "main", "99999999999999999999999"] {
            parse_thread(text).expect_err(text);
        }
    }
}

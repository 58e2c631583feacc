//! How far an audit is.

use std::path::Path;

use indicatif::ProgressBar;

use crate::audit::report::{Progress, Stage};
use crate::output::spinner::spinner;
use crate::output::terminal::visible;

/// A moving line on a terminal, gone when this is dropped; elsewhere nothing: an audit takes seconds.
#[derive(Debug, Default)]
pub struct Waiting {
    bar: Option<ProgressBar>,
    file: String,
    /// Bytes that are done of the stage, and that there are; 0 where it does not say.
    done: u64,
    bytes: u64,
    doing: &'static str,
}

impl Waiting {
    /// The audit is over.
    pub fn done(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Waiting {
    fn file(&mut self, path: &Path) {
        let name = path.file_name().unwrap_or(path.as_os_str());
        self.file = visible(&name.to_string_lossy());
    }

    fn stage(&mut self, stage: Stage) {
        self.done = 0;
        self.bytes = match stage {
            Stage::Bypass { bytes } => bytes,
            _ => 0,
        };
        self.doing = doing(stage);
        self.show();
    }

    fn advance(&mut self, bytes: u64) {
        self.done += bytes;
        self.show();
    }
}

impl Waiting {
    fn show(&mut self) {
        let line = line(&self.file, self.doing, self.done, self.bytes);
        self.bar.get_or_insert_with(spinner).set_message(line);
    }
}

/// What is being done with a file, and how much of it where that is known.
fn line(file: &str, doing: &str, done: u64, bytes: u64) -> String {
    match (done.saturating_mul(100)).checked_div(bytes) {
        Some(percent) => format!("{file}: {doing}, {} %", percent.min(100)),
        None => format!("{file}: {doing}"),
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.done();
    }
}

fn doing(stage: Stage) -> &'static str {
    match stage {
        Stage::Tables => "reading the loader's tables",
        Stage::Metadata => "reading classes and methods",
        Stage::Functions => "finding functions",
        Stage::Coverage => "asking each policy about each method",
        Stage::Bypass { .. } => "looking for ways past the hooks",
        Stage::Race => "following what the code does with _impl",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_much_is_done_is_said_where_it_is_known() {
        let doing = doing(Stage::Bypass { bytes: 200 });
        for (done, bytes, end) in [
            (0, 0, "hooks"),
            (0, 200, "hooks, 0 %"),
            (101, 200, "hooks, 50 %"),
            (300, 200, "hooks, 100 %"),
            (u64::MAX, 1, "hooks, 100 %"),
        ] {
            let line = line("driver", doing, done, bytes);
            assert_eq!(line, format!("driver: looking for ways past the {end}"));
        }
    }
}

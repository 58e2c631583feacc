//! How far an audit is.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::audit::report::{Progress, Stage};
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
        let mut line = format!("{}: {}", self.file, self.doing);
        if let Some(percent) = (self.done * 100).checked_div(self.bytes) {
            // Writing to a String cannot fail.
            let _ = write!(line, ", {} %", percent.min(100));
        }
        self.bar.get_or_insert_with(spinner).set_message(line);
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

fn spinner() -> ProgressBar {
    // Hidden where stderr is no terminal.
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("agxrun: {spinner} {wide_msg} {elapsed}");
    bar.set_style(style.expect("the template is well formed"));
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

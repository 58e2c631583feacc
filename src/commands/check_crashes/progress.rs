//! How far reading is, for whoever waits for it.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Fewer files are read before anybody wonders.
const WORTH_TELLING: usize = 500;

/// A moving line on stderr where that is a terminal; gone when this is dropped.
pub(in crate::commands) struct Progress(ProgressBar);

impl Progress {
    pub(in crate::commands) fn over(files: usize) -> Self {
        if files < WORTH_TELLING {
            return Self(ProgressBar::hidden());
        }
        // Hidden where stderr is no terminal.
        let bar = ProgressBar::with_draw_target(Some(files as u64), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template(
            "agxrun: reading reports {wide_bar} {pos}/{len}, {eta} left",
        );
        bar.set_style(style.expect("the template is well formed"));
        Self(bar)
    }

    pub(in crate::commands) fn step(&self) {
        self.0.inc(1);
    }

    pub(in crate::commands) fn set(&self, done: usize) {
        self.0.set_position(done as u64);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

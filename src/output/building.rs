//! Telling that a piece is being built, to whoever waits for it.

use indicatif::ProgressBar;

use super::spinner::spinner;
use super::terminal::{self, visible};
use crate::inject::Artifact;
use crate::inject::build::Stage;

/// A moving line on a terminal; elsewhere one line when it begins, since a build takes seconds in which nothing else is said.
/// The moving line is gone when this is dropped.
#[derive(Debug, Default)]
pub struct Building {
    bar: Option<ProgressBar>,
}

impl Building {
    /// Shows where the build of `artifact` stands.
    pub fn show(&mut self, artifact: Artifact, stage: Stage<'_>) {
        let line = sentence(artifact, stage);
        let bar = self.bar.get_or_insert_with(spinner);
        if !bar.is_hidden() {
            bar.set_message(line);
        } else if !matches!(stage, Stage::Cargo(_)) {
            terminal::note(&line);
        }
    }

    /// The build is over.
    pub fn done(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Building {
    fn drop(&mut self) {
        self.done();
    }
}

fn sentence(artifact: Artifact, stage: Stage<'_>) -> String {
    let label = artifact.label();
    match stage {
        Stage::Waiting => format!("another agxrun is building the {label}: waiting for it"),
        Stage::Begun => format!("building the {label}, once for this version of agxrun"),
        Stage::Cargo(doing) => format!("building the {label}, once: {}", visible(doing)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stage_names_the_piece() {
        for (stage, text) in [
            (
                Stage::Waiting,
                "another agxrun is building the fix library: waiting for it",
            ),
            (
                Stage::Begun,
                "building the fix library, once for this version of agxrun",
            ),
            (
                Stage::Cargo("Compiling libc v0.2.180"),
                "building the fix library, once: Compiling libc v0.2.180",
            ),
        ] {
            assert_eq!(sentence(Artifact::FixLibrary, stage), text);
        }
    }
}

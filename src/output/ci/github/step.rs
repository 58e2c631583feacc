//! The step of a job that this runs in.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use super::summary::Summary;

/// A step's summary is uploaded only up to this size, in bytes, all that the step wrote together: the runner answers
/// "upload aborted, supports content up to a size of 1024k".
pub const SUMMARY_LIMIT: u64 = 1024 * 1024;

/// What a step's environment says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// Where its summary is written; `None` outside GitHub Actions.
    pub summary: Option<PathBuf>,
    /// The checkout.
    pub workspace: Option<PathBuf>,
}

/// Why there is no summary.
#[derive(Debug, thiserror::Error)]
pub enum SummaryError {
    /// This is no step of a job.
    #[error(
        "GITHUB_STEP_SUMMARY is not set: there is no step to summarise (--github is for GitHub Actions)"
    )]
    NoStep,
    /// It could not be written.
    #[error("cannot append to GitHub's step summary `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl Step {
    /// The step that this process runs in.
    pub fn current() -> Self {
        let path = |name: &str| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        Self {
            summary: path("GITHUB_STEP_SUMMARY"),
            workspace: path("GITHUB_WORKSPACE"),
        }
    }

    /// Appends as much of the summary as there is room for; where some is left out, it says so itself.
    pub fn append_summary(&self, summary: &Summary) -> Result<(), SummaryError> {
        let path = self.summary.as_ref().ok_or(SummaryError::NoStep)?;
        let io = |source| SummaryError::Io {
            path: path.clone(),
            source,
        };
        let mut file = File::options()
            .append(true)
            .create(true)
            .open(path)
            .map_err(io)?;
        let written = file.metadata().map_err(io)?.len();
        let room = SUMMARY_LIMIT.saturating_sub(written);
        let text = summary.within(usize::try_from(room).unwrap_or(usize::MAX));
        file.write_all(text.as_bytes()).map_err(io)
    }
}

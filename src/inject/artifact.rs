//! The pieces that are built beside `agxrun` and found by file name.

use super::platform::LIBRARY_AFFIXES;

/// A file that a run may need, and the package of this workspace that makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Artifact {
    /// The fix library itself.
    FixLibrary,
    /// Linux only: the preloaded crash handler that stands in for ReportCrash.
    ReportHandler,
    /// Linux only: the program that the crash handler starts to write the report.
    ReportWriter,
    /// The rehearsal driver.
    RehearsalDriver,
    /// The program that drives the rehearsal driver into its faults.
    RehearsalWorkload,
}

/// What a piece is built from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sources {
    /// What travels in `agxrun`.
    Embedded,
    /// The checkout that `agxrun` was built from: the rehearsal is for those who have one.
    Checkout,
}

impl Artifact {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::FixLibrary,
        Self::ReportHandler,
        Self::ReportWriter,
        Self::RehearsalDriver,
        Self::RehearsalWorkload,
    ];

    /// What it is built from.
    pub fn sources(self) -> Sources {
        match self {
            Self::FixLibrary => Sources::Embedded,
            Self::ReportHandler
            | Self::ReportWriter
            | Self::RehearsalDriver
            | Self::RehearsalWorkload => Sources::Checkout,
        }
    }

    /// The file's name on this platform.
    pub fn file_name(self) -> String {
        let (prefix, suffix) = LIBRARY_AFFIXES;
        match self {
            Self::FixLibrary => format!("{prefix}agx_fix{suffix}"),
            Self::ReportHandler => format!("{prefix}agx_rehearsal_reporter{suffix}"),
            Self::RehearsalDriver => format!("{prefix}agx_rehearsal{suffix}"),
            Self::ReportWriter => "agx-rehearsal-reporter".to_owned(),
            Self::RehearsalWorkload => "agx-rehearsal-workload".to_owned(),
        }
    }

    /// The package that makes it.
    pub fn package(self) -> &'static str {
        match self {
            Self::FixLibrary => "agx-fix",
            Self::ReportHandler | Self::ReportWriter => "agx-rehearsal-reporter",
            Self::RehearsalDriver | Self::RehearsalWorkload => "agx-rehearsal",
        }
    }

    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::FixLibrary => "fix library",
            Self::ReportHandler => "report writer's crash handler",
            Self::ReportWriter => "report writer",
            Self::RehearsalDriver => "rehearsal driver",
            Self::RehearsalWorkload => "rehearsal workload",
        }
    }
}

//! The layouts that the translation has had.

use crate::reports::Report;

/// How a release lays out its reports. Seen in public reports of macOS 12 to 26 and iOS 14 to 18.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// macOS before 26: "Report Version: 12".
    Mac,
    /// From 26 on, one layout for all.
    Unified,
    /// The simulator's processes before 26: "Report Version: 104", with images as on macOS.
    Simulator,
    /// iOS and its relatives before 26: "Report Version: 104".
    Device,
}

impl Layout {
    /// The layout of a report.
    pub(super) fn of(report: &Report) -> Self {
        /// The first release with one layout for all.
        const UNIFIED: u32 = 26;
        if major(report).is_some_and(|major| major >= UNIFIED) {
            return Self::Unified;
        }
        let of_simulator = report
            .process
            .coalition_name
            .as_deref()
            .is_some_and(|name| name.starts_with("com.apple.CoreSimulator."));
        if report.system.is_embedded {
            Self::Device
        } else if of_simulator {
            Self::Simulator
        } else {
            Self::Mac
        }
    }

    /// Whether it is one of those with "Report Version: 104".
    pub(super) fn is_embedded(self) -> bool {
        matches!(self, Self::Simulator | Self::Device)
    }
}

/// The release's first number: 15 of `macOS 15.3`.
fn major(report: &Report) -> Option<u32> {
    let release = report
        .system
        .release
        .as_deref()
        .or(report.header.os_version.as_deref())?;
    release
        .split_whitespace()
        .find_map(|word| word.split('.').next()?.parse().ok())
}

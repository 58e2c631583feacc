//! Free space where reports are written and kept.

use std::path::Path;

use crate::doctor::finding::Observation;
use crate::doctor::host::Host;
use crate::doctor::subject::Subject;

/// Room for the largest report that is read: below that a crash may leave none.
const LITTLE: u64 = crate::reports::file::SIZE_LIMIT;
/// Below this a night of crashes may fill it.
const TIGHT: u64 = 1 << 30;

pub(super) fn check(host: &dyn Host, subject: &Subject) -> Vec<Observation> {
    let reports = subject.folders.first().map(|folder| {
        let remedy = "free some: reports are written nowhere else";
        room(host, "reports", &folder.path, remedy)
    });
    // That it is not known is said where the archive is looked at.
    let archive = subject.archive.as_ref().ok().map(|path| {
        let remedy = "free some, or name another folder with --archive";
        room(host, "the archive", path, remedy)
    });
    reports.into_iter().chain(archive).collect()
}

fn room(host: &dyn Host, what: &str, path: &Path, remedy: &str) -> Observation {
    let shown = path.display();
    match host.room(path) {
        Err(reason) => Observation::warning(
            format!("how much is free for {what} (`{shown}`) is not known: {reason}"),
            "`df -h` shows it",
        ),
        Ok(free) if free < LITTLE => Observation::error(
            format!(
                "{} free for {what} (`{shown}`): the next report may be lost",
                size(free)
            ),
            remedy,
        ),
        Ok(free) if free < TIGHT => Observation::warning(
            format!("{} free for {what} (`{shown}`)", size(free)),
            remedy,
        ),
        Ok(free) => Observation::ok(format!("{} free for {what}", size(free))),
    }
}

/// `1.5 GB`, in powers of 1000 as disks are sold.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} bytes");
    }
    #[allow(clippy::cast_precision_loss)] // one decimal is shown
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_the_unit_that_fits() {
        for (bytes, expected) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1500, "1.5 kB"),
            (64 << 20, "67.1 MB"),
            (2_000_000_000, "2.0 GB"),
            (u64::MAX, "18446.7 PB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }
}

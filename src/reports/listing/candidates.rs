//! Which files to read first.

use std::cmp::Reverse;
use std::ffi::OsStr;
use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

use crate::reports::snapshot::Snapshot;

/// A file that may be listed.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Where it is.
    pub path: PathBuf,
    /// When its report was written: by its name, else by its modification time.
    pub written: DateTime<Utc>,
    /// Size, in bytes.
    pub size: u64,
}

/// Every report of the snapshots, the last written first. With `since`, files that were last
/// changed before are left out: what they tell of was earlier still.
pub(super) fn candidates(
    snapshots: &[&Snapshot],
    since: Option<DateTime<Utc>>,
    local: &dyn Fn(NaiveDateTime) -> DateTime<Utc>,
) -> Vec<Candidate> {
    let mut keyed = Vec::new();
    for directory in snapshots.iter().flat_map(|snapshot| &snapshot.directories) {
        for entry in &directory.files {
            let modified = modified(entry.modified);
            if since.is_some_and(|since| modified < since) {
                continue;
            }
            // Sorted by the wall clock first: turning each into UTC costs a time zone look-up.
            keyed.push((stamp_in(&entry.name), modified, directory, entry));
        }
    }
    let mut all: Vec<(DateTime<Utc>, _, _)> = keyed
        .into_iter()
        .map(|(stamp, modified, directory, entry)| {
            (stamp.map_or(modified, local), directory, entry)
        })
        .collect();
    all.sort_by_key(|(written, ..)| Reverse(*written));
    all.into_iter()
        .map(|(written, directory, entry)| Candidate {
            path: directory.path.join(&entry.name),
            written,
            size: entry.size,
        })
        .collect()
}

fn modified(nanoseconds: i128) -> DateTime<Utc> {
    let bounded = nanoseconds.clamp(i64::MIN.into(), i64::MAX.into());
    // The clamp above keeps the value in range.
    DateTime::from_timestamp_nanos(i64::try_from(bounded).unwrap_or(i64::MAX))
}

/// The time of writing in a name: `Python-2025-06-27-123535.ips`, with `.000` before the
/// extension where two share a second, or `Python_2025-06-27-123535_host.crash`. The last such
/// time counts, as the process's name may hold digits too.
pub(in crate::reports) fn stamp_in(name: &OsStr) -> Option<NaiveDateTime> {
    const LENGTH: usize = "2025-06-27-123535".len();
    let bytes = name.as_encoded_bytes();
    bytes.windows(LENGTH).rev().find_map(parse_stamp)
}

fn parse_stamp(window: &[u8]) -> Option<NaiveDateTime> {
    let dashes = [4, 7, 10].iter().all(|at| window.get(*at) == Some(&b'-'));
    if !dashes {
        return None;
    }
    let number = |from: usize, to: usize| -> Option<u32> {
        window.get(from..to)?.iter().try_fold(0, |sum, byte| {
            byte.is_ascii_digit()
                .then(|| sum * 10 + u32::from(byte - b'0'))
        })
    };
    let year = i32::try_from(number(0, 4)?).ok()?;
    let day = NaiveDate::from_ymd_opt(year, number(5, 7)?, number(8, 10)?)?;
    day.and_hms_opt(number(11, 13)?, number(13, 15)?, number(15, 17)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_writing_is_found_in_every_form_of_name() {
        for name in [
            "Python-2025-06-27-123535.ips",
            "Python-2025-06-27-123535.0002.ips",
            "20250628_010203_Python-2025-06-27-123535_2.ips",
            "Python_2025-06-27-123535_host.crash",
            "app-2020-01-01-000000-2025-06-27-123535.ips",
        ] {
            let stamp = stamp_in(OsStr::new(name)).unwrap_or_else(|| panic!("{name} has a time"));
            assert_eq!(stamp.to_string(), "2025-06-27 12:35:35", "{name}");
        }
        for name in ["Python.ips", "a-2025-13-27-123535.ips", "2025-06-27.ips"] {
            assert_eq!(stamp_in(OsStr::new(name)), None, "{name}");
        }
    }
}

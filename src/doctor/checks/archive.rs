//! The archive of reports and its list.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use nix::unistd::{AccessFlags, access};
use serde_json::Value;

use super::folders::counted;
use super::room::size;
use crate::doctor::finding::Observation;
use crate::doctor::host::Host;
use crate::doctor::subject::Subject;
use crate::reports::FileError;
use crate::reports::archive::SUMMARY_NAME;
use crate::reports::file::read_bytes;
use crate::reports::folders::is_report_name;

pub(super) fn check(_: &dyn Host, subject: &Subject) -> Vec<Observation> {
    let path = match &subject.archive {
        Ok(path) => path,
        Err(reason) => {
            return vec![Observation::error(
                reason.clone(),
                "set HOME, or name a folder with --archive",
            )];
        }
    };
    let shown = path.display();
    let (reports, bytes) = match count(path) {
        Ok(counted) => counted,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return vec![Observation::ok(format!(
                "`{shown}`: not there yet; the first report makes it"
            ))];
        }
        Err(error) => {
            return vec![Observation::error(
                format!("`{shown}` cannot be read: {error}"),
                "make it a readable folder, or name another with --archive",
            )];
        }
    };
    let mut found = Vec::new();
    if let Err(error) = access(path, AccessFlags::W_OK | AccessFlags::X_OK) {
        found.push(Observation::error(
            format!("`{shown}` cannot be written: {error}: new reports would not be kept"),
            "make it writable for this user, or name another with --archive",
        ));
    }
    let reported = format!("`{shown}`: {}, {}", counted(reports), size(bytes));
    found.push(match listed(&path.join(SUMMARY_NAME)) {
        Listed::Entries(entries) => {
            Observation::ok(format!("{reported}; its list has {entries}"))
        }
        Listed::Missing if reports == 0 => Observation::ok(format!("`{shown}`: empty")),
        Listed::Missing => Observation::warning(
            format!("{reported}, and no {SUMMARY_NAME}"),
            "`agxrun check-crashes` reads the reports themselves; the next report begins a new list",
        ),
        Listed::Unreadable(reason) => Observation::warning(
            format!("{reported}; {SUMMARY_NAME} {reason}"),
            "the next report sets a damaged list aside and begins a new one; the reports themselves are whole",
        ),
    });
    found
}

/// How many reports there are, and their size in bytes.
fn count(folder: &Path) -> io::Result<(usize, u64)> {
    let (mut reports, mut bytes) = (0, 0_u64);
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if is_report_name(OsStr::new(&entry.file_name())) {
            reports += 1;
            // One that is gone since it was listed takes no room.
            bytes += entry.metadata().map_or(0, |metadata| metadata.len());
        }
    }
    Ok((reports, bytes))
}

enum Listed {
    Entries(usize),
    Missing,
    Unreadable(String),
}

fn listed(path: &Path) -> Listed {
    let bytes = match read_bytes(path) {
        Ok(bytes) => bytes,
        Err(FileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Listed::Missing;
        }
        Err(FileError::Io { source, .. }) => {
            return Listed::Unreadable(format!("cannot be read: {source}"));
        }
        Err(FileError::NotAFile { .. }) => {
            return Listed::Unreadable("is not a regular file".to_owned());
        }
        Err(FileError::TooLarge { size: bytes, .. }) => {
            return Listed::Unreadable(format!("has {}, more than is read", size(bytes)));
        }
        Err(error) => return Listed::Unreadable(error.to_string()),
    };
    match serde_json::from_slice::<Value>(&bytes) {
        Ok(Value::Object(summary)) => match summary.get("crashes") {
            None => Listed::Entries(0),
            Some(Value::Array(crashes)) => Listed::Entries(crashes.len()),
            Some(_) => Listed::Unreadable("is damaged: `crashes` is no list".to_owned()),
        },
        Ok(_) => Listed::Unreadable("is damaged: it is no JSON object".to_owned()),
        Err(error) => Listed::Unreadable(format!("is damaged: {error}")),
    }
}

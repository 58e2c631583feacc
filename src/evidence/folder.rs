//! Reading every ledger of a folder.

use std::path::{Path, PathBuf};

use agx_ledger::{Ledger, LedgerName};
use serde::Serialize;

/// One ledger and where it lies.
#[derive(Debug, Clone)]
pub struct LedgerFile {
    /// The file.
    pub path: PathBuf,
    /// What it says.
    pub ledger: Ledger,
}

/// A ledger that could not be read: a process of which nothing is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// The file.
    pub path: PathBuf,
    /// The process, where the file's name tells.
    pub pid: Option<u32>,
    /// Why it could not be read.
    pub reason: String,
}

/// Reads the ledgers in `folder`, sorted by the time the library was loaded.
pub fn read_folder(folder: &Path) -> (Vec<LedgerFile>, Vec<Unreadable>) {
    let mut read = Vec::new();
    let mut unreadable = Vec::new();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            let reason = format!("cannot list the ledgers: {error}");
            return (
                read,
                vec![Unreadable {
                    path: folder.to_owned(),
                    pid: None,
                    reason,
                }],
            );
        }
    };
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let reason = format!("cannot list the ledgers: {error}");
                unreadable.push(Unreadable {
                    path: folder.to_owned(),
                    pid: None,
                    reason,
                });
                continue;
            }
        };
        let name = entry.file_name();
        let Some(facts) = LedgerName::parse(&name) else {
            continue;
        };
        let path = entry.path();
        let outcome = std::fs::read(&path)
            .map_err(|error| error.to_string())
            .and_then(|bytes| Ledger::parse(&bytes).map_err(|error| error.to_string()));
        match outcome {
            Ok(ledger) => read.push(LedgerFile { path, ledger }),
            Err(reason) => {
                unreadable.push(Unreadable {
                    path,
                    pid: Some(facts.pid),
                    reason,
                });
            }
        }
    }
    read.sort_by_key(|file| (file.ledger.load_ns, file.ledger.pid));
    (read, unreadable)
}

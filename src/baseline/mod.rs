//! Known crashes that are not to fail a run: a file with a reason and an expiry date for each.
//!
//! Pure but for reading the file. What is not in it fails, what is in it and has expired fails, and what is in it and
//! did not happen is told, so that the list grows shorter again.

mod entry;
mod file;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

pub use entry::{Entry, Key, Listed};
pub use file::{BaselineError, SHORTEST_FINGERPRINT};

use crate::diagnose::{Fingerprint, Signatures};

/// A file of known crashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baseline {
    path: PathBuf,
    entries: Vec<Entry>,
}

impl Baseline {
    /// Reads a file; `signatures` are those that an entry may name.
    ///
    /// # Errors
    /// The file cannot be read, or something in it has no meaning: file, line and key are named.
    pub fn read(path: &Path, signatures: &Signatures) -> Result<Self, BaselineError> {
        Ok(Self {
            path: path.to_path_buf(),
            entries: file::read(path, signatures)?,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The entries, in the order of the file.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry of a crash, if there is one; one that is in force before one that has expired. `today` is the date in
    /// UTC.
    pub fn look_up(
        &self,
        fingerprint: Fingerprint,
        signature: Option<&str>,
        today: NaiveDate,
    ) -> Option<Listed> {
        self.entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.key.matches(fingerprint, signature))
            .map(|(number, entry)| Listed {
                number,
                entry: entry.clone(),
                expired: entry.has_expired(today),
            })
            .min_by_key(|listed| listed.expired)
    }

    /// Entries that no crash matched. `seen` are the crashes that there were.
    pub fn unseen<'a>(
        &self,
        seen: impl IntoIterator<Item = (Fingerprint, Option<&'a str>)>,
    ) -> Vec<&Entry> {
        let mut unseen: BTreeSet<usize> = (0..self.entries.len()).collect();
        for (fingerprint, signature) in seen {
            unseen.retain(|&number| !self.entries[number].key.matches(fingerprint, signature));
        }
        unseen
            .into_iter()
            .map(|number| &self.entries[number])
            .collect()
    }
}

#[cfg(test)]
mod tests;

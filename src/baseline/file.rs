//! Reading a baseline.
//!
//! ```toml
//! [[crash]]
//! fingerprint = "3f2a9c1b77de0415"  # or its first 8 digits and more
//! reason = "the driver's race in encoder destruction; reported as FB0000000"
//! expires = 2027-03-31
//!
//! [[crash]]
//! signature = "agx_null_destroy"    # every crash of that signature
//! reason = "..."
//! expires = 2027-03-31
//! ```

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::entry::{Entry, Key};
use crate::diagnose::Signatures;
use crate::diagnose::flaw::{Flaw, flaw};

/// The shortest beginning of a fingerprint that names one for months: of 10,000 different crashes, one of 8 digits joins
/// two with a probability of about 1 %, one of 4 surely.
pub const SHORTEST_FINGERPRINT: usize = 8;

/// The largest file that is read, in bytes.
const SIZE_LIMIT: u64 = 1 << 20;

/// Why a baseline cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BaselineError {
    /// The system refused.
    #[error("cannot read the baseline `{}`: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Larger than any list that somebody keeps by hand.
    #[error("`{}` is larger than the {SIZE_LIMIT} bytes that are read of a baseline", path.display())]
    TooLarge {
        /// Which file.
        path: PathBuf,
    },
    /// It says something that has no meaning here.
    #[error("the baseline `{}`, line {line}, {key}: {reason}", path.display())]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The key or table that stands there, as written.
        key: String,
        /// What is wrong, and what is allowed.
        reason: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    crash: Vec<Spanned<Raw>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    fingerprint: Option<Spanned<String>>,
    signature: Option<Spanned<String>>,
    reason: Spanned<String>,
    expires: Spanned<Datetime>,
}

/// Reads a file.
pub(super) fn read(path: &Path, signatures: &Signatures) -> Result<Vec<Entry>, BaselineError> {
    let io = |source| BaselineError::Io {
        path: path.to_path_buf(),
        source,
    };
    let mut text = String::new();
    File::open(path)
        .map_err(io)?
        .take(SIZE_LIMIT + 1)
        .read_to_string(&mut text)
        .map_err(io)?;
    if text.len() as u64 > SIZE_LIMIT {
        return Err(BaselineError::TooLarge {
            path: path.to_path_buf(),
        });
    }
    parse(&text, signatures).map_err(|Flaw { line, key, reason }| BaselineError::Invalid {
        path: path.to_path_buf(),
        line,
        key,
        reason,
    })
}

/// Reads the text of a file.
pub(super) fn parse(text: &str, signatures: &Signatures) -> Result<Vec<Entry>, Flaw> {
    let document: Document = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        flaw(text, at, error.message().to_owned())
    })?;
    let line = |at: usize| text.get(..at).unwrap_or(text).matches('\n').count() + 1;
    let mut known: HashMap<Key, usize> = HashMap::new();
    let mut entries = Vec::with_capacity(document.crash.len());
    for raw in document.crash {
        let at = raw.span().start;
        let entry = raw
            .into_inner()
            .check(at, line(at), signatures)
            .map_err(|(at, reason)| flaw(text, at, reason))?;
        if let Some(first) = known.insert(entry.key.clone(), entry.line) {
            let reason = format!("{} stands here and in line {first} (keep one)", entry.key);
            return Err(flaw(text, at, reason));
        }
        entries.push(entry);
    }
    Ok(entries)
}

impl Raw {
    fn check(
        self,
        at: usize,
        line: usize,
        signatures: &Signatures,
    ) -> Result<Entry, (usize, String)> {
        let key = match (self.fingerprint, self.signature) {
            (Some(digits), None) => fingerprint(&digits)?,
            (None, Some(id)) => signature(id, signatures)?,
            (Some(_), Some(id)) => {
                let reason = "a crash is named by its fingerprint or by its signature, not by both (make two entries of it)";
                return Err((id.span().start, reason.to_owned()));
            }
            (None, None) => {
                let reason = "which crash? (`fingerprint = \"...\"` or `signature = \"...\"`)";
                return Err((at, reason.to_owned()));
            }
        };
        if self.reason.get_ref().trim().is_empty() {
            let reason = "say why this crash is not to fail a run";
            return Err((self.reason.span().start, reason.to_owned()));
        }
        Ok(Entry {
            key,
            expires: date(&self.expires)?,
            reason: self.reason.into_inner().trim().to_owned(),
            line,
        })
    }
}

fn fingerprint(digits: &Spanned<String>) -> Result<Key, (usize, String)> {
    let text = digits.get_ref();
    let is_prefix = (SHORTEST_FINGERPRINT..=16).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_prefix {
        let reason = format!(
            "expected {SHORTEST_FINGERPRINT} to 16 hexadecimal digits, as `check-crashes --group` shows them"
        );
        return Err((digits.span().start, reason));
    }
    Ok(Key::Fingerprint(text.to_ascii_lowercase()))
}

/// An id that no signature has would match nothing, for ever.
fn signature(id: Spanned<String>, signatures: &Signatures) -> Result<Key, (usize, String)> {
    if signatures.get(id.get_ref()).is_none() {
        let reason = format!(
            "no signature is called `{}` (a crash's report names its own; --signatures adds more)",
            id.get_ref()
        );
        return Err((id.span().start, reason));
    }
    Ok(Key::Signature(id.into_inner()))
}

fn date(expires: &Spanned<Datetime>) -> Result<NaiveDate, (usize, String)> {
    let value = expires.get_ref();
    let date = value
        .date
        .filter(|_| value.time.is_none() && value.offset.is_none())
        .and_then(|date| {
            NaiveDate::from_ymd_opt(date.year.into(), date.month.into(), date.day.into())
        });
    date.ok_or_else(|| {
        let reason = "expected a date, such as 2027-03-31: the last day, in UTC";
        (expires.span().start, reason.to_owned())
    })
}

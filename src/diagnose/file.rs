//! Reading signature files. Their form is described at the head of `signatures.toml`.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::flaw::{Flaw, flaw};
use super::pattern::Pattern;
use super::rule::Rule;
use super::signature::{Blame, Signature};

/// The largest file that is read, in bytes; the table that comes with this has 20 KiB.
const SIZE_LIMIT: u64 = 1 << 20;

/// The layout that is read.
const VERSION: u32 = 1;

/// Why a file of signatures cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureFileError {
    /// The system refused.
    #[error("cannot read the signatures in `{}`: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Larger than any such file.
    #[error(
        "`{}` is larger than the {SIZE_LIMIT} bytes that are read of a file of signatures",
        path.display()
    )]
    TooLarge {
        /// Which file.
        path: PathBuf,
    },
    /// It says something that has no meaning here.
    #[error("`{}`, line {line}, {key}: {reason}", path.display())]
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

/// Reads a user's file.
pub(super) fn read(path: &Path) -> Result<Vec<Signature>, SignatureFileError> {
    let io = |source| SignatureFileError::Io {
        path: path.to_path_buf(),
        source,
    };
    let mut text = String::new();
    let file = File::open(path).map_err(io)?;
    file.take(SIZE_LIMIT + 1)
        .read_to_string(&mut text)
        .map_err(io)?;
    if text.len() as u64 > SIZE_LIMIT {
        return Err(SignatureFileError::TooLarge {
            path: path.to_path_buf(),
        });
    }
    parse(&text).map_err(|flaw| SignatureFileError::Invalid {
        path: path.to_path_buf(),
        line: flaw.line,
        key: flaw.key,
        reason: flaw.reason,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default = "version")]
    version: Spanned<u32>,
    #[serde(default)]
    signature: Vec<Spanned<Entry>>,
}

fn version() -> Spanned<u32> {
    Spanned::new(0..0, VERSION)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: Spanned<String>,
    title: Spanned<String>,
    meaning: Spanned<String>,
    remedy: Spanned<String>,
    source: Spanned<String>,
    blame: Blame,
    #[serde(default)]
    lines: Vec<Pattern>,
    #[serde(default)]
    sentences: Vec<Pattern>,
    #[serde(default)]
    report: Vec<Spanned<Rule>>,
}

/// Reads the text of a file.
pub(super) fn parse(text: &str) -> Result<Vec<Signature>, Flaw> {
    let document: Document = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        flaw(text, at, error.message().to_owned())
    })?;
    if *document.version.get_ref() != VERSION {
        let reason = format!("this reads version {VERSION} of the layout");
        return Err(flaw(text, document.version.span().start, reason));
    }
    let mut known = HashSet::new();
    document
        .signature
        .into_iter()
        .map(|entry| {
            let at = entry.span().start;
            entry.into_inner().check(at, &mut known)
        })
        .collect::<Result<_, _>>()
        .map_err(|(at, reason)| flaw(text, at, reason))
}

impl Entry {
    fn check(self, at: usize, known: &mut HashSet<String>) -> Result<Signature, (usize, String)> {
        let id = self.id.get_ref();
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if id.is_empty() || !id.chars().all(allowed) {
            let reason = "an id consists of letters, digits and `_ - .`".to_owned();
            return Err((self.id.span().start, reason));
        }
        if !known.insert(id.clone()) {
            let reason = format!("`{id}` stands twice in this file (give each its own id)");
            return Err((self.id.span().start, reason));
        }
        for text in [&self.title, &self.meaning, &self.remedy, &self.source] {
            if text.get_ref().trim().is_empty() {
                return Err((text.span().start, "a text is wanted here".to_owned()));
            }
        }
        if self.report.is_empty() && self.lines.is_empty() && self.sentences.is_empty() {
            let reason = format!(
                "`{id}` can never match (give it `lines`, `sentences` or a `[[signature.report]]`)"
            );
            return Err((at, reason));
        }
        if let Some(rule) = self.report.iter().find(|rule| rule.get_ref().is_empty()) {
            let reason = format!("`{id}` would match every report (give it a condition)");
            return Err((rule.span().start, reason));
        }
        Ok(Signature {
            id: self.id.into_inner(),
            title: self.title.into_inner(),
            meaning: self.meaning.into_inner(),
            remedy: self.remedy.into_inner(),
            source: self.source.into_inner(),
            blame: self.blame,
            lines: self.lines,
            sentences: self.sentences,
            reports: self.report.into_iter().map(Spanned::into_inner).collect(),
        })
    }
}

//! One file, audited: each of its parts that was asked for.

use std::path::Path;

use super::model::{FileAudit, ImageAudit, PartAudit};
use super::progress::{Progress, Stage};
use crate::audit::{Binary, MappedFile, Part, ReadError};
use crate::target::image::Processor;

/// Which parts of a universal file are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parts {
    /// Those that a Mac with an AGX driver loads, arm64 and arm64e; all where there are none.
    Silicon,
    /// All.
    All,
    /// Those for one processor, by its name.
    Of(String),
}

impl FileAudit {
    /// What is in the file at `path`, and which ways lead past the hooks of `policy`. Whatever cannot be read is said in it.
    pub fn of(path: &Path, parts: &Parts, policy: &str, progress: &mut dyn Progress) -> Self {
        progress.file(path);
        match MappedFile::open(path)
            .and_then(|file| Self::read(path, &file, parts, policy, progress))
        {
            Ok(audit) => audit,
            Err(error) => Self::unread(path, error.to_string()),
        }
    }

    /// A file of which nothing could be read.
    pub fn unread(path: &Path, error: String) -> Self {
        FileAudit {
            path: path.display().to_string(),
            error: Some(error),
            parts: Vec::new(),
            passed_over: Vec::new(),
        }
    }

    fn read(
        path: &Path,
        file: &MappedFile,
        parts: &Parts,
        policy: &str,
        progress: &mut dyn Progress,
    ) -> Result<Self, ReadError> {
        progress.stage(Stage::Tables);
        let all = Binary::parse(file.bytes())?;
        let is_silicon =
            |part: &Part<'_>| matches!(part.processor, Processor::Arm64 | Processor::Arm64e);
        let has_silicon = all.iter().any(is_silicon);
        let (chosen, others): (Vec<_>, Vec<_>) = all.iter().partition(|part| match parts {
            Parts::All => true,
            Parts::Silicon => is_silicon(part) || !has_silicon,
            Parts::Of(name) => part.processor.to_string() == *name,
        });
        let passed_over: Vec<_> = others.iter().map(|it| it.processor.to_string()).collect();
        let error = match parts {
            Parts::Of(name) if chosen.is_empty() => Some(format!(
                "it has no part for {name} (hint: it has {})",
                passed_over.join(", ")
            )),
            _ => None,
        };
        Ok(FileAudit {
            path: path.display().to_string(),
            error,
            parts: chosen
                .iter()
                .map(|it| PartAudit::of(it, policy, progress))
                .collect(),
            passed_over,
        })
    }
}

impl PartAudit {
    fn of(part: &Part<'_>, policy: &str, progress: &mut dyn Progress) -> Self {
        let (error, image) = match &part.binary {
            Ok(binary) => (None, Some(ImageAudit::of(binary, policy, progress))),
            Err(error) => (Some(error.to_string()), None),
        };
        PartAudit {
            arch: part.processor.to_string(),
            offset: part.offset,
            error,
            image,
        }
    }
}

//! What an option means when it is not given.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use chrono::{DateTime, Local, NaiveDateTime, TimeZone, Utc};

use crate::audit::report::kept;
use crate::baseline::Baseline;
use crate::cli::{BaselineArgs, LineArgs, SignatureArgs, SourceArgs};
use crate::diagnose::Signatures;
use crate::history::FILE_NAME;
use crate::inject::locate::{Located, Origin, named};
use crate::inject::platform::state_folder;
use crate::reports::ReportFolder;
use crate::reports::folders::{Environment, default_folders};

/// The library named by `--dylib` or `AGX_FIX_DYLIB`; an empty value is as good as none.
pub fn named_library(dylib: Option<PathBuf>) -> Result<Option<Located>> {
    let Some(path) = dylib.filter(|path| !path.as_os_str().is_empty()) else {
        return Ok(None);
    };
    let from_environment =
        std::env::var_os("AGX_FIX_DYLIB").is_some_and(|value| value == path.as_os_str());
    let origin = if from_environment {
        Origin::Environment
    } else {
        Origin::Option
    };
    let located = named(path.clone().into_os_string(), origin)
        .with_context(|| format!("cannot resolve `{}`", path.display()))?;
    Ok(Some(located))
}

/// A variable of ours. Where `HOME` is not set, as in some services, the system's records of users
/// say where the home is.
pub fn variable(name: &str) -> Option<OsString> {
    match name {
        "HOME" => std::env::home_dir().map(PathBuf::into_os_string),
        other => std::env::var_os(other),
    }
}

/// The archive: what `--archive` names, else `crash_logs/` where it exists, else the state folder.
pub fn archive(named: Option<PathBuf>) -> Result<PathBuf> {
    let path = match named {
        Some(path) => path,
        None if Path::new("crash_logs").is_dir() => PathBuf::from("crash_logs"),
        None => state_folder(variable)
            .context("no HOME to keep crash reports in (hint: name a folder with --archive)")?
            .join("crash_logs"),
    };
    std::path::absolute(&path).with_context(|| format!("cannot use `{}`", path.display()))
}

/// Where audits of drivers are kept; none without a home.
pub fn audits() -> Option<PathBuf> {
    Some(state_folder(variable)?.join(kept::FOLDER))
}

/// The history: what `--history` names, else `AGXRUN_HISTORY`, else `runs.jsonl` in the archive. `None` where there is to be
/// none; the variable says so by `off`.
pub fn history(args: &LineArgs, archive: &Path) -> Result<Option<PathBuf>> {
    if args.no_history {
        return Ok(None);
    }
    let variable = || std::env::var_os("AGXRUN_HISTORY").map(PathBuf::from);
    let path = match &args.history {
        Some(path) => path.clone(),
        None => match variable().filter(|path| !path.as_os_str().is_empty()) {
            Some(path) if path.as_os_str() == "off" => return Ok(None),
            Some(path) => path,
            None => archive.join(FILE_NAME),
        },
    };
    let absolute = std::path::absolute(&path);
    Ok(Some(absolute.with_context(|| {
        format!("cannot use `{}`", path.display())
    })?))
}

/// The system's report folders, for this user.
pub fn report_folders() -> Vec<ReportFolder> {
    let (home, state_home) = (variable("HOME"), variable("XDG_STATE_HOME"));
    default_folders(&Environment {
        home: home.as_deref(),
        state_home: state_home.as_deref(),
    })
}

/// A time in a report's name as UTC: names carry local time. At the end of summer time an hour
/// comes twice, of which this is the later reading.
pub fn local_time(time: NaiveDateTime) -> DateTime<Utc> {
    Local
        .from_local_datetime(&time)
        .latest()
        .map_or_else(|| time.and_utc(), |local| local.to_utc())
}

/// Folders that the user named, by option or else by `AGXRUN_REPORTS_DIR`, made absolute: the
/// target may run elsewhere. Empty names, as an empty variable gives, are none.
pub fn named_folders(folders: Vec<PathBuf>) -> Result<Vec<PathBuf>> {
    let folders = if folders.is_empty() {
        std::env::var_os("AGXRUN_REPORTS_DIR")
            .map(|list| std::env::split_paths(&list).collect())
            .unwrap_or_default()
    } else {
        folders
    };
    folders
        .into_iter()
        .filter(|folder| !folder.as_os_str().is_empty())
        .map(|folder| {
            std::path::absolute(&folder)
                .with_context(|| format!("cannot use `{}`", folder.display()))
        })
        .collect()
}

/// The report folders that a command looks at.
pub struct Folders {
    /// The named ones, else the system's.
    pub folders: Vec<ReportFolder>,
    /// Whether the user named them.
    pub named: bool,
}

/// The folders that these options mean; the archive is [`archive`].
pub fn folders(sources: &SourceArgs) -> Result<Folders> {
    let named = named_folders(sources.reports_dir.clone())?;
    Ok(if named.is_empty() {
        Folders {
            folders: report_folders(),
            named: false,
        }
    } else {
        Folders {
            folders: named.into_iter().map(ReportFolder::new).collect(),
            named: true,
        }
    })
}

/// The known failures: those of the file that the user named, and the built-in ones.
pub fn signatures(args: &SignatureArgs) -> Result<Arc<Signatures>> {
    Ok(match &args.signatures {
        Some(path) => Arc::new(Signatures::with_file(path)?),
        None => Signatures::builtin_shared(),
    })
}

/// The known crashes of `--baseline`; its entries may name these signatures.
pub fn baseline(args: &BaselineArgs, signatures: &Signatures) -> Result<Option<Arc<Baseline>>> {
    let read = |path: &PathBuf| Baseline::read(path, signatures).map(Arc::new);
    Ok(args.baseline.as_ref().map(read).transpose()?)
}

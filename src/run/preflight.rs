//! Step 2: whether what was planned can work. Refusing here costs nothing; finding out later
//! costs a verdict.

use std::path::PathBuf;

use super::plan::Plan;
use crate::inject::platform::REPORTS_ARE_REHEARSED;
use crate::reports::Snapshot;
use crate::reports::snapshot::FolderState;

/// Why a run is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// A folder that the user named does not exist.
    #[error("the report folder `{}` does not exist (hint: create it, or name another with --reports-dir)", path.display())]
    MissingFolder {
        /// Which.
        path: PathBuf,
    },
    /// A folder cannot be read: it would be impossible to say that no crash happened.
    #[error("cannot watch the report folder `{}`: {reason} (hint: make it readable, or name another with --reports-dir)", path.display())]
    Unwatchable {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The library would not get into the target.
    #[error(
        "`{}`: the fix library does not get in: {because} [{rule}] \
         (hint: {hint}`{inspect}` says more; --allow-uninjected runs it all the same)",
        file.display()
    )]
    KeptOut {
        /// The file that decides.
        file: PathBuf,
        /// What the rule saw.
        because: String,
        /// The rule's id.
        rule: &'static str,
        /// What would help, with its separator; empty where nothing is known.
        hint: String,
        /// The command that shows the whole chain.
        inspect: String,
    },
    /// The folder for reports could not be made.
    #[error("cannot create the report folder `{}`: {source} (hint: name another with --reports-dir)", path.display())]
    CannotCreate {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Where the rehearsal writes the reports, its folder may not exist on a new machine, and nobody
/// else will make it.
pub fn prepare_folders(plan: &Plan) -> Result<(), Refusal> {
    let first = &plan.folders[0].path;
    if REPORTS_ARE_REHEARSED && !plan.folders_named && !first.exists() {
        std::fs::create_dir_all(first).map_err(|source| Refusal::CannotCreate {
            path: first.clone(),
            source,
        })?;
    }
    Ok(())
}

/// Refuses what cannot be watched: a folder that the user named, and the one that this user's own
/// reports go to. Another that cannot be read is told, not refused: on a Mac the system's folder
/// is closed to users who are no administrators, and no report of theirs goes there.
pub fn check_folders(plan: &Plan, before: &Snapshot) -> Result<(), Refusal> {
    for (index, folder) in plan.folders.iter().enumerate() {
        let must_be_readable = plan.folders_named || index == 0;
        let state = before
            .directory(&folder.path)
            .map(|directory| &directory.state);
        match state {
            Some(FolderState::Missing) if plan.folders_named => {
                return Err(Refusal::MissingFolder {
                    path: folder.path.clone(),
                });
            }
            Some(FolderState::Unreadable(reason)) if must_be_readable => {
                return Err(Refusal::Unwatchable {
                    path: folder.path.clone(),
                    reason: reason.clone(),
                });
            }
            _ => {}
        }
    }
    Ok(())
}

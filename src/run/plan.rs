//! Step 1: what will be launched, with what, watching where.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::arrival::Arrival;
use super::options::{FixRequest, LockScope, RunOptions, Tuning};
use super::policy::Expected;
use crate::inject::build::Listener;
use crate::inject::environment::{self, Injection};
use crate::inject::locate::{Located, Surroundings};
use crate::inject::platform::REPORTS_ARE_REHEARSED;
use crate::inject::{Artifact, check};
use crate::reports::folders::ReportFolder;

/// Everything decided before the launch.
#[derive(Debug)]
pub struct Plan {
    /// The target.
    pub target: Target,
    /// The library that is injected, if any.
    pub library: Option<Located>,
    /// The policy that the library will follow, and who decided. `None` without a library, and where the environment names
    /// a policy that does not exist.
    pub policy: Option<Expected>,
    /// What the library is told besides.
    pub tuning: Tuning,
    /// What is foreseen of its way into the target. `None` without a library.
    pub arrival: Option<Arrival>,
    /// Linux: the report writer, where it was found.
    pub reporter: Option<Reporter>,
    /// Folders to watch, the one that reports of this user go to first.
    pub folders: Vec<ReportFolder>,
    /// Whether the user named the folders.
    pub folders_named: bool,
}

/// The target as it will be executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The file, found through `$PATH`.
    pub program: PathBuf,
    /// `argv[0]`: what the user typed.
    pub arg0: OsString,
    /// The arguments behind it.
    pub args: Vec<OsString>,
}

/// The two parts of the report writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reporter {
    /// The preloaded crash handler.
    pub handler: PathBuf,
    /// The program it starts.
    pub writer: PathBuf,
}

/// Why a run cannot be planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The target is nowhere in `$PATH`, or not at the path given.
    #[error("`{}`: command not found (hint: check the spelling and PATH)", name.display())]
    NotFound {
        /// What was typed.
        name: PathBuf,
    },
    /// The target is there and cannot be executed.
    #[error("`{}`: not executable (hint: {hint})", path.display())]
    NotExecutable {
        /// The file.
        path: PathBuf,
        /// What to do.
        hint: &'static str,
    },
    /// There is no such policy.
    #[error("there is no policy `{name}` (hint: `agxrun fix list` shows them)")]
    UnknownPolicy {
        /// What was asked for.
        name: String,
    },
    /// The policy does not have what an option asks for.
    #[error("{option} is for policy v3: {policy} ({by}) {why} (hint: leave one of the two out)")]
    NotWithPolicy {
        /// The option.
        option: &'static str,
        /// The policy's name.
        policy: &'static str,
        /// Who decided on it.
        by: &'static str,
        /// What it has instead.
        why: &'static str,
    },
    /// The library cannot be had.
    #[error(transparent)]
    Build(#[from] crate::inject::build::BuildError),
    /// The library cannot be injected.
    #[error(transparent)]
    Library(#[from] check::Unusable),
    /// There is nowhere to look for reports.
    #[error("no report folder is known: HOME is not set (hint: name one with --reports-dir)")]
    NoFolders,
}

impl Plan {
    /// Decides; looks at files, starts nothing but a compiler if the library must be built.
    ///
    /// `default_folders` are the system's; `listener` is told what is being built.
    pub fn make(
        options: &RunOptions,
        surroundings: &Surroundings,
        default_folders: Vec<ReportFolder>,
        listener: &mut Listener<'_>,
    ) -> Result<Self, PlanError> {
        let target = Target::find(&options.command)?;
        let (library, policy, tuning) = plan_fix(options, surroundings, listener)?;
        let arrival = library
            .as_ref()
            .map(|library| Arrival::foresee(&target, library, options, std::env::vars_os()));
        let folders_named = !options.reports_dirs.is_empty();
        let folders = if folders_named {
            options.reports_dirs.iter().map(ReportFolder::new).collect()
        } else {
            default_folders
        };
        if folders.is_empty() {
            return Err(PlanError::NoFolders);
        }
        let reporter = if REPORTS_ARE_REHEARSED {
            Reporter::find(surroundings)
        } else {
            None
        };
        Ok(Self {
            target,
            library,
            policy,
            tuning,
            arrival,
            reporter,
            folders,
            folders_named,
        })
    }

    /// What the run adds to the target's environment. `ledgers` is the folder for the ledgers,
    /// `alias` gives a path that the insertion variable can carry for one that it cannot.
    pub fn injection(
        &self,
        ledgers: &Path,
        alias: &mut dyn FnMut(&Path) -> std::io::Result<PathBuf>,
    ) -> std::io::Result<Injection> {
        let mut injection = Injection::default();
        if self.arrival.as_ref().is_some_and(Arrival::is_fatal) {
            return Ok(injection);
        }
        if let Some(library) = &self.library {
            injection.libraries.push(alias(&library.path)?);
            injection
                .fixed
                .push((environment::LEDGER_DIR, ledgers.into()));
            injection
                .defaults
                .push((environment::FORCE_GRAPH_PATH, "1".into()));
            if let Some(policy) = self.policy.filter(Expected::is_asked) {
                injection
                    .fixed
                    .push((environment::FIX_VERSION, policy.policy.name.into()));
            }
            injection.tune(
                self.tuning.throttle,
                self.tuning.lock_scope.map(LockScope::name),
                self.tuning.census,
            );
        }
        if let Some(reporter) = &self.reporter {
            injection.libraries.push(alias(&reporter.handler)?);
            let folder = self.folders[0].path.clone();
            injection
                .fixed
                .push((environment::REHEARSAL_REPORTS_DIR, folder.into()));
            injection.fixed.push((
                environment::REHEARSAL_REPORTER,
                reporter.writer.clone().into(),
            ));
        }
        Ok(injection)
    }
}

fn plan_fix(
    options: &RunOptions,
    surroundings: &Surroundings,
    listener: &mut Listener<'_>,
) -> Result<(Option<Located>, Option<Expected>, Tuning), PlanError> {
    let FixRequest::Inject {
        policy,
        library,
        tuning,
    } = &options.fix
    else {
        return Ok((None, None, Tuning::default()));
    };
    let library_name = match library {
        Some(named) => named.path.file_name().map(OsString::from),
        None => None, // ours has no policy in its name
    };
    let variable = options
        .env
        .iter()
        .rev()
        .find(|(name, _)| name == environment::FIX_VERSION)
        .map(|(_, value)| value.clone())
        .or_else(|| std::env::var_os(environment::FIX_VERSION));
    let expected = Expected::decide(
        policy.as_deref(),
        variable.as_deref(),
        library_name.as_deref(),
    )
    .map_err(|refusal| PlanError::UnknownPolicy { name: refusal.0 })?;
    if let Some(expected) = &expected {
        expected.allows(*tuning)?;
    }
    let library = match library {
        Some(named) => named.clone(),
        None => surroundings.find_or_build(Artifact::FixLibrary, listener)?,
    };
    check::library(&library.path)?;
    Ok((Some(library), expected, *tuning))
}

impl Reporter {
    /// Both parts, where they are found side by side.
    fn find(surroundings: &Surroundings) -> Option<Self> {
        let handler = surroundings.find(Artifact::ReportHandler)?.path;
        let writer = surroundings.find(Artifact::ReportWriter)?.path;
        check::library(&handler).ok()?;
        Some(Self { handler, writer })
    }
}

impl Target {
    /// Finds the program as execvp(3) does: a name without a slash is looked for in `$PATH`.
    pub fn find(command: &[OsString]) -> Result<Self, PlanError> {
        let (arg0, args) = command.split_first().ok_or(PlanError::NotFound {
            name: PathBuf::new(),
        })?;
        let program = match which::which(arg0) {
            Ok(_) if Path::new(arg0).components().count() > 1 => PathBuf::from(arg0),
            Ok(found) => found,
            Err(_) => return Err(why_not_found(arg0)),
        };
        Ok(Self {
            program,
            arg0: arg0.clone(),
            args: args.to_vec(),
        })
    }
}

/// `which` says only that nothing executable was found; a shell tells 126 from 127.
fn why_not_found(name: &OsString) -> PlanError {
    let given = Path::new(name);
    let is_path = name.as_encoded_bytes().contains(&b'/');
    let existing = if is_path {
        Some(given.to_owned()).filter(|path| path.exists())
    } else {
        std::env::var_os("PATH").and_then(|path| {
            std::env::split_paths(&path)
                .map(|folder| folder.join(name))
                .find(|candidate| candidate.is_file())
        })
    };
    match existing {
        Some(path) if path.is_dir() => PlanError::NotExecutable {
            path,
            hint: "it is a folder; name the program in it",
        },
        Some(path) => PlanError::NotExecutable {
            path,
            hint: "chmod +x it, or put its interpreter in front of it",
        },
        None => PlanError::NotFound {
            name: given.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn find(name: &str) -> Result<Target, PlanError> {
        Target::find(&[name.into(), "an argument".into()])
    }

    #[test]
    fn a_name_is_found_in_the_path_and_keeps_what_was_typed() {
        let target = find("sh").expect("every system has sh");
        assert!(target.program.is_absolute());
        assert_eq!(
            (target.arg0, target.args),
            ("sh".into(), vec!["an argument".into()])
        );
    }

    #[test]
    fn a_relative_path_is_not_looked_for_in_the_path() {
        assert!(matches!(find("./sh"), Err(PlanError::NotFound { .. })));
        assert!(matches!(
            find("no-such-command-anywhere"),
            Err(PlanError::NotFound { .. })
        ));
        assert!(matches!(find(""), Err(PlanError::NotFound { .. })));
    }

    #[test]
    fn what_is_there_and_cannot_be_executed_is_told_apart() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("script");
        std::fs::write(&file, "#!/bin/sh\n").expect("written");
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).expect("permissions");
        for path in [file.as_path(), folder.path()] {
            let found = find(path.to_str().expect("UTF-8"));
            assert!(
                matches!(found, Err(PlanError::NotExecutable { .. })),
                "{found:?}"
            );
        }
    }
}

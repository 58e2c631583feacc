//! Linux has no ReportCrash: the rehearsal's report writer uses the state folder of the XDG base
//! directory specification.

use std::path::{Path, PathBuf};

use super::{Environment, ReportFolder};

/// `$XDG_STATE_HOME/agxrun/DiagnosticReports`, by default below `~/.local/state`. A relative
/// `$XDG_STATE_HOME` is invalid by that specification and ignored. Empty without a home.
pub fn default_folders(environment: &Environment<'_>) -> Vec<ReportFolder> {
    let stated = environment
        .state_home
        .map(Path::new)
        .filter(|path| path.is_absolute());
    let state: Option<PathBuf> = stated.map(Path::to_path_buf).or_else(|| {
        let home = environment
            .home
            .map(Path::new)
            .filter(|path| path.is_absolute())?;
        Some(home.join(".local/state"))
    });
    state
        .map(|state| ReportFolder::new(state.join("agxrun/DiagnosticReports")))
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    fn folder(home: Option<&str>, state: Option<&str>) -> Vec<PathBuf> {
        let environment = Environment {
            home: home.map(OsStr::new),
            state_home: state.map(OsStr::new),
        };
        default_folders(&environment)
            .into_iter()
            .map(|folder| folder.path)
            .collect()
    }

    #[test]
    fn the_state_folder_decides_and_home_stands_in() {
        let below_state = PathBuf::from("/s/agxrun/DiagnosticReports");
        let below_home = PathBuf::from("/h/.local/state/agxrun/DiagnosticReports");
        assert_eq!(folder(Some("/h"), Some("/s")), [below_state]);
        assert_eq!(
            folder(Some("/h"), Some("relative")),
            std::slice::from_ref(&below_home)
        );
        assert_eq!(
            folder(Some("/h"), Some("")),
            std::slice::from_ref(&below_home)
        );
        assert_eq!(folder(Some("/h"), None), [below_home]);
        assert!(folder(None, None).is_empty());
    }
}

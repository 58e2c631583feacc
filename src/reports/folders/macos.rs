//! Where ReportCrash writes: the user's folder for the user's processes, the machine's for those
//! of root and of other users.

use std::path::Path;

use super::{Environment, ReportFolder};

/// `~/Library/Logs/DiagnosticReports` and `/Library/Logs/DiagnosticReports`.
pub fn default_folders(environment: &Environment<'_>) -> Vec<ReportFolder> {
    const BELOW: &str = "Library/Logs/DiagnosticReports";
    let home = environment
        .home
        .map(Path::new)
        .filter(|path| path.is_absolute());
    home.map(|home| ReportFolder::new(home.join(BELOW)))
        .into_iter()
        .chain([ReportFolder::new(Path::new("/").join(BELOW))])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    #[test]
    fn the_machines_folder_is_watched_even_without_a_home() {
        let with = Environment {
            home: Some(OsStr::new("/Users/u")),
            state_home: None,
        };
        let machine = ReportFolder::new("/Library/Logs/DiagnosticReports");
        let user = ReportFolder::new("/Users/u/Library/Logs/DiagnosticReports");
        assert_eq!(default_folders(&with), [user, machine.clone()]);
        assert_eq!(default_folders(&Environment::default()), [machine]);
    }
}

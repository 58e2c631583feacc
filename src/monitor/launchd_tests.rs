use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::reports::ReportFolder;

fn settings() -> Settings {
    Settings {
        folders: vec![
            ReportFolder::new("/Users/me/Library/Logs/DiagnosticReports"),
            ReportFolder::new("/Library/Logs/DiagnosticReports"),
        ],
        archive: PathBuf::from("/Users/me/R&D <1>/crash_logs"),
        state: PathBuf::from("/state"),
    }
}

#[test]
fn the_property_list_says_what_to_run_and_when() {
    let agxrun = Path::new("/opt/agxrun/bin/agxrun");
    let bytes = property_list("agxrun.monitor.x", agxrun, &settings()).expect("written");
    insta::assert_snapshot!("property_list", String::from_utf8(bytes).expect("UTF-8"));
}

#[test]
fn the_command_lines_name_the_users_domain() {
    let agent = Agent::of(Path::new(""), Path::new("/Users/me"), 501);
    let plist = "/Users/me/Library/LaunchAgents/agxrun.monitor.cbf29ce484222325.plist";
    assert_eq!(agent.bootstrap(), ["bootstrap", "gui/501", plist]);
    let service = "gui/501/agxrun.monitor.cbf29ce484222325";
    assert_eq!(agent.bootout(), ["bootout", service]);
}

/// A stand-in for launchctl that writes down its arguments and ends with `script`.
fn launchctl(folder: &Path, script: &str) -> PathBuf {
    let path = folder.join("launchctl");
    let text = format!(
        "#!/bin/sh\necho \"$@\" >> {}/said\n{script}\n",
        folder.display()
    );
    fs::write(&path, text).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
    path
}

#[test]
fn an_agent_is_installed_and_removed() {
    let home = tempfile::tempdir().expect("a folder");
    let agent = Agent::of(Path::new("/archive"), home.path(), 501);
    let launchctl = launchctl(home.path(), "exit 0");
    let agxrun = Path::new("/bin/agxrun");
    agent
        .install(&launchctl, agxrun, &settings())
        .expect("installed");
    let written: Value = plist::from_file(&agent.plist).expect("a property list");
    let label = written
        .as_dictionary()
        .and_then(|agent| agent.get("Label")?.as_string());
    assert_eq!(label, Some(agent.label.as_str()));
    let mode = fs::metadata(&agent.plist)
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o022, 0, "launchd refuses what others may write");
    assert!(agent.remove(&launchctl).expect("removed"));
    assert!(!agent.plist.exists());
    assert!(!agent.remove(&launchctl).expect("nothing there"));
    let said = fs::read_to_string(home.path().join("said")).expect("said");
    let expected = format!(
        "bootstrap gui/501 {}\nbootout gui/501/{}\n",
        agent.plist.display(),
        agent.label
    );
    assert_eq!(said, expected);
}

#[test]
fn an_agent_that_cannot_start_leaves_nothing_behind() {
    let home = tempfile::tempdir().expect("a folder");
    let agent = Agent::of(Path::new("/archive"), home.path(), 501);
    let script = "echo 'Bootstrap failed: 5: Input/output error' >&2; exit 5";
    let launchctl = launchctl(home.path(), script);
    let error = agent
        .install(&launchctl, Path::new("/bin/agxrun"), &settings())
        .expect_err("refused");
    let text = error.to_string();
    assert!(text.contains("launchctl bootstrap gui/501") && text.contains("Bootstrap failed: 5"));
    assert!(!agent.plist.exists());
}

#[test]
fn an_agent_that_is_not_loaded_is_removed_all_the_same() {
    let home = tempfile::tempdir().expect("a folder");
    let agent = Agent::of(Path::new("/archive"), home.path(), 501);
    replace(&agent.plist, b"").expect("written");
    let script = "echo 'Boot-out failed: 3: No such process' >&2; exit 3";
    assert!(
        agent
            .remove(&launchctl(home.path(), script))
            .expect("removed")
    );
    assert!(!agent.plist.exists());
}

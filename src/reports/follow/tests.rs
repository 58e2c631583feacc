//! Real folders and real notifications; the clocks of [`Tracker`] are made up where time matters.

use std::fs;

use super::*;
use crate::reports::problem::ReadError;

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(400);

fn text(incident: &str, pid: u32) -> String {
    let header = format!(
        r#"{{"app_name":"Python","timestamp":"2026-01-02 03:04:05.00 +0000","bug_type":"309","incident_id":"{incident}","name":"Python"}}"#
    );
    let body = format!(
        "{{\n  \"pid\" : {pid},\n  \"procName\" : \"Python\",\n  \"incident\" : \"{incident}\",\n  \"exception\" : {{\"type\":\"EXC_BAD_ACCESS\",\"signal\":\"SIGSEGV\"}},\n  \"threads\" : []\n}}"
    );
    format!("{header}\n{body}\n")
}

struct Scene {
    _base: tempfile::TempDir,
    folder: PathBuf,
    follower: Follower,
}

impl Scene {
    fn new() -> Self {
        Self::prepared(&|_| {})
    }

    /// With something in the folder before following begins.
    fn prepared(prepare: &dyn Fn(&Path)) -> Self {
        let base = tempfile::tempdir().expect("a temporary folder");
        let folder = base.path().join("DiagnosticReports");
        fs::create_dir(&folder).expect("created");
        prepare(&folder);
        let follower = Follower::start(&[ReportFolder::new(&folder)]).expect("follows");
        Self {
            _base: base,
            folder,
            follower,
        }
    }

    /// Writes a report as the system does: hidden, then renamed.
    fn report(&self, name: &str, incident: &str) -> PathBuf {
        let path = self.folder.join(name);
        let hidden = self.folder.join(format!(".{name}"));
        fs::write(&hidden, text(incident, 1)).expect("written");
        fs::rename(&hidden, &path).expect("renamed");
        path
    }

    #[track_caller]
    fn next_report(&mut self) -> Followed {
        match self.follower.next(Some(LONG)) {
            Event::Report(followed) => *followed,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn next_folder(&mut self) -> FolderChange {
        match self.follower.next(Some(LONG)) {
            Event::Folder(path, change) if path == self.folder => change,
            // What is below a file cannot be read either.
            Event::Folder(..) => self.next_folder(),
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn nothing_more(&mut self) {
        match self.follower.next(Some(SHORT)) {
            Event::TimedOut => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_report_is_told_within_a_second_and_its_way_to_retired_is_not() {
    let mut scene = Scene::new();
    let path = scene.report("a.ips", "A");
    let started = Instant::now();
    let followed = scene.next_report();
    assert!(started.elapsed() < Duration::from_secs(1));
    assert_eq!(followed.path, path);
    assert_eq!(followed.report.incident(), Some("A"));
    assert_eq!(followed.bytes, text("A", 1).as_bytes());
    assert!(!followed.touched);
    let retired = scene.folder.join("Retired");
    fs::create_dir(&retired).expect("created");
    fs::rename(&path, retired.join("a.ips")).expect("moved");
    scene.nothing_more();
}

#[test]
fn a_copy_in_retired_is_the_same_incident() {
    let mut scene = Scene::new();
    let path = scene.report("a.ips", "A");
    scene.next_report();
    let retired = scene.folder.join("Retired");
    fs::create_dir(&retired).expect("created");
    fs::copy(&path, retired.join("a-2.ips")).expect("copied");
    scene.report("b.ips", "B");
    assert_eq!(scene.next_report().report.incident(), Some("B"));
    scene.nothing_more();
}

#[test]
fn a_report_that_appears_in_retired_at_once_is_told() {
    let mut scene = Scene::new();
    let path = scene.report("a.ips", "A");
    let retired = scene.folder.join("Retired");
    fs::create_dir(&retired).expect("created");
    fs::rename(&path, retired.join("a.ips")).expect("moved");
    let followed = scene.next_report();
    assert_eq!(followed.path, retired.join("a.ips"));
    scene.nothing_more();
}

#[test]
fn a_report_that_was_there_is_told_only_when_it_is_touched() {
    let mut scene = Scene::prepared(&|folder| {
        fs::write(folder.join("old.ips"), text("OLD", 1)).expect("written");
    });
    scene.nothing_more();
    fs::write(scene.folder.join("old.ips"), text("OLD", 12)).expect("rewritten");
    let followed = scene.next_report();
    assert!(followed.touched);
    assert_eq!(followed.report.process.pid, Some(12));
}

#[test]
fn a_name_that_is_used_again_holds_a_new_report() {
    let mut scene = Scene::new();
    let path = scene.report("a.ips", "A");
    scene.next_report();
    fs::write(&path, text("B", 1)).expect("rewritten");
    let followed = scene.next_report();
    assert_eq!(followed.report.incident(), Some("B"));
    assert!(!followed.touched);
}

#[test]
fn a_file_that_grows_is_told_once_and_whole() {
    use std::io::Write;
    let mut scene = Scene::new();
    let whole = text("A", 1);
    let path = scene.folder.join("a.ips");
    let mut file = fs::File::create(&path).expect("created");
    for part in whole.as_bytes().chunks(whole.len() / 2) {
        scene.nothing_more();
        file.write_all(part).expect("written");
    }
    let followed = scene.next_report();
    assert_eq!(followed.bytes, whole.as_bytes());
    assert!(!followed.touched);
    scene.nothing_more();
}

#[test]
fn a_file_that_is_being_written_when_following_begins_is_new() {
    let whole = text("A", 1);
    let mut scene = Scene::prepared(&|folder| {
        fs::write(folder.join("a.ips"), &whole[..whole.len() / 2]).expect("written");
    });
    fs::write(scene.folder.join("a.ips"), &whole).expect("written");
    assert!(!scene.next_report().touched);
}

#[test]
fn the_folder_may_go_and_come_again() {
    let mut scene = Scene::new();
    for (number, incident) in ["A", "B", "C"].into_iter().enumerate() {
        scene.report("a.ips", incident);
        assert_eq!(scene.next_report().report.incident(), Some(incident));
        fs::remove_dir_all(&scene.folder).expect("removed");
        assert_eq!(scene.next_folder(), FolderChange::Gone, "{number}");
        fs::create_dir(&scene.folder).expect("created");
        assert_eq!(scene.next_folder(), FolderChange::Back, "{number}");
    }
    scene.report("old.ips", "A");
    scene.nothing_more();
}

#[test]
fn what_is_no_report_is_told_when_it_is_at_rest() {
    let mut scene = Scene::new();
    let path = scene.folder.join("a.ips");
    let hidden = scene.folder.join("notes");
    fs::write(&hidden, "no report").expect("written");
    let old = std::time::SystemTime::now() - 2 * rest::BROKEN;
    let file = fs::File::options().write(true).open(&hidden);
    file.and_then(|file| file.set_modified(old)).expect("aged");
    fs::rename(&hidden, &path).expect("renamed");
    match scene.follower.next(Some(LONG)) {
        Event::Unreadable(at, FileError::Unreadable { source, .. }) => {
            assert_eq!(at, path);
            assert!(matches!(source, ReadError::NotAReport { .. }), "{source}");
        }
        other => panic!("{other:?}"),
    }
    scene.nothing_more();
}

#[test]
fn a_folder_that_cannot_be_read_is_told_and_its_reports_come_when_it_can() {
    let mut scene = Scene::new();
    fs::remove_dir(&scene.folder).expect("removed");
    assert_eq!(scene.next_folder(), FolderChange::Gone);
    // No permissions are taken away here: those do not hold for the superuser.
    fs::write(&scene.folder, "a file in its place").expect("written");
    assert!(matches!(scene.next_folder(), FolderChange::Unreadable(_)));
    fs::remove_file(&scene.folder).expect("removed");
    assert_eq!(scene.next_folder(), FolderChange::Gone);
    fs::create_dir(&scene.folder).expect("created");
    assert_eq!(scene.next_folder(), FolderChange::Back);
    scene.report("a.ips", "A");
    assert_eq!(scene.next_report().report.incident(), Some("A"));
}

#[test]
fn a_descriptor_ends_the_wait() {
    let mut scene = Scene::new();
    let (read, write) = std::io::pipe().expect("a pipe");
    drop(write);
    let wake = std::os::fd::AsFd::as_fd(&read);
    assert!(matches!(
        scene.follower.next_or(None, Some(wake)),
        Event::Called
    ));
}

#[test]
fn no_folder_is_an_error() {
    assert!(Follower::start(&[]).is_err());
}

/// A tracker with a clock of its own over one real folder.
struct Clocked {
    folder: tempfile::TempDir,
    tracker: Tracker,
    begin: Moment,
}

impl Clocked {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            tracker: Tracker::new(Snapshot::default(), Known::default()),
            begin: moment(),
        }
    }

    /// What a look says this long after the beginning.
    fn look(&mut self, after: Duration) -> Vec<Event> {
        let snapshot = Snapshot::take(&[ReportFolder::new(self.folder.path())]);
        self.tracker.look(snapshot, self.after(after), &mut read)
    }

    fn after(&self, after: Duration) -> Moment {
        Moment {
            steady: self.begin.steady + after,
            // A clock that stands still: only the steady one tells how long a file is at rest.
            wall: self.begin.wall,
        }
    }
}

#[test]
fn half_a_report_is_told_when_nobody_has_finished_it() {
    let mut clocked = Clocked::new();
    let whole = text("A", 1);
    let path = clocked.folder.path().join("a.ips");
    fs::write(&path, &whole[..whole.len() - 9]).expect("written");
    assert!(clocked.look(Duration::ZERO).is_empty());
    assert!(clocked.look(rest::BROKEN / 2).is_empty());
    let due = clocked.tracker.due(clocked.after(rest::BROKEN / 2));
    assert_eq!(due, Some(rest::BROKEN / 2));
    let events = clocked.look(rest::BROKEN);
    let [Event::Report(followed)] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert!(followed.report.is_cut_off());
    assert_eq!(clocked.tracker.due(clocked.after(rest::BROKEN)), None);
}

#[test]
fn a_text_may_end_at_any_line_and_is_given_a_moment() {
    let mut clocked = Clocked::new();
    let path = clocked.folder.path().join("a.crash");
    let text = "Incident Identifier: X\nProcess: Python [12]\nException Type: EXC_CRASH\n";
    fs::write(&path, text).expect("written");
    assert!(clocked.look(Duration::ZERO).is_empty());
    assert!(clocked.look(rest::ANY).is_empty());
    let events = clocked.look(rest::TEXT);
    assert!(
        matches!(events.as_slice(), [Event::Report(_)]),
        "{events:?}"
    );
}

#[test]
fn a_file_that_is_removed_before_it_was_whole_is_told() {
    let mut clocked = Clocked::new();
    let path = clocked.folder.path().join("a.ips");
    fs::write(&path, "{").expect("written");
    assert!(clocked.look(Duration::ZERO).is_empty());
    fs::remove_file(&path).expect("removed");
    let events = clocked.look(rest::ANY);
    assert!(
        matches!(events.as_slice(), [Event::Unreadable(..)]),
        "{events:?}"
    );
}

#[test]
fn one_look_reads_no_more_than_may_wait_in_memory() {
    let mut clocked = Clocked::new();
    for number in 0..150 {
        let path = clocked.folder.path().join(format!("{number}.ips"));
        fs::write(path, text(&number.to_string(), number)).expect("written");
    }
    assert!(clocked.look(Duration::ZERO).is_empty());
    let counts = [(); 4].map(|()| clocked.look(rest::ANY).len());
    assert_eq!(counts, [64, 64, 22, 0]);
}

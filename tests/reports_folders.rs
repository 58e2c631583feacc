//! Snapshots, what changed between them, and listings, over real folders.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use agxrun::reports::listing::{Query, list};
use agxrun::reports::snapshot::{diff, distinct};
use agxrun::reports::{Change, ReportFolder, Snapshot, file, read_file};
use chrono::{NaiveDateTime, TimeZone, Utc};

/// A report of one process and incident, captured at a time of 2 January 2026.
fn report(incident: &str, clock: &str) -> String {
    format!(
        r#"{{"app_name":"app","timestamp":"2026-01-02 {clock}.00 +0000","bug_type":"309","incident_id":"{incident}"}}
{{"pid": 7, "procName": "app", "captureTime": "2026-01-02 {clock}.0000 +0000", "exception": {{"type": "EXC_CRASH", "signal": "SIGABRT"}}}}
"#
    )
}

struct Reports {
    root: tempfile::TempDir,
}

impl Reports {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        fs::create_dir(root.path().join("Retired")).expect("a folder");
        Self { root }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        fs::write(self.path(name), content).expect("written");
        self.path(name)
    }

    fn folders(&self) -> [ReportFolder; 1] {
        [ReportFolder::new(self.root.path())]
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot::take(&self.folders())
    }
}

#[test]
fn new_touched_and_moved_are_told_apart() {
    let reports = Reports::new();
    for name in [
        "same.ips",
        "touched.ips",
        "moved.ips",
        "removed.ips",
        "notes.txt",
    ] {
        reports.write(name, &report(name, "10:00:00"));
    }
    let before = reports.snapshot();
    assert_eq!(before.file_count(), 4);
    let touched = File::options()
        .append(true)
        .open(reports.path("touched.ips"))
        .expect("opened");
    touched
        .set_modified(SystemTime::now() + Duration::from_secs(5))
        .expect("touched");
    fs::rename(reports.path("moved.ips"), reports.path("Retired/moved.ips")).expect("moved");
    fs::remove_file(reports.path("removed.ips")).expect("removed");
    // Often given the inode of the file that was just removed.
    reports.write("new.ips", &report("new", "11:00:00"));
    reports.write("more.txt", "");
    let changes = diff(&before, &reports.snapshot());
    let expected = [
        Change::New {
            path: reports.path("new.ips"),
        },
        Change::Touched {
            path: reports.path("touched.ips"),
        },
        Change::Moved {
            from: reports.path("moved.ips"),
            to: reports.path("Retired/moved.ips"),
        },
    ];
    assert_eq!(changes, expected);
}

#[test]
fn nothing_changed_gives_nothing() {
    let reports = Reports::new();
    reports.write("a.ips", &report("A", "10:00:00"));
    assert_eq!(diff(&reports.snapshot(), &reports.snapshot()), []);
}

#[test]
fn a_folder_named_twice_is_looked_at_once() {
    let reports = Reports::new();
    reports.write("a.ips", &report("A", "10:00:00"));
    let [folder] = reports.folders();
    let retired = ReportFolder::new(folder.retired());
    let snapshot = Snapshot::take(&[folder.clone(), folder, retired]);
    assert_eq!(snapshot.file_count(), 1);
}

#[test]
fn a_report_that_was_retired_at_once_is_still_new() {
    let reports = Reports::new();
    let before = reports.snapshot();
    reports.write("Retired/a.ips", &report("A", "10:00:00"));
    let new = Change::New {
        path: reports.path("Retired/a.ips"),
    };
    assert_eq!(diff(&before, &reports.snapshot()), [new]);
}

#[test]
fn unfinished_reports_are_pending_until_they_are_renamed() {
    let reports = Reports::new();
    let before = reports.snapshot();
    let hidden = reports.write(".a-2026-01-02-100000.ips.Xy12", &report("A", "10:00:00"));
    let during = reports.snapshot();
    assert_eq!(diff(&before, &during), []);
    let pending: Vec<PathBuf> = during.pending().map(|(path, _)| path).collect();
    assert_eq!(pending, std::slice::from_ref(&hidden));
    let finished = reports.path("a-2026-01-02-100000.ips");
    fs::rename(hidden, &finished).expect("renamed");
    let after = reports.snapshot();
    assert_eq!(diff(&during, &after), [Change::New { path: finished }]);
    assert_eq!(after.pending().count(), 0);
}

#[test]
fn a_folder_that_was_missing_gives_only_new_reports() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = [ReportFolder::new(root.path().join("later"))];
    let before = Snapshot::take(&folder);
    assert_eq!(
        before.unwatched(),
        [(folder[0].path.clone(), "does not exist".to_owned())]
    );
    fs::create_dir(&folder[0].path).expect("made");
    let path = folder[0].path.join("a.ips");
    fs::write(&path, report("A", "10:00:00")).expect("written");
    let after = Snapshot::take(&folder);
    assert_eq!(after.unwatched(), []);
    assert_eq!(diff(&before, &after), [Change::New { path }]);
}

#[test]
fn what_cannot_be_watched_is_named() {
    let reports = Reports::new();
    let retired = reports.path("Retired");
    fs::set_permissions(&retired, Permissions::from_mode(0o000)).expect("closed");
    let closed = fs::read_dir(&retired).is_err();
    let unwatched = reports.snapshot().unwatched();
    fs::set_permissions(&retired, Permissions::from_mode(0o700)).expect("opened");
    // Root may read everything; the other case is a file in a folder's place, below.
    if closed {
        assert_eq!(unwatched.len(), 1);
        assert_eq!(unwatched[0].0, retired);
    }
    let file = reports.write("file", "");
    let unwatched = Snapshot::take(&[ReportFolder::new(&file)]).unwatched();
    assert!(
        unwatched.iter().any(|(path, _)| *path == file),
        "{unwatched:?}"
    );
    let dangling = reports.path("dangling.ips");
    std::os::unix::fs::symlink("nowhere", dangling).expect("linked");
    assert_eq!(reports.snapshot().file_count(), 0);
}

fn read_new(before: &Snapshot, after: &Snapshot) -> agxrun::reports::snapshot::NewReports {
    let new = diff(before, after)
        .into_iter()
        .filter(|change| matches!(change, Change::New { .. }))
        .map(|change| {
            let report = read_file(change.path()).expect("a report");
            (change.path().clone(), report)
        })
        .collect();
    let mut incident = |path: &Path| file::incident_of(path).expect("readable");
    distinct(new, before, after, &mut incident)
}

#[test]
fn an_incident_counts_once_and_only_where_it_was_not_there_before() {
    let reports = Reports::new();
    reports.write("known-1.ips", &report("KNOWN", "10:00:00"));
    let before = reports.snapshot();
    reports.write("a.ips", &report("A", "11:00:00"));
    reports.write("Retired/a.ips", &report("A", "11:00:00"));
    reports.write("copy-of-known.ips", &report("KNOWN", "10:00:00"));
    reports.write("old-from-elsewhere.ips", &report("OLD", "01:00:00"));
    let found = read_new(&before, &reports.snapshot());
    let first: Vec<&PathBuf> = found.first.iter().map(|(path, _)| path).collect();
    assert_eq!(
        first,
        [
            &reports.path("a.ips"),
            &reports.path("old-from-elsewhere.ips")
        ]
    );
    let copies = [
        (
            reports.path("copy-of-known.ips"),
            reports.path("known-1.ips"),
        ),
        (reports.path("Retired/a.ips"), reports.path("a.ips")),
    ];
    assert_eq!(found.copies, copies);
}

fn utc(local: NaiveDateTime) -> chrono::DateTime<Utc> {
    local.and_utc()
}

fn names(listing: &agxrun::reports::listing::Listing) -> Vec<String> {
    let name = |listed: &agxrun::reports::listing::Listed| {
        listed
            .path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned()
    };
    listing.reports.iter().map(name).collect()
}

#[test]
fn a_listing_stands_newest_first_each_incident_once() {
    let reports = Reports::new();
    let archive = reports.path("archive");
    fs::create_dir(&archive).expect("made");
    reports.write("app-2026-01-02-100005.ips", &report("A", "10:00:00"));
    // Written last, and not the last to crash: the other took longer to be written.
    reports.write("app-2026-01-02-120010.ips", &report("C", "12:00:01"));
    reports.write("app-2026-01-02-120009.ips", &report("D", "12:00:08"));
    reports.write(
        "Retired/app-2026-01-02-110001.ips",
        &report("B", "11:00:00"),
    );
    reports.write(
        "archive/20260102_110002_app-2026-01-02-110001.ips",
        &report("B", "11:00:00"),
    );
    reports.write("broken-2026-01-02-130000.ips", "garbage");
    let stackshot = report("S", "12:30:00").replace("309", "288");
    reports.write("stacks-2026-01-02-123000.ips", &stackshot);
    let query = Query {
        crashes_only: true,
        ..Query::default()
    };
    let all = list(&reports.folders(), Some(&archive), &query, &utc);
    assert_eq!(all.files, 7);
    assert_eq!(all.unreadable.len(), 1);
    assert_eq!(all.unwatched, []);
    let expected = [
        "app-2026-01-02-120009.ips",
        "app-2026-01-02-120010.ips",
        "app-2026-01-02-110001.ips",
        "app-2026-01-02-100005.ips",
    ];
    assert_eq!(names(&all), expected);
    let latest = Query {
        limit: Some(1),
        ..query
    };
    let latest = list(&reports.folders(), Some(&archive), &latest, &utc);
    assert_eq!(names(&latest), expected[..1]);
    let everything = list(&reports.folders(), None, &Query::default(), &utc);
    assert_eq!(names(&everything)[0], "stacks-2026-01-02-123000.ips");
    let since = Utc.with_ymd_and_hms(2026, 1, 2, 11, 30, 0).single();
    let recent = list(
        &reports.folders(),
        Some(&archive),
        &Query { since, ..query },
        &utc,
    );
    assert_eq!(names(&recent), expected[..2]);
}

#[test]
fn the_latest_is_found_without_reading_the_rest() {
    let reports = Reports::new();
    reports.write("app-2026-01-02-120000.ips", &report("A", "12:00:00"));
    for number in 0..50 {
        // Would be told as unreadable if they were read.
        reports.write(&format!("app-2025-01-02-1200{number:02}.ips"), "garbage");
    }
    let query = Query {
        limit: Some(1),
        ..Query::default()
    };
    let latest = list(&reports.folders(), None, &query, &utc);
    assert_eq!(names(&latest), ["app-2026-01-02-120000.ips"]);
    assert_eq!(latest.unreadable.len(), 0);
    assert_eq!(latest.files, 51);
}

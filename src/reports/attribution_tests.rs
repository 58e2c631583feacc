use super::*;
use crate::reports::model::{Image, Process};
use crate::reports::time;

/// A time on the test's day, `HH:MM:SS.ffff`, in UTC.
fn at(clock: &str) -> DateTime<chrono::FixedOffset> {
    time::parse(&format!("2026-01-02 {clock} +0000")).unwrap_or_else(|| panic!("{clock}"))
}

/// The run of all tests: the target is 100, a child 101 ran for two seconds, and 102 is known to
/// have ended early.
fn tree() -> TreeFacts {
    let known = |pid, from: &str, to: &str| KnownProcess {
        pid,
        started: Some(at(from).to_utc()),
        ended: Some(at(to).to_utc()),
    };
    TreeFacts {
        root_pid: 100,
        started: at("12:00:00").to_utc(),
        ended: Some(at("12:01:00").to_utc()),
        processes: vec![
            known(101, "12:00:10", "12:00:12"),
            known(102, "12:00:01", "12:00:02"),
            known(102, "12:00:40", "12:00:41"),
        ],
        fix_library: Some(PathBuf::from("/opt/agxrun/libagx_fix.dylib")),
        ledgers: false,
    }
}

struct Case {
    pid: Option<i32>,
    parent: Option<i32>,
    responsible: Option<i32>,
    launched: Option<&'static str>,
    captured: Option<&'static str>,
    stamp: Option<&'static str>,
    image: Option<&'static str>,
}

const NOTHING: Case = Case {
    pid: None,
    parent: None,
    responsible: None,
    launched: None,
    captured: None,
    stamp: None,
    image: None,
};

fn attributed(case: &Case) -> Attribution {
    attributed_to(&tree(), case)
}

fn attributed_to(tree: &TreeFacts, case: &Case) -> Attribution {
    let mut report = Report {
        process: Process {
            pid: case.pid,
            parent_pid: case.parent,
            responsible_pid: case.responsible,
            launched: case.launched.map(at),
            captured: case.captured.map(at),
            ..Process::default()
        },
        ..Report::default()
    };
    report.header.timestamp = case.stamp.map(at);
    let path = case.image.map(str::to_owned);
    report.images = vec![Image {
        path,
        ..Image::default()
    }];
    attribute(&report, tree)
}

#[test]
fn ids_count_within_their_time() {
    let of = |pid, launched, captured| {
        attributed(&Case {
            pid: Some(pid),
            launched: Some(launched),
            captured: Some(captured),
            ..NOTHING
        })
    };
    let ours = |pid| Attribution::Ours(Evidence::Pid(pid));
    let reused = |pid| Attribution::Foreign(Refutation::PidReused(pid));
    assert_eq!(
        of(100, "12:00:00", "12:00:59.9999"),
        ours(100),
        "the target"
    );
    assert_eq!(of(101, "12:00:10", "12:00:11"), ours(101), "a child");
    assert_eq!(
        of(101, "12:00:13", "12:00:20"),
        reused(101),
        "after the child's end"
    );
    assert_eq!(
        of(101, "12:00:05", "12:00:09"),
        reused(101),
        "before the child's start"
    );
    assert_eq!(
        of(100, "11:30:00", "12:00:30"),
        reused(100),
        "launched before the run"
    );
    assert_eq!(
        of(102, "12:00:01", "12:00:01.5"),
        ours(102),
        "the first of an id"
    );
    assert_eq!(
        of(102, "12:00:40", "12:00:40.5"),
        ours(102),
        "the second of an id"
    );
    assert_eq!(of(102, "12:00:10", "12:00:20"), reused(102), "between both");
}

#[test]
fn what_is_older_than_the_run_is_foreign_whatever_else_it_says() {
    let captured = Case {
        pid: Some(100),
        captured: Some("11:59:59"),
        image: Some("/opt/agxrun/libagx_fix.dylib"),
        ..NOTHING
    };
    let older = Refutation::OlderThanRun(at("11:59:59").to_utc());
    assert_eq!(attributed(&captured), Attribution::Foreign(older));
    assert!(!attributed(&captured).counts_in_tree());
    let stamp = Case {
        pid: Some(100),
        stamp: Some("11:59:58"),
        ..NOTHING
    };
    let older = Refutation::OlderThanRun(at("11:59:58").to_utc());
    assert_eq!(attributed(&stamp), Attribution::Foreign(older));
    let cut_to_the_second = Case {
        pid: Some(100),
        stamp: Some("11:59:59"),
        ..NOTHING
    };
    assert_eq!(
        attributed(&cut_to_the_second),
        Attribution::Ours(Evidence::Pid(100))
    );
}

#[test]
fn a_report_written_after_the_end_is_held_by_its_time_of_writing_only_against_the_start() {
    let late = Case {
        pid: Some(100),
        stamp: Some("12:01:25"),
        ..NOTHING
    };
    assert_eq!(attributed(&late), Attribution::Ours(Evidence::Pid(100)));
}

#[test]
fn relatives_and_the_library_tie_unknown_ids_to_the_tree() {
    let base = Case {
        pid: Some(500),
        launched: Some("12:00:30"),
        captured: Some("12:00:31"),
        ..NOTHING
    };
    let unknown = Attribution::Unknown(Gap::NoRelation(500));
    assert_eq!(attributed(&base), unknown);
    let orphan = Case {
        parent: Some(1),
        ..base
    };
    assert_eq!(attributed(&orphan), unknown, "process 1 says nothing");
    let child = Case {
        parent: Some(100),
        ..base
    };
    assert_eq!(attributed(&child), Attribution::Ours(Evidence::Parent(100)));
    let late_child = Case {
        parent: Some(101),
        ..base
    };
    assert_eq!(
        attributed(&late_child),
        unknown,
        "the parent's id was another's by then"
    );
    let responsible = Case {
        responsible: Some(100),
        ..base
    };
    assert_eq!(
        attributed(&responsible),
        Attribution::Ours(Evidence::Responsible(100))
    );
    let library = Case {
        image: Some("/opt/agxrun/libagx_fix.dylib"),
        ..base
    };
    let loaded = Evidence::LibraryLoaded(PathBuf::from("/opt/agxrun/libagx_fix.dylib"));
    assert_eq!(attributed(&library), Attribution::Ours(loaded));
    let other_library = Case {
        image: Some("/other/libagx_fix.dylib"),
        ..base
    };
    assert_eq!(attributed(&other_library), unknown, "a name is no evidence");
}

#[test]
fn a_library_of_which_no_ledger_of_the_run_tells_may_have_been_loaded_in_another_run() {
    let tree = TreeFacts {
        ledgers: true,
        ..tree()
    };
    let library = Case {
        pid: Some(500),
        launched: Some("12:00:30"),
        captured: Some("12:00:31"),
        image: Some("/opt/agxrun/libagx_fix.dylib"),
        ..NOTHING
    };
    let found = attributed_to(&tree, &library);
    assert_eq!(found, Attribution::Unknown(Gap::NoLedger(500)));
    assert!(found.counts_in_tree(), "it may be this run's");
    let child = Case {
        parent: Some(100),
        ..library
    };
    let parent = Attribution::Ours(Evidence::Parent(100));
    assert_eq!(attributed_to(&tree, &child), parent);
    assert_eq!(
        attributed(&child),
        parent,
        "who started it says more than what it loaded"
    );
}

#[test]
fn launch_times_outside_the_run_refute() {
    let before = Case {
        pid: Some(500),
        launched: Some("11:00:00"),
        captured: Some("12:00:31"),
        parent: Some(100),
        ..NOTHING
    };
    let refutation = Refutation::LaunchedBeforeRun(at("11:00:00").to_utc());
    assert_eq!(attributed(&before), Attribution::Foreign(refutation));
    let after = Case {
        launched: Some("12:02:00"),
        captured: Some("12:02:01"),
        ..before
    };
    let refutation = Refutation::LaunchedAfterRun(at("12:02:00").to_utc());
    assert_eq!(attributed(&after), Attribution::Foreign(refutation));
}

#[test]
fn without_a_process_or_a_time_it_stays_unknown_and_counts() {
    let nobody = Case {
        captured: Some("12:00:30"),
        ..NOTHING
    };
    assert_eq!(attributed(&nobody), Attribution::Unknown(Gap::NoPid));
    assert!(attributed(&nobody).counts_in_tree());
    let timeless = Case {
        pid: Some(100),
        ..NOTHING
    };
    assert_eq!(attributed(&timeless), Attribution::Unknown(Gap::NoTime));
}

#[test]
fn a_hidden_path_is_the_librarys_only_below_a_home() {
    let home = Path::new("/Users/someone/src/agx/libagx_fix.dylib");
    assert!(is_same_path("/Users/USER/*/libagx_fix.dylib", home));
    assert!(!is_same_path(
        "/Users/USER/*/libagx_fix.dylib",
        Path::new("/opt/libagx_fix.dylib")
    ));
}

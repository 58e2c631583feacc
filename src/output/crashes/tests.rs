use super::*;

fn crash(file: &str) -> CrashView {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/reports")
        .join(file);
    let report = crate::reports::read_file(&path).unwrap_or_else(|error| panic!("{error}"));
    let diagnosis = crate::diagnose::diagnose(&report);
    CrashView::of(std::path::Path::new(file), &report, diagnosis)
}

fn now() -> DateTime<Utc> {
    "2026-11-22T10:00:00Z".parse().expect("a time")
}

fn answer(kind: Kind) -> Answer {
    let place = Place {
        folders: vec!["/home/reports".to_owned()],
        archive: "/home/archive".to_owned(),
    };
    let mut answer = Answer::new(kind, now(), place);
    answer.count = Some(3);
    answer
}

const FILES: [&str; 4] = [
    "008_MotoCortex.ips",
    "031_qlcplus.ips",
    "001_Python.ips",
    "095_YetAnotherMac.crash",
];

fn rows() -> Rows {
    Rows(FILES.map(|file| Row::of(&crash(file))).into())
}

fn shown(width: Option<usize>) -> String {
    let mut answer = answer(Kind::Crashes);
    answer.count = Some(FILES.len());
    let text = rows().text(&answer, width, now());
    anstream::adapter::strip_str(&text).to_string()
}

#[test]
fn a_list_at_each_width() {
    insta::assert_snapshot!("list_60", shown(Some(60)));
    insta::assert_snapshot!("list_80", shown(Some(80)));
    insta::assert_snapshot!("list_120", shown(Some(120)));
    insta::assert_snapshot!("list_piped", shown(None));
}

fn groups() -> Answer {
    let mut groups = crate::diagnose::Groups::new();
    for file in FILES
        .iter()
        .chain(["012_MotoCortex.ips", "018_MotoCortex.ips"].iter())
    {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/data/reports")
            .join(file);
        let report = crate::reports::read_file(&path).unwrap_or_else(|error| panic!("{error}"));
        let diagnosis = crate::diagnose::diagnose(&report);
        groups.add(std::path::Path::new(file), &report, diagnosis.as_ref());
    }
    let mut answer = answer(Kind::Groups);
    answer.count = Some(6);
    answer.groups = Some(groups.finish().iter().map(GroupView::of).collect());
    answer
}

#[test]
fn groups_at_each_width() {
    let answer = groups();
    let shown = |width| {
        let text = groups_text(&answer, width, now());
        anstream::adapter::strip_str(&text).to_string()
    };
    insta::assert_snapshot!("groups_60", shown(Some(60)));
    insta::assert_snapshot!("groups_80", shown(Some(80)));
    insta::assert_snapshot!("groups_120", shown(Some(120)));
    insta::assert_snapshot!("groups_piped", shown(None));
}

#[test]
fn a_crash_and_a_group_as_json() {
    let mut crash_answer = answer(Kind::Crash);
    crash_answer.count = Some(1);
    crash_answer.crashes = Some(vec![crash("095_YetAnotherMac.crash")]);
    let version = format!("\"{}\"", env!("CARGO_PKG_VERSION"));
    let shown = |answer: &Answer| {
        let json = answer.json().expect("JSON");
        json.replace(&version, "\"[version]\"")
    };
    insta::assert_snapshot!("json_crash", shown(&crash_answer));
    let mut groups = groups();
    groups.groups.as_mut().expect("groups").truncate(1);
    insta::assert_snapshot!("json_groups", shown(&groups));
}

#[test]
fn no_line_of_a_list_is_wider_than_the_terminal() {
    use unicode_width::UnicodeWidthStr;
    for width in 1..=200 {
        let text = shown(Some(width));
        assert_eq!(text.lines().count(), 2 + FILES.len(), "at {width}");
        for line in text.lines() {
            assert!(line.width() <= width, "{line} at {width}");
        }
    }
}

#[test]
fn a_piped_line_is_one_line_of_eight_columns_whatever_the_names() {
    let mut crash = crash("001_Python.ips");
    crash.process = Some("a\tb  c\n\u{1b}[2Jd\u{202e}".to_owned());
    crash.pid = None;
    crash.file = "\u{9b}31m.ips".to_owned();
    let line = Rows(vec![Row::of(&crash)]).text(&answer(Kind::Crashes), None, now());
    assert_eq!(line.lines().count(), 1);
    let columns: Vec<&str> = line.split("  ").collect();
    assert_eq!(columns.len(), 8, "{line}");
    assert_eq!(columns[1], "a b c \\u{1b}[2Jd\\u{202e}");
    assert_eq!(columns[2], "-");
    assert!(!line.contains(super::super::terminal::is_hidden), "{line}");
}

#[test]
fn json_has_nothing_that_a_terminal_would_obey() {
    let mut answer = answer(Kind::Crash);
    let mut view = crash("001_Python.ips");
    view.process = Some("\u{9b}31m\u{202e}\u{e0041}\u{1b}[2J é\n".to_owned());
    answer.crashes = Some(vec![view]);
    for text in [answer.json(), answer.json_line()] {
        let text = text.expect("JSON");
        let odd = |c: char| c != '\n' && super::super::terminal::is_hidden(c);
        assert!(!text.contains(odd));
        let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let name = read["crashes"][0]["process"].as_str();
        assert_eq!(name, Some("\u{9b}31m\u{202e}\u{e0041}\u{1b}[2J é\n"));
    }
    assert_eq!(answer.json_line().expect("JSON").lines().count(), 1);
}

#[test]
fn an_empty_answer_says_what_was_asked_and_where_was_looked() {
    let mut answer = answer(Kind::Crashes);
    answer.looked_at.read = Some(2);
    answer.total_files = 7;
    let question = |window: Window| Question {
        window,
        latest: None,
        processes: vec!["py*".to_owned(), "x\u{1b}".to_owned()],
        signatures: vec!["none".to_owned()],
        fingerprints: Vec::new(),
    };
    answer.question = Some(question(Window {
        hours: Some(2.5),
        since: Some(now()),
        ..Window::default()
    }));
    insta::assert_snapshot!(empty(&answer), @r"
    no crash of process py* or x\u{1b} with signature none in the last 2.5 h: read 2 of 7 report files in /home/reports and the archive /home/archive
    --hours and --since look further back, --latest at any time
    ");
    answer.question = Some(question(Window {
        snapshot: Some("s.json".to_owned()),
        snapshot_taken: Some(now()),
        ..Window::default()
    }));
    insta::assert_snapshot!(empty(&answer), @r"no crash of process py* or x\u{1b} with signature none since the snapshot s.json of 2026-11-22 10:00:00 UTC: read 2 of 7 report files in /home/reports and the archive /home/archive");
}

#[test]
fn sizes_have_one_unit() {
    for (count, expected) in [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1500, "1.5 KB"),
        (999_949, "999.9 KB"),
        (999_950, "1.0 MB"),
        (5_000_000_000, "5.0 GB"),
        (u64::MAX, "18446744.1 TB"),
    ] {
        assert_eq!(bytes(count), expected);
    }
}

#[test]
fn every_crash_and_group_has_the_form_that_the_schema_describes() {
    let schema: serde_json::Value = serde_json::from_str(JSON_SCHEMA).expect("JSON");
    jsonschema::meta::validate(&schema).expect("a schema");
    assert_eq!(schema["properties"]["schema"]["const"], SCHEMA);
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let mut crashes = answer(Kind::Crash);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reports");
    let mut views = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the reports") {
        let name = entry
            .expect("an entry")
            .file_name()
            .into_string()
            .expect("text");
        if name != "README.md" {
            views.push(crash(&name));
        }
    }
    assert!(views.len() > 25);
    crashes.crashes = Some(views);
    let mut groups = groups();
    groups.question = Some(Question {
        window: Window::default(),
        latest: None,
        processes: Vec::new(),
        signatures: Vec::new(),
        fingerprints: Vec::new(),
    });
    for answer in [crashes, groups] {
        let json: serde_json::Value =
            serde_json::from_str(&answer.json().expect("JSON")).expect("JSON");
        let wrong: Vec<String> = validator
            .iter_errors(&json)
            .map(|error| format!("{}: {error}", error.instance_path))
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

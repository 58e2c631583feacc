use super::*;
use crate::history::Kind;
use crate::series::sample::{line, slot};
use serde_json::json;

fn header() -> Header {
    Header {
        schema: SCHEMA,
        series: "s".to_owned(),
        command: "stress".to_owned(),
        started: Utc::now(),
        arguments: json!(["--", "true"]),
        plan: json!({ "rules": { "runs": 3 } }),
    }
}

fn entry(number: u64) -> Entry {
    Entry {
        slot: slot(number),
        begun: 0.5,
        at: 1.5,
        held: false,
        line: line(number, Kind::Clean),
    }
}

fn resume(path: &Path) -> Result<(State, Resumed), StateError> {
    State::resume(path, "stress", &header().plan)
}

fn refused(path: &Path, command: &str, plan: &Value) -> String {
    let refused = State::resume(path, command, plan);
    refused.expect_err("refused").to_string()
}

#[test]
fn what_was_written_comes_back() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("new/state.jsonl");
    let mut state = State::create(&path, &header()).expect("made");
    for number in [0, 2] {
        state.append(&entry(number)).expect("written");
    }
    assert!(matches!(resume(&path), Err(StateError::Busy(_))), "held");
    drop(state);
    let (mut state, resumed) = resume(&path).expect("whole");
    assert_eq!(resumed.torn, 0);
    state.append(&entry(1)).expect("written");
    drop(state);
    let (_, resumed) = resume(&path).expect("whole");
    let numbers: Vec<u64> = resumed.entries.iter().map(|it| it.slot.number).collect();
    assert_eq!(numbers, [0, 2, 1]);
    assert_eq!(resumed.entries[0].line, line(0, Kind::Clean));
    let (told, at) = begun(&path).expect("whole");
    assert_eq!((told.series.as_str(), at.as_millis()), ("s", 1500));
    let again = State::create(&path, &header());
    assert!(matches!(again, Err(StateError::Exists(_))));
}

#[test]
fn a_last_line_that_was_cut_off_is_taken_away_wherever_the_cut_was() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("state.jsonl");
    let mut state = State::create(&path, &header()).expect("made");
    state.append(&entry(0)).expect("written");
    let whole = state.length;
    state.append(&entry(1)).expect("written");
    let all = std::fs::read(&path).expect("read");
    drop(state);
    for cut in usize::try_from(whole).expect("small")..all.len() {
        std::fs::write(&path, &all[..cut]).expect("written");
        let (mut state, resumed) = resume(&path).expect("usable");
        assert_eq!(resumed.entries.len(), 1, "cut at {cut}");
        assert_eq!(resumed.torn, cut as u64 - whole);
        state.append(&entry(1)).expect("written");
        assert_eq!(std::fs::read(&path).expect("read"), all, "cut at {cut}");
    }
}

#[test]
fn another_series_is_refused_with_the_difference() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("state.jsonl");
    State::create(&path, &header()).expect("made");
    let other = refused(&path, "stress", &json!({ "rules": { "runs": 4 } }));
    assert!(other.contains("`rules.runs` was 3 and is 4"), "{other}");
    let other = refused(&path, "compare", &header().plan);
    assert!(other.contains("it is of `agxrun stress`"), "{other}");
}

#[test]
fn what_is_no_state_is_said_to_be_none() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("file");
    for (content, why) in [
        ("", "it has no whole line"),
        ("{\"schema\":1", "it has no whole line"),
        ("text\n", "line 1: "),
        ("{\"schema\":99}\n", "it has layout 99"),
        ("{\"schema\":1}\n", "line 1: missing field"),
    ] {
        std::fs::write(&path, content).expect("written");
        let told = refused(&path, "stress", &header().plan);
        assert!(told.contains(why), "{content:?}: {told}");
    }
    std::fs::remove_file(&path).expect("removed");
    State::create(&path, &header()).expect("made");
    let mut text = std::fs::read_to_string(&path).expect("read");
    text += "{\"schema\":1,\"id\":\"a line of the history\"}\n";
    std::fs::write(&path, text).expect("written");
    let told = refused(&path, "stress", &header().plan);
    assert!(told.contains("line 2: missing field"), "{told}");
}

#[test]
fn names_of_series_differ() {
    let now = DateTime::UNIX_EPOCH;
    let (one, other) = (new_id(now), new_id(now));
    assert!(
        one.starts_with("19700101-000000-") && one.len() == 22,
        "{one}"
    );
    assert_ne!(one, other);
}

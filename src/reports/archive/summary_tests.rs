use super::*;
use crate::reports::archive::Info;
use crate::reports::time;

fn now() -> DateTime<FixedOffset> {
    time::parse("2026-01-02 03:04:05 +0100").expect("a date")
}

fn entry(file: &str, incident: Option<&str>, timestamp: &str) -> Entry {
    Entry {
        timestamp: Some(timestamp.to_owned()),
        file: file.to_owned(),
        command: None,
        exit_code: None,
        signal: None,
        info: Info {
            process: None,
            exception: None,
            fault_address: None,
            crashed_in: None,
        },
        incident: incident.map(str::to_owned),
    }
}

fn summary(folder: &Path) -> Value {
    let bytes = fs::read(folder.join(SUMMARY_NAME)).expect("the summary");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn files(summary: &Value) -> Vec<&str> {
    let crashes = summary["crashes"].as_array().expect("a list");
    crashes
        .iter()
        .map(|crash| crash["file"].as_str().expect("a file"))
        .collect()
}

#[test]
fn entries_stand_newest_first_and_each_incident_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let old = entry("old.ips", Some("A"), "2026-01-01T00:00:00+01:00");
    let new = entry("new.ips", Some("B"), "2026-01-01T00:00:00+00:00");
    let recorded = record(folder.path(), &[old.clone(), new], now()).expect("recorded");
    assert_eq!(recorded.added, 2);
    let copy = entry("copy.ips", Some("A"), "2026-01-01T00:00:00+01:00");
    assert_eq!(
        record(folder.path(), &[copy, old], now())
            .expect("recorded")
            .added,
        0
    );
    let summary = summary(folder.path());
    assert_eq!(files(&summary), ["new.ips", "old.ips"]);
    assert_eq!(summary["last_check"], "2026-01-02T03:04:05+01:00");
    assert_eq!(summary["total_files"], 0);
}

#[test]
fn what_an_older_tool_wrote_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let published = json!({
        "crashes": [
            { "timestamp": "2027-01-01T10:00:00.123456", "file": "a.ips", "info": { "x": [1] } },
            "not even an object",
            { "file": "timeless.ips", "own": true },
        ],
        "note": "kept",
    });
    fs::write(folder.path().join(SUMMARY_NAME), published.to_string()).expect("written");
    let new = entry("b.ips", None, "2026-01-01T00:00:00+00:00");
    let recorded = record(folder.path(), &[new.clone(), new], now()).expect("recorded");
    assert_eq!(
        recorded,
        Recorded {
            added: 1,
            set_aside: None
        }
    );
    let summary = summary(folder.path());
    assert_eq!(summary["note"], "kept");
    assert_eq!(summary["crashes"][0], published["crashes"][0]);
    assert_eq!(summary["crashes"][1]["file"], "b.ips");
    assert_eq!(summary["crashes"][2], published["crashes"][1]);
    assert_eq!(summary["crashes"][3], published["crashes"][2]);
}

#[test]
fn a_damaged_summary_is_set_aside_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    for (number, damage) in [r#"{"crashes": [{"#, r#"{"crashes": {}}"#]
        .into_iter()
        .enumerate()
    {
        fs::write(folder.path().join(SUMMARY_NAME), damage).expect("written");
        let recorded = record(folder.path(), &[], now()).expect("recorded");
        let aside = recorded
            .set_aside
            .unwrap_or_else(|| panic!("{number}: set aside"));
        assert_eq!(fs::read_to_string(aside).expect("kept"), damage);
        assert_eq!(summary(folder.path())["crashes"], json!([]));
    }
}

#[test]
fn parallel_runs_lose_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let each = 10;
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let folder = folder.path();
            scope.spawn(move || {
                for number in 0..each {
                    let id = format!("{thread}-{number}");
                    let entry = entry(&id, Some(&id), "2026-01-01T00:00:00+00:00");
                    record(folder, &[entry], now()).expect("recorded");
                }
            });
        }
    });
    assert_eq!(files(&summary(folder.path())).len(), 4 * each);
}

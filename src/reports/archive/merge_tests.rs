use super::*;
use crate::reports::archive::Info;

fn file(name: &str, incident: Option<&str>) -> Entry {
    Entry {
        timestamp: Some("2026-01-01T00:00:00+00:00".to_owned()),
        file: name.to_owned(),
        command: None,
        exit_code: None,
        signal: None,
        info: Info {
            process: Some("Python".to_owned()),
            exception: Some("EXC_BAD_ACCESS (SIGSEGV)".to_owned()),
            fault_address: Some("0x5c8".to_owned()),
            crashed_in: None,
        },
        incident: incident.map(str::to_owned),
    }
}

fn old(name: &str) -> Value {
    json!({ "timestamp": "2026-01-01T00:00:00", "file": name, "info": { "process": "Python" } })
}

const COPY: &str = "20260101_000001_Python-2026-01-01-000000.ips";

#[test]
fn the_same_report_under_73_names_is_told_once() {
    let copies: Vec<Value> = (0..73)
        .map(|n| {
            old(&format!(
                "20260101_00{:02}{:02}_Python-2026-01-01-000000.ips",
                n / 60,
                n % 60
            ))
        })
        .collect();
    let merged = merge(Vec::new(), copies.clone(), &|_| false);
    assert_eq!(
        (merged.crashes.len(), merged.duplicates, merged.gone),
        (1, 72, 1)
    );
    assert_eq!(merged.crashes[0][GONE], true);
    // With one of the files still there, that file says what is so.
    let merged = merge(vec![file(COPY, Some("A"))], copies, &|name| name == COPY);
    assert_eq!(
        (merged.crashes.len(), merged.duplicates, merged.gone),
        (1, 73, 0)
    );
    assert_eq!(merged.crashes[0]["info"]["fault_address"], "0x5c8");
    assert_eq!(merged.crashes[0].get(GONE), None);
}

#[test]
fn what_only_the_list_knows_is_kept() {
    let mut known = old(COPY);
    known["command"] = json!("python3 t.py");
    known["exit_code"] = json!(139);
    known["own"] = json!({ "kept": true });
    known[GONE] = json!(true);
    let merged = merge(vec![file(COPY, Some("A"))], vec![known], &|_| true);
    let [entry] = &merged.crashes[..] else {
        panic!("{:?}", merged.crashes)
    };
    assert_eq!(entry["command"], "python3 t.py");
    assert_eq!(entry["exit_code"], 139);
    assert_eq!(entry["own"]["kept"], true);
    assert_eq!(entry["incident"], "A");
    assert_eq!(entry.get(GONE), None, "the file is back");
}

#[test]
fn different_reports_stay_different() {
    let mut one = old("20260101_000000_Python-2026-01-01-000000.ips");
    one["incident"] = json!("A");
    let mut two = old("20260101_000000_Python-2026-01-01-000000_2.ips");
    two["incident"] = json!("B");
    // Without a time in its name, a name is no identity.
    let nameless = [old("20260101_000000_a.ips"), old("20260102_000000_a.ips")];
    let mut other_info = old("20260101_000003_x-2026-01-01-000000.ips");
    other_info["info"]["process"] = json!("other");
    let third = old("20260101_000002_x-2026-01-01-000000.ips");
    let all: Vec<Value> = [one, two, third, other_info]
        .into_iter()
        .chain(nameless)
        .collect();
    let merged = merge(Vec::new(), all, &|_| false);
    assert_eq!(
        (merged.crashes.len(), merged.duplicates, merged.gone),
        (6, 0, 6)
    );
}

#[test]
fn copies_in_the_archive_are_one_report() {
    let files = vec![
        file("20260101_000001_a.ips", Some("A")),
        file("20260101_000002_a.ips", Some("A")),
        file("20260101_000003_b.crash", None),
        file("20260101_000004_b.crash", None),
    ];
    let listed = vec![
        old("20260101_000002_a.ips"),
        old("crash_logs/20260101_000004_b.crash"),
    ];
    let merged = merge(files, listed, &|_| true);
    assert_eq!((merged.crashes.len(), merged.duplicates), (2, 4));
}

#[test]
fn odd_entries_are_kept_once() {
    let odd = vec![
        json!("text"),
        json!("text"),
        json!(7),
        json!({ "own": 1 }),
        json!({}),
    ];
    let merged = merge(Vec::new(), odd, &|_| false);
    assert_eq!(
        (merged.crashes.len(), merged.duplicates, merged.gone),
        (4, 1, 0)
    );
}

//! Run lines for tests.

use std::path::Path;

use chrono::{TimeDelta, Utc};
use serde_json::json;

use super::{Arm, Series, Show, Slot};
use crate::history::{Kind, ReportLine, RunLine};

/// The run in `slot` of the series `s`, of arm `stress`, that amounts to `kind`.
pub(super) fn line(slot: u64, kind: Kind) -> RunLine {
    let (verdict, reasons): (u8, &[&str]) = match kind {
        Kind::Clean => (0, &["target"]),
        Kind::Crash => (86, &["new_reports", "target"]),
        Kind::Hang => (124, &["timed_out", "signal"]),
        _ => (1, &["target"]),
    };
    let started = chrono::DateTime::<Utc>::UNIX_EPOCH
        + TimeDelta::seconds(i64::try_from(slot).expect("a small number"));
    serde_json::from_value(json!({
        "schema": 1, "id": format!("{slot:032x}"), "started": started, "wall": 1.0, "total": 1.5, "host": "h", "os": "o",
        "hardware": null, "agxrun": "0.1.0", "library": null, "command": ["true"], "program": "/bin/true", "directory": "/",
        "fix": "v3", "throttle": null, "lock_scope": null, "series": "s", "arm": "stress", "slot": slot, "attempt": 1, "pid": 7,
        "exit_code": 0, "signal": null, "signal_name": null, "verdict": verdict, "reasons": reasons, "kind": kind.name(),
        "crash": null, "title": null, "reports": [], "dropped_calls": 0, "hooked_calls": 0, "injected": 1, "counters": {},
        "metric": null, "warnings": []
    }))
    .expect("a line")
}

/// A report that counts, of this incident.
pub(super) fn report(incident: &str, attribution: &str) -> ReportLine {
    ReportLine {
        file: format!("{incident}.ips"),
        incident: Some(incident.to_owned()),
        process: None,
        fingerprint: None,
        signature: None,
        attribution: Some(attribution.to_owned()),
        evidence: None,
        counted: true,
        known: false,
    }
}

/// The slot of this number.
pub(super) fn slot(number: u64) -> Slot {
    Slot {
        number,
        arm: 0,
        block: number,
    }
}

/// The series `s` of the arm `stress`, whose files are in this folder.
pub(super) fn series(folder: &Path) -> Series {
    Series {
        id: "s".to_owned(),
        command: "stress",
        arms: vec![Arm {
            name: "stress".to_owned(),
            options: vec![],
            command: vec!["true".into()],
        }],
        jobs: 1,
        state: folder.join("state.jsonl"),
        resume: true,
        plan: json!({}),
        arguments: vec![],
        archive: folder.join("archive"),
        history: Some(folder.join("runs.jsonl")),
        metric: None,
        output: Show::Keep,
    }
}

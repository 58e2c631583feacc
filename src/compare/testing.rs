//! Run lines for tests.

use crate::history::{Kind, RunLine};

/// A run of this kind that took a second.
pub(crate) fn line(kind: Kind) -> RunLine {
    timed(kind, 1.0)
}

/// A run of this kind that took so long.
pub(crate) fn timed(kind: Kind, wall: f64) -> RunLine {
    let json = serde_json::json!({
        "schema": 1, "id": "0123456789abcdef0123456789abcdef", "started": "2026-01-01T10:00:00Z",
        "wall": wall, "total": wall + 0.1, "host": "here", "os": "Linux 6.1", "hardware": null,
        "agxrun": "0.1.0", "library": null, "command": ["true"], "program": "/bin/true", "directory": "/",
        "fix": "none", "throttle": null, "lock_scope": null, "series": null, "arm": null, "slot": null,
        "attempt": 1, "pid": 7, "exit_code": 0, "signal": null, "signal_name": null, "verdict": 0,
        "reasons": [], "kind": kind, "crash": kind.is_crash().then_some("sig"), "title": null, "reports": [],
        "dropped_calls": 0, "hooked_calls": 0, "injected": 0, "counters": {}, "metric": null, "warnings": [],
    });
    serde_json::from_value(json).expect("a run line")
}

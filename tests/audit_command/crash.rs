//! Reports of crashes in a driver that is made here.

use serde_json::{Value, json};

/// A report of a crash in the driver: where the thread was, in bytes from the image's start, and the
/// address of the fault.
pub fn report(uuid: &str, offsets: &[u64], fault: u64) -> String {
    let head = json!({
        "app_name": "python3", "timestamp": "2025-12-20 10:00:00.00 +0000", "bug_type": "309",
        "os_version": "macOS 15.7.3 (24G419)", "incident_id": "5A5A5A5A-0000-4000-8000-000000000001",
    });
    let frames: Vec<Value> = offsets
        .iter()
        .map(|offset| json!({"imageOffset": offset, "imageIndex": 1}))
        .collect();
    let body = json!({
        "procName": "python3", "pid": 7, "captureTime": "2025-12-20 10:00:00.0000 +0000",
        "exception": {
            "type": "EXC_BAD_ACCESS", "signal": "SIGSEGV",
            "subtype": format!("KERN_INVALID_ADDRESS at {fault:#018x}"),
        },
        "faultingThread": 0,
        "threads": [{"id": 1, "triggered": true, "frames": frames}],
        "usedImages": [
            {"source": "P", "arch": "arm64", "base": 0x1_0000_0000_u64, "size": 4096, "name": "python3",
             "uuid": "11111111-1111-1111-1111-111111111111", "path": "/usr/bin/python3"},
            {"source": "P", "arch": "arm64e", "base": 0x2_4000_0000_u64, "size": 0x8_0000, "name": "AGXMetalG16X",
             "uuid": uuid, "path": "/System/Library/Extensions/AGXMetalG16X.bundle/Contents/MacOS/AGXMetalG16X"},
        ],
    });
    format!("{head}\n{body:#}\n")
}

//! With prlimit(1), which only Linux has.

use std::fs;
use std::process::Command;

use crate::sandbox::{Sandbox, finish};
use crate::writer::{incident, text};

#[test]
fn a_full_disk_is_said_and_the_report_copied_when_there_is_room() {
    let sandbox = Sandbox::new();
    // A limit on the size of files fails a write as a full disk does: small files fit, the report
    // does not.
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -S -f 100; exec \"$@\"", "sh"])
        .arg(env!("CARGO_BIN_EXE_agxrun"));
    let (code, said) = finish(&mut sandbox.with_folders(limited, "start"));
    assert_eq!(code, 0, "{said}");
    let number = 7;
    let large = text(number, 400);
    assert!(large.len() > 200 * 1024);
    let path = sandbox.reports.join("large.ips");
    fs::write(&path, &large).expect("written");
    let status = sandbox.wait_for_status(|status| status.waiting == 1);
    let error = status.last_error.expect("said").text;
    assert!(error.contains("large.ips"), "{error}");
    fs::remove_file(&path).expect("removed");
    let pid = sandbox.holder().pid.to_string();
    let room = Command::new("prlimit")
        .args(["--pid", &pid, "--fsize=unlimited:unlimited"])
        .status();
    assert!(room.expect("prlimit starts").success());
    sandbox.wait_for_status(|status| status.waiting == 0 && status.copied == 1);
    let copies = sandbox.copies();
    let [copy] = copies[&incident(number)].as_slice() else {
        panic!("{copies:?}");
    };
    assert_eq!(fs::read(copy).expect("read"), large.as_bytes());
}

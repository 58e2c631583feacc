//! Programs that a test makes and then starts.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Makes an executable file of these bytes.
///
/// Another process writes it. Were it open for writing here while another test's thread forks, that thread's child would
/// have it open until its exec, and starting the file meanwhile would fail with ETXTBSY.
pub fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    let mut writer = Command::new("/bin/sh")
        .args(["-c", r#"cat >"$1" && chmod 755 "$1""#, "sh"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut stdin = writer.stdin.take().expect("a pipe");
    stdin.write_all(bytes.as_ref()).expect("written");
    drop(stdin);
    let written = writer.wait().expect("a child").success();
    assert!(written, "{}", path.display());
}

/// Makes a copy of an executable file.
pub fn copy(from: impl AsRef<Path>, to: &Path) {
    write(to, std::fs::read(from).expect("readable"));
}

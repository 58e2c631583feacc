//! A report writer that takes its time: waits 200 ms, then becomes the real one, which stands one folder up.
//!
//! With it a test can tell what the crashed process does between its crash and its death.

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
fn main() {
    use std::os::unix::process::CommandExt;

    std::thread::sleep(std::time::Duration::from_millis(200));
    let own = std::env::current_exe().expect("own path");
    let folder = own
        .parent()
        .and_then(std::path::Path::parent)
        .expect("two folders up");
    let error = std::process::Command::new(folder.join("agx-rehearsal-reporter")).exec();
    panic!("the real writer could not be started: {error}");
}

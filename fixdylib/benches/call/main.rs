//! What the library costs, on GCC's runtime and Linux.
//!
//! `cargo bench -p agx-fix --bench call`. The program starts itself again with the library preloaded, once for each way to
//! run it, in turns. It prints what a message to a hooked method takes against one to a method that is not, under v3 (with
//! events, without, in the scope `buffer`, and with the census) and under v2.9, and the count of instructions where valgrind is installed;
//! the calls a second of eight threads; and what the library adds to a process without Metal. One of these parts alone:
//! `-- message`, `-- threads`, `-- idle`.

#[cfg(target_os = "linux")]
mod driver;
#[cfg(target_os = "linux")]
mod idle;
#[cfg(target_os = "linux")]
mod library;
#[cfg(target_os = "linux")]
mod message;
#[cfg(target_os = "linux")]
#[path = "../../tests/hooks/objc.rs"]
#[allow(dead_code)] // the tests use more of it
mod objc;
#[cfg(target_os = "linux")]
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)] // counts of calls, far below what a double holds
mod throughput;

#[cfg(target_os = "linux")]
fn main() -> std::io::Result<()> {
    match std::env::var(library::ROLE).as_deref() {
        Ok("messages") => message::measure(),
        Ok("unhooked") => message::send(false)?,
        Ok("hooked") => message::send(true)?,
        Ok("calibrate") => throughput::calibrate(),
        Ok("threads") => throughput::measure(true)?,
        Ok("plain threads") => throughput::measure(false)?,
        Ok("hold") => idle::hold()?,
        _ => {
            let ledgers = tempfile::TempDir::new()?;
            // Cargo adds `--bench`.
            let parts: Vec<String> = std::env::args()
                .skip(1)
                .filter(|it| !it.starts_with("--"))
                .collect();
            let asked = |part: &str| parts.is_empty() || parts.iter().any(|it| it == part);
            if asked("message") {
                message::report(ledgers.path())?;
            }
            if asked("threads") {
                throughput::report(ledgers.path())?;
            }
            if asked("idle") {
                idle::report(ledgers.path())?;
            }
        }
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("the library is measured on GCC's runtime, on Linux");
}

//! What the library costs, on GCC's runtime and Linux.
//!
//! `cargo bench -p agx-fix --bench call`. The program starts itself again with the library preloaded, once for each way to
//! run it, in turns. It prints what a message to a hooked method takes against one to a method that is not, under v3 (with
//! events and without) and under v2.9, and the count of instructions where valgrind is installed; the calls a second
//! of eight threads; and what the library adds to a process without Metal.

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
        Ok("threads") => throughput::measure()?,
        Ok("hold") => idle::hold()?,
        _ => {
            let ledgers = tempfile::TempDir::new()?;
            message::report(ledgers.path())?;
            throughput::report(ledgers.path())?;
            idle::report(ledgers.path())?;
        }
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("the library is measured on GCC's runtime, on Linux");
}

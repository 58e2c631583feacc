//! The report writer: reads a crashed process from outside and writes its `.ips` report.
//!
//! Started by the preloaded library in the moment of a crash, never by hand; or, as `--gpu-event PID REASON`, by the rehearsal
//! driver when its GPU faults.

#[cfg(target_os = "linux")]
mod annotations;
#[cfg(target_os = "linux")]
mod capture;
#[cfg(target_os = "linux")]
mod clock;
#[cfg(target_os = "linux")]
mod compose;
#[cfg(target_os = "linux")]
mod exception;
#[cfg(target_os = "linux")]
mod file;
#[cfg(target_os = "linux")]
mod gpu_event;
#[cfg(target_os = "linux")]
mod images;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod message;
#[cfg(target_os = "linux")]
mod procfs;
#[cfg(target_os = "linux")]
mod registers;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod symbols;
#[cfg(target_os = "linux")]
mod tracees;
#[cfg(target_os = "linux")]
mod unwind;
#[cfg(target_os = "linux")]
#[path = "../wire.rs"]
mod wire;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    eprintln!(
        "agx-rehearsal-reporter: Linux only (on macOS the system writes crash reports itself)"
    );
    std::process::ExitCode::from(2)
}

//! The preloaded half of the report writer that stands in for ReportCrash on Linux.
//!
//! On macOS a crash report is written by another process, after the crash, without any help from the program that
//! crashed. This library gives a Linux process the same property: its constructor makes "default action" mean "hand the
//! crash to `agx-rehearsal-reporter`, then die of the very same signal". The program cannot tell: its dispositions read as
//! before, its wait status is unchanged, and nothing is its child.
//!
//! | variable | meaning |
//! |---|---|
//! | `AGX_REHEARSAL_REPORTS_DIR` | absolute path of the folder that reports are written to |
//! | `AGX_REHEARSAL_REPORTER` | absolute path of the writer, the `agx-rehearsal-reporter` program |
//! | `AGX_REHEARSAL_REPORT_DELAY_MS` | milliseconds from the crash to the report's appearance, default 150 |
//! | `AGX_REHEARSAL_VERBOSE` | `1`: say on stderr why the library does nothing |
//!
//! Without the first two the library does nothing. On other systems than Linux it is empty.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod wire;

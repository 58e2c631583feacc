//! Crash reports: folders and snapshots, reading `.ips` and `.crash` into one model, archiving.
//!
//! Nothing here knows of processes or prints: time, folders and environment come as arguments.
//!
//! The reader is of use without the rest of the crate. [`read_file`] reads a file and [`ips::read`]
//! bytes, of any kind and age, into one [`Report`]: the fields of a crash, and in
//! [`Report::details`] those of samples, memory kills, panics and other [`events`]. Every field is
//! optional; what could not be read is in [`Report::problems`].
//!
//! ```
//! use agxrun::reports::{Kind, frames, read_file};
//!
//! let report = read_file("tests/data/reports/001_Python.ips".as_ref())?;
//! assert_eq!(report.kind, Kind::Crash);
//! assert_eq!(report.process_name(), Some("Python"));
//! assert_eq!(report.exception_title().as_deref(), Some("EXC_BAD_ACCESS (SIGSEGV)"));
//! assert_eq!(report.fault_address(), Some(0xa7));
//! for frame in report.crashed_frames().iter().take(3) {
//!     println!("{}", frames::describe(&report, frame).unwrap_or_default());
//! }
//! # Ok::<(), agxrun::reports::FileError>(())
//! ```

pub mod archive;
pub mod attribution;
pub mod events;
pub mod fault;
pub mod file;
pub mod find;
pub mod folders;
pub mod follow;
pub mod frames;
pub mod ips;
pub mod kind;
pub mod listing;
pub mod model;
pub mod problem;
pub mod snapshot;
pub mod symbols;
pub mod text;
pub mod time;
pub mod watch;

pub use attribution::{Attribution, TreeFacts, attribute};
pub use file::{FileError, read_file};
pub use folders::ReportFolder;
pub use kind::Kind;
pub use model::Report;
pub use problem::{Problem, ReadError};
pub use snapshot::{Change, Snapshot};

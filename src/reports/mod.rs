//! Crash reports: folders and snapshots, reading `.ips` and `.crash` into one model, archiving.
//!
//! Nothing here knows of processes or prints: time, folders and environment come as arguments.

pub mod archive;
pub mod attribution;
pub mod fault;
pub mod file;
pub mod folders;
pub mod follow;
pub mod frames;
pub mod ips;
pub mod kind;
pub mod listing;
pub mod model;
pub mod problem;
pub mod snapshot;
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

//! The history: one line for every run, in `runs.jsonl` beside the archived reports. It is how the runs of a day, or of
//! many machines, are brought together; `docs/history.md` describes each field.
//!
//! A line is made from a run's record ([`RunLine::of`]), appended whole or not at all by any number of writers
//! ([`append()`]), and read back in a stream that names what it cannot read ([`read()`]).

mod append;
mod fix;
mod group;
mod headline;
mod id;
mod kind;
mod line;
mod query;
mod rates;
mod read;
mod row;

pub use append::{Appended, HistoryError, append};
pub use group::{Group, Groups, Key, Tally, UnknownKey};
pub use kind::{Kind, UnknownKind};
pub use line::{Basics, Context, ReportLine, RunLine, SCHEMA};
pub use query::{Filter, Survey};
pub use rates::{Counts, Rates, RecordError, Run};
pub use read::{BadLine, Why, open, read, read_from};
pub use row::{Row, Text, rows_from};

/// The file's name in the archive folder.
pub const FILE_NAME: &str = "runs.jsonl";

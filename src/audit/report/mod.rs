//! What an audit tells: of files and their images, against another audit, and in sum. It is printed as
//! JSON, kept, and read again, by `agxrun audit --against` and `agxrun show`.

mod against;
mod family;
mod file;
mod image;
pub mod kept;
mod model;
mod progress;
mod saved;
mod verdict;

pub use against::{Changes, ClassChange, Comparison, CoverageChange, MethodChange, TypesChange};
pub use file::Parts;
pub use model::{
    Audit, FileAudit, Finding, FindingKind, GapsAudit, ImageAudit, LookedAt, PartAudit, SCHEMA,
    Unseen, UnseenKind, Verdict,
};
pub use progress::{Progress, Silent, Stage};
pub use saved::SavedError;

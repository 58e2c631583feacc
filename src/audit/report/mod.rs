//! What an audit tells: of files and their images, against another audit, and in sum. It is printed as
//! JSON, kept, and read again, by `agxrun audit --against` and `agxrun show`.

mod against;
mod bypass;
mod code;
mod family;
mod file;
mod findings;
mod image;
pub mod kept;
mod model;
mod progress;
mod race;
mod saved;
mod verdict;
mod words;

pub use against::{
    Changes, ClassChange, Comparison, CoverageChange, MethodChange, OrderChange, TypesChange,
};
pub use bypass::{
    BypassAudit, BypassExtent, DirectMethodAudit, LookupAudit, ReferenceAudit, ReferenceAuditKind,
};
pub use code::{Line, Spot};
pub use file::Parts;
pub use model::{
    Audit, FileAudit, Finding, FindingKind, GapsAudit, ImageAudit, LookedAt, PartAudit, SCHEMA,
    Unseen, UnseenKind, Verdict,
};
pub use progress::{Progress, Silent, Stage};
pub use race::{
    ActionKind, DestroyAudit, PredictedFault, RaceAudit, ReadsExtent, StepAudit, StoreOrderKind,
    UntestedReadAudit,
};
pub use saved::SavedError;

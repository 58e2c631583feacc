//! Every policy against every published failure, on the rehearsal: who fails where.
//!
//! Each run is one process of the rehearsal's workload with the library injected as a run injects it, and is judged by how that
//! process ended and by its ledger. The report writer is left out and no report is waited for: there are hundreds of runs, and
//! a signal says as much.

pub mod execute;
pub mod interrupt;
pub mod outcome;
pub mod plan;
mod process;
pub mod scenario;
pub mod tally;

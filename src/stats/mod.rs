//! Crash rates and what they prove. `docs/statistics.md` says what each method is, and where it is from.
//!
//! Pure: nothing here knows of processes, files or clocks, and what is random has a seed.

mod binomial;
mod bootstrap;
mod fisher;
mod order;
mod power;
pub mod random;
mod rate;
pub mod sequential;
pub mod series_quality;
mod survival;

pub use bootstrap::{Interval, bootstrap_ratio_of_medians};
pub use fisher::{fisher_exact, holm};
pub use order::{Spread, median};
pub use power::{BeyondReach, MOST_RUNS, power_of_fisher, runs_needed};
pub use rate::{Rate, cumulative_bound};
pub use sequential::{Decision, Sequential, Unreachable};
pub use survival::{Step, Survival};

/// A count as a number to reckon with; exact below 2^53.
#[allow(clippy::cast_precision_loss)] // nobody counts that far
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

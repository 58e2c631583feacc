//! Plots of what a series of runs shows, as SVG and in an HTML page: crash rates with their intervals, survival over the
//! time of a run, and what was known after each run.
//!
//! A plot is a pure function of numbers and names. Its text is text, that can be selected and read aloud; arms differ by
//! dashes and by a label at their line as well as by colour; dark and light follow the reader's system. A file of its own
//! carries its style with it; in the page it is the page's, which [`page()`] allows by its hash alone.

mod axis;
mod bound;
mod frame;
mod page;
mod page_model;
mod rates;
mod survival;
#[cfg(test)]
mod tests;

use crate::output::html::text::Text;
use crate::stats::{Rate, Survival};

pub use page::page;
pub use page_model::{Fact, PageArm, SeriesPage, Tone};

/// A rate to be drawn.
#[derive(Debug, Clone)]
pub struct RateRow {
    /// The arm.
    pub name: Text,
    /// How often it crashed.
    pub rate: Rate,
}

/// A survival to be drawn.
#[derive(Debug, Clone)]
pub struct SurvivalLine {
    /// The arm.
    pub name: Text,
    /// The share of its runs without a crash, over their time.
    pub survival: Survival,
}

/// Upper bounds to be drawn.
#[derive(Debug, Clone)]
pub struct BoundLine {
    /// The arm.
    pub name: Text,
    /// The bound after each run that shows something, in their order.
    pub bounds: Vec<f64>,
}

impl RateRow {
    /// That of an arm of the page.
    pub fn of(arm: &PageArm) -> Self {
        Self {
            name: arm.name.clone(),
            rate: arm.rate,
        }
    }
}

impl SurvivalLine {
    /// That of an arm of the page; `None` where no run of it shows something.
    pub fn of(arm: &PageArm) -> Option<Self> {
        (arm.rate.runs > 0).then(|| Self {
            name: arm.name.clone(),
            survival: arm.survival.clone(),
        })
    }
}

impl BoundLine {
    /// That of an arm of the page; `None` where no run of it shows something.
    pub fn of(arm: &PageArm) -> Option<Self> {
        (!arm.bounds.is_empty()).then(|| Self {
            name: arm.name.clone(),
            bounds: arm.bounds.clone(),
        })
    }
}

/// Crash rates with their intervals, a row an arm, as an SVG file.
pub fn rates_svg(rows: &[RateRow], confidence: f64) -> String {
    frame::file(&rates::plot(rows, confidence))
}

/// The share of runs that have not crashed, over the seconds of a run, as an SVG file.
pub fn survival_svg(lines: &[SurvivalLine], confidence: f64) -> String {
    frame::file(&survival::plot(lines, confidence))
}

/// The upper bound of the crash rate after each run, as an SVG file; `limit` is the rate that is to be gone below.
pub fn bound_svg(lines: &[BoundLine], confidence: f64, limit: Option<f64>) -> String {
    frame::file(&bound::plot(lines, confidence, limit))
}

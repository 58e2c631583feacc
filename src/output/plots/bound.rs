//! What was known of the crash rate after each run.

use std::fmt::Write;

use maud::html;

use super::BoundLine;
use super::axis::{Axis, place};
use super::frame::{LABELS, NUMBERS, Plot, WIDTH, along, apart, class, upward};
use super::survival::short;
use crate::output::stress::percent::{Round, confidence, percent};

const TOP: f64 = 16.0;
const BOTTOM: f64 = 276.0;
const RIGHT: f64 = WIDTH - LABELS;

/// Places of a line at most: more are finer than the drawing.
const PLACES: usize = 600;

pub(super) fn plot(lines: &[BoundLine], sure: f64, limit: Option<f64>) -> Plot {
    let most = lines
        .iter()
        .map(|line| line.bounds.len())
        .max()
        .unwrap_or(0);
    #[allow(clippy::cast_precision_loss)] // runs, not 2^52 of them
    let runs = Axis::up_to(most as f64, NUMBERS, RIGHT);
    let share = Axis::of_shares(highest(lines, limit), BOTTOM, TOP);
    let last = |line: &BoundLine| line.bounds.last().copied().unwrap_or(1.0);
    let ends: Vec<f64> = lines
        .iter()
        .map(|line| share.at(last(line)) + 4.0)
        .collect();
    let labels = apart(&ends, TOP + 4.0, BOTTOM + 4.0);
    let drawing = html! {
        (upward(&share, NUMBERS, RIGHT))
        @if let Some(limit) = limit {
            @let y = share.at(limit);
            line.limit x1=(place(NUMBERS)) x2=(place(RIGHT)) y1=(place(y)) y2=(place(y)) {}
            text.number x=(place(RIGHT - 6.0)) y=(place(y - 6.0)) text-anchor="end" { "limit: " (percent(limit, Round::Nearest)) }
        }
        @for (at, line) in lines.iter().enumerate() {
            g class=(class(at)) { path.line d=(steps(&line.bounds, &runs, &share)) {} }
        }
        @for (at, (line, y)) in lines.iter().zip(labels).enumerate() {
            g class=(class(at)) {
                line.key x1=(place(RIGHT + 6.0)) x2=(place(RIGHT + 24.0)) y1=(place(y - 4.0)) y2=(place(y - 4.0)) {}
                text.name x=(place(RIGHT + 30.0)) y=(place(y)) { (short(line.name.as_str())) }
            }
        }
        (along(&runs, BOTTOM, "runs that show something", |tick| runs.number(tick)))
    };
    Plot {
        id: "bound",
        title: "The crash rate is below this, after so many runs",
        description: description(lines, sure, limit),
        height: BOTTOM + 48.0,
        drawing,
    }
}

/// The first bounds, of a handful of runs, are near 1 and would press the others to the ground.
fn highest(lines: &[BoundLine], limit: Option<f64>) -> f64 {
    const FIRST: usize = 5;
    let of_line = |line: &BoundLine| {
        let shown = line
            .bounds
            .iter()
            .skip(FIRST.min(line.bounds.len().saturating_sub(1)));
        shown.copied().fold(0.0, f64::max)
    };
    let bounds = lines.iter().map(of_line).fold(0.0, f64::max);
    bounds.max(limit.map_or(0.0, |limit| limit * 1.5))
}

/// Across to each run, and to its bound.
fn steps(bounds: &[f64], runs: &Axis, share: &Axis) -> String {
    let each = bounds.len().div_ceil(PLACES).max(1);
    let mut path = String::new();
    for (at, bound) in bounds.iter().enumerate() {
        if at % each != 0 && at + 1 != bounds.len() {
            continue;
        }
        #[allow(clippy::cast_precision_loss)] // runs, not 2^52 of them
        let (x, y) = (place(runs.at(at as f64 + 1.0)), place(share.at(*bound)));
        // Writing to a String cannot fail.
        let _ = if path.is_empty() {
            write!(path, "M{x} {y}")
        } else {
            write!(path, "H{x}V{y}")
        };
    }
    path
}

fn description(lines: &[BoundLine], sure: f64, limit: Option<f64>) -> String {
    let lines: Vec<String> = lines
        .iter()
        .filter_map(|line| {
            let bound = line.bounds.last()?;
            let runs = line.bounds.len();
            Some(format!(
                "{}: below {} after {runs}",
                line.name.as_str(),
                percent(*bound, Round::Up)
            ))
        })
        .collect();
    let limit = limit.map_or_else(String::new, |limit| {
        format!(" The limit is {}.", percent(limit, Round::Nearest))
    });
    format!(
        "Exact one-sided upper bound of the crash rate with {} confidence, for each number of runs by itself. {}.{limit}",
        confidence(sure),
        lines.join("; ")
    )
}

//! Crash rates with their intervals.

use maud::{Markup, html};

use super::RateRow;
use super::axis::{Axis, place};
use super::frame::{Plot, WIDTH, along, class};
use crate::output::stress::percent::{Round, confidence, percent};

/// Height of a row: the name and the numbers above, the interval below.
const ROW: f64 = 52.0;
const TOP: f64 = 12.0;
const LEFT: f64 = 16.0;
const RIGHT: f64 = WIDTH - 34.0;

pub(super) fn plot(rows: &[RateRow], sure: f64) -> Plot {
    let highest = rows.iter().filter_map(|row| row.rate.interval(sure));
    let highest = highest.map(|(_, high)| high).fold(0.0, f64::max);
    let axis = Axis::of_shares(highest, LEFT, RIGHT);
    #[allow(clippy::cast_precision_loss)] // rows of a table
    let bottom = TOP + ROW * rows.len() as f64;
    let drawing = html! {
        @for tick in &axis.ticks {
            @let x = place(axis.at(*tick));
            line.grid x1=(x) x2=(x) y1=(place(TOP)) y2=(place(bottom)) {}
        }
        @for (at, row) in rows.iter().enumerate() { (drawn(at, row, &axis, sure)) }
        (along(&axis, bottom, "runs that crashed", |tick| axis.percent(tick)))
    };
    Plot {
        id: "rates",
        title: "Crash rate of each arm",
        description: description(rows, sure),
        height: bottom + 48.0,
        drawing,
    }
}

fn drawn(at: usize, row: &RateRow, axis: &Axis, sure: f64) -> Markup {
    #[allow(clippy::cast_precision_loss)] // rows of a table
    let top = TOP + ROW * at as f64;
    let (words, line) = (top + 18.0, top + 36.0);
    let ends = row.rate.estimate().zip(row.rate.interval(sure));
    html! {
        g class=(class(at)) {
            text.name x=(place(LEFT)) y=(place(words)) { (row.name) }
            text.said x=(place(RIGHT)) y=(place(words)) text-anchor="end" { (said(row, sure)) }
            @if let Some((estimate, (low, high))) = ends {
                @let (low, high) = (axis.at(low), axis.at(high));
                line.interval x1=(place(low)) x2=(place(high)) y1=(place(line)) y2=(place(line)) {}
                line.end x1=(place(low)) x2=(place(low)) y1=(place(line - 5.0)) y2=(place(line + 5.0)) {}
                line.end x1=(place(high)) x2=(place(high)) y1=(place(line - 5.0)) y2=(place(line + 5.0)) {}
                circle.estimate cx=(place(axis.at(estimate))) cy=(place(line)) r="5" {}
            }
        }
    }
}

/// `12 of 20: 60.0 %, from 36.0 % to 80.9 %`.
fn said(row: &RateRow, sure: f64) -> String {
    let rate = row.rate;
    match rate.estimate().zip(rate.interval(sure)) {
        Some((estimate, (low, high))) => format!(
            "{} of {}: {}, from {} to {}",
            rate.crashes,
            rate.runs,
            percent(estimate, Round::Nearest),
            percent(low, Round::Down),
            percent(high, Round::Up)
        ),
        None => "no run that shows something".to_owned(),
    }
}

fn description(rows: &[RateRow], sure: f64) -> String {
    let rows: Vec<String> = rows
        .iter()
        .map(|row| format!("{}: {}", row.name.as_str(), said(row, sure)))
        .collect();
    format!(
        "Crashes among the runs that show something, with the exact {} confidence interval. {}.",
        confidence(sure),
        rows.join("; ")
    )
}

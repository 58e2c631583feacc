//! The share of runs that have not crashed, over the time of a run.

use std::fmt::Write;

use maud::{Markup, html};

use super::SurvivalLine;
use super::axis::{Axis, place};
use super::frame::{LABELS, NUMBERS, Plot, WIDTH, along, apart, class, upward};
use crate::output::stress::percent::{Round, confidence, percent};
use crate::stats::Survival;

const TOP: f64 = 16.0;
const BOTTOM: f64 = 276.0;
const RIGHT: f64 = WIDTH - LABELS;

/// Marks of runs that ended without a crash, of an arm: more of them would be a bar.
const MARKS: usize = 200;

pub(super) fn plot(lines: &[SurvivalLine], sure: f64) -> Plot {
    let last = lines.iter().filter_map(|line| line.survival.last_time());
    let time = Axis::up_to(last.fold(0.0, f64::max), NUMBERS, RIGHT);
    let share = Axis::up_to(1.0, BOTTOM, TOP);
    let ends: Vec<f64> = lines
        .iter()
        .map(|line| share.at(last_share(&line.survival)) + 4.0)
        .collect();
    let labels = apart(&ends, TOP + 4.0, BOTTOM + 4.0);
    let drawing = html! {
        (upward(&share, NUMBERS, RIGHT))
        @for (at, line) in lines.iter().enumerate() {
            g class=(class(at)) {
                // Bounds of many arms would cover each other.
                @if lines.len() <= 3 { path.band d=(band(&line.survival, &time, &share)) {} }
                path.line d=(steps(&line.survival, &time, &share)) {}
                (marks(&line.survival, &time, &share))
            }
        }
        @for (at, (line, y)) in lines.iter().zip(labels).enumerate() {
            g class=(class(at)) {
                line.key x1=(place(RIGHT + 6.0)) x2=(place(RIGHT + 24.0)) y1=(place(y - 4.0)) y2=(place(y - 4.0)) {}
                text.name x=(place(RIGHT + 30.0)) y=(place(y)) { (short(line.name.as_str())) }
            }
        }
        (along(&time, BOTTOM, "seconds of running", |tick| time.number(tick)))
    };
    Plot {
        id: "survival",
        title: "Runs that have not crashed, over the time of a run",
        description: description(lines, sure),
        height: BOTTOM + 48.0,
        drawing,
    }
}

/// A name that fits beside the drawing.
pub(super) fn short(name: &str) -> String {
    crate::output::table::cut(name, 16)
}

fn last_share(survival: &Survival) -> f64 {
    survival.steps.last().map_or(1.0, |step| step.share)
}

/// Across to each crash, and down.
fn steps(survival: &Survival, time: &Axis, share: &Axis) -> String {
    let mut path = format!("M{} {}", place(time.at(0.0)), place(share.at(1.0)));
    for step in &survival.steps {
        // Writing to a String cannot fail.
        let _ = write!(
            path,
            "H{}V{}",
            place(time.at(step.time)),
            place(share.at(step.share))
        );
    }
    if let Some(last) = survival.last_time() {
        let _ = write!(path, "H{}", place(time.at(last)));
    }
    path
}

/// The bounds: forth along the upper ones, back along the lower ones.
fn band(survival: &Survival, time: &Axis, share: &Axis) -> String {
    let (Some(first), Some(last)) = (survival.steps.first(), survival.last_time()) else {
        return String::new();
    };
    let mut path = format!(
        "M{} {}",
        place(time.at(first.time)),
        place(share.at(first.high))
    );
    for step in &survival.steps[1..] {
        let _ = write!(
            path,
            "H{}V{}",
            place(time.at(step.time)),
            place(share.at(step.high))
        );
    }
    let _ = write!(path, "H{}", place(time.at(last)));
    for step in survival.steps.iter().rev() {
        let _ = write!(
            path,
            "V{}H{}",
            place(share.at(step.low)),
            place(time.at(step.time))
        );
    }
    path.push('Z');
    path
}

fn marks(survival: &Survival, time: &Axis, share: &Axis) -> Markup {
    let each = survival.ended.len().div_ceil(MARKS).max(1);
    html! {
        @for ended in survival.ended.iter().step_by(each) {
            @let (x, y) = (place(time.at(*ended)), share.at(survival.at(*ended)));
            line.mark x1=(x) x2=(x) y1=(place(y - 4.0)) y2=(place(y + 4.0)) {}
        }
    }
}

fn description(lines: &[SurvivalLine], sure: f64) -> String {
    let lines: Vec<String> = lines
        .iter()
        .map(|line| {
            let crashed: u64 = line.survival.steps.iter().map(|step| step.crashed).sum();
            format!(
                "{}: {} have not crashed at the end; {crashed} crashed, {} ended otherwise",
                line.name.as_str(),
                percent(last_share(&line.survival), Round::Nearest),
                line.survival.ended.len()
            )
        })
        .collect();
    format!(
        "Kaplan and Meier's estimate; small marks are runs that ended without a crash, the shaded bands {} confidence. {}.",
        confidence(sure),
        lines.join("; ")
    )
}

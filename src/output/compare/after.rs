//! The summary of a comparison for people.

use super::{Answer, findings, line, measures};
use crate::compare::analysis::{ArmResult, Finding};
use crate::compare::measured::Measured;
use crate::history::Kind;
use crate::output::stress::percent::{Round, confidence, percent};
use crate::output::stress::words;
use crate::output::table::{Cell, Column, Table};
use crate::output::terminal::{ERROR, OK, STRONG, WARNING, visible};
use crate::run::execute::signal_name;
use crate::run::verdict::exit_code;
use crate::series::End;

/// Names of crashes that are listed of each arm.
const NAMED: usize = 8;

const fn column(title: &'static str, spare: u8, least: usize, most: usize) -> Column {
    Column {
        title,
        spare,
        least,
        most,
        right: false,
    }
}

impl Answer<'_> {
    /// The summary: rates, kinds, times, what it comes to, what to know, where it is. `quiet` leaves out what is well.
    /// Tables are at most `width` cells wide.
    pub fn text(&self, quiet: bool, width: usize) -> String {
        let mut text = String::new();
        let say_all = !quiet || self.exit_code != exit_code::OK;
        if say_all {
            self.rates(&mut text, width);
            self.kinds(&mut text);
            self.measured(&mut text, width, "TIME", |arm| Some(&arm.wall));
            self.measured(&mut text, width, "NUMBER", |arm| arm.metric.as_ref());
        }
        for warning in &self.warnings {
            line(
                &mut text,
                &format!("{WARNING}warning{WARNING:#}: {}", visible(warning)),
            );
        }
        self.end(&mut text);
        if say_all {
            self.findings(&mut text);
            self.places(&mut text);
            self.headline(&mut text);
        }
        text
    }

    fn rates(&self, text: &mut String, width: usize) {
        let sure = self.comparison.confidence;
        let mut table = Table::new([
            column("ARM", 0, 8, 40),
            column("CRASHED", 0, 7, 20),
            column("RATE", 0, 6, 10),
            column("INTERVAL", 1, 15, 30),
            column("NOT COUNTED", 2, 11, 20),
        ]);
        for (at, arm) in self.comparison.arms.iter().enumerate() {
            let name = if at == self.comparison.control {
                format!("{} (control)", arm.name)
            } else {
                arm.name.clone()
            };
            let style = if arm.rate.crashes > 0 { ERROR } else { OK };
            let interval = arm.rate.interval(sure).map(|(low, high)| {
                format!(
                    "{} to {}",
                    percent(low, Round::Down),
                    percent(high, Round::Up)
                )
            });
            let rate = arm.rate.estimate();
            let left_out = match arm.left_out() {
                0 => String::new(),
                runs => runs.to_string(),
            };
            table.push([
                Cell::new(&name),
                Cell::new(&findings::counted(arm)).styled(style),
                Cell::new(
                    &rate.map_or_else(|| "-".to_owned(), |rate| percent(rate, Round::Nearest)),
                ),
                Cell::new(&interval.unwrap_or_default()),
                Cell::new(&left_out),
            ]);
        }
        text.push_str(&table.render(width));
        let sure = confidence(sure);
        line(text, &format!("intervals: {sure} confidence, exact"));
    }

    /// What the runs of each arm were that were not clean.
    fn kinds(&self, text: &mut String) {
        for arm in &self.comparison.arms {
            let kinds = arm.kinds.iter().filter(|(kind, _)| **kind != Kind::Clean);
            let kinds: Vec<String> = kinds
                .map(|(kind, runs)| words::kind(*kind, *runs as u64))
                .collect();
            if kinds.is_empty() {
                continue;
            }
            line(
                text,
                &format!("`{}`: {}", visible(&arm.name), kinds.join(", ")),
            );
            let mut crashes: Vec<_> = arm.crashes.iter().collect();
            crashes.sort_by_key(|(_, runs)| std::cmp::Reverse(**runs));
            for (what, runs) in crashes.iter().take(NAMED) {
                line(text, &format!("    {runs} x {}", visible(what)));
            }
            if crashes.len() > NAMED {
                line(text, &format!("    and {} more", crashes.len() - NAMED));
            }
        }
    }

    fn measured(
        &self,
        text: &mut String,
        width: usize,
        title: &'static str,
        of: fn(&ArmResult) -> Option<&Measured>,
    ) {
        let arms = &self.comparison.arms;
        if !arms
            .iter()
            .any(|arm| of(arm).is_some_and(|measured| measured.spread.is_some()))
        {
            return;
        }
        let mut table = Table::new([
            column(title, 0, 8, 40),
            column("MEDIAN", 0, 7, 14),
            column("MIDDLE HALF", 1, 11, 30),
            column("CLEAN RUNS", 2, 10, 10),
            column("TO CONTROL", 0, 10, 40),
        ]);
        for arm in arms {
            let Some(measured) = of(arm) else { continue };
            let Some(spread) = measured.spread else {
                continue;
            };
            let shown = |number| measures::value(measured.quantity, number);
            let middle = spread.interquartile_range().map(|_| {
                format!(
                    "{} to {}",
                    shown(spread.lower_quartile),
                    shown(spread.upper_quartile)
                )
            });
            let ratio = measured.ratio.map(|it| measures::ratio(&it));
            table.push([
                Cell::new(&arm.name),
                Cell::new(&shown(spread.median)),
                Cell::new(&middle.unwrap_or_default()),
                Cell::new(&spread.count.to_string()),
                Cell::new(&ratio.unwrap_or_default()),
            ]);
        }
        text.push_str(&table.render(width));
    }

    fn findings(&self, text: &mut String) {
        let others = self.comparison.arms.iter().filter_map(|arm| arm.against);
        for (against, sentence) in others.zip(&self.findings) {
            let style = match against.finding {
                Finding::Better => OK,
                Finding::Worse => ERROR,
                _ => WARNING,
            };
            line(
                text,
                &format!("{style}finding{style:#}: {}", visible(sentence)),
            );
        }
    }

    fn end(&self, text: &mut String) {
        let reason = match self.end {
            End::Done => match self.vain.and_then(|at| self.comparison.arms.get(at)) {
                Some(arm) => format!(
                    "ended early: the runs of `{}` show nothing, and more of them would not (hint: `agxrun inspect` says whether the fix gets in)",
                    arm.name
                ),
                None => return,
            },
            End::Interrupted { signal } => format!("interrupted by {}", signal_name(*signal)),
            End::Storage { reason } | End::Launch { reason, .. } => reason.clone(),
        };
        for part in reason.lines() {
            // What a run said of itself has our name already.
            let part = part.trim_start_matches("agxrun: ");
            line(text, &format!("{ERROR}error{ERROR:#}: {}", visible(part)));
        }
    }

    fn places(&self, text: &mut String) {
        if let Some(outputs) = &self.outputs {
            let path = outputs.display().to_string();
            line(
                text,
                &format!("output of runs that were not clean: {}", visible(&path)),
            );
        }
        if !matches!(self.end, End::Done) {
            let path = visible(&self.state.display().to_string());
            line(
                text,
                &format!("state: {path} (go on with: agxrun compare --resume '{path}')"),
            );
        }
    }

    fn headline(&self, text: &mut String) {
        let (style, word) = match (self.exit_code, self.end) {
            (exit_code::OK, _) => (OK, "ok"),
            (_, End::Interrupted { .. }) => (WARNING, "interrupted"),
            _ => (ERROR, "FAILED"),
        };
        let exit = match self.exit_code {
            exit_code::OK => String::new(),
            code => format!("; exit {code}"),
        };
        line(
            text,
            &format!(
                "{style}{word}{style:#}: {} of {} arms in {}, seed {STRONG}{}{STRONG:#}{exit}",
                words::runs(self.made as u64),
                self.comparison.arms.len(),
                words::seconds(self.seconds),
                self.seed
            ),
        );
    }
}

//! The summary of a series for people.

use std::fmt::Write;

use super::words::{self, seconds};
use super::{Answer, Notice};
use crate::history::Kind;
use crate::output::terminal::{DIM, ERROR, OK, STRONG, WARNING, visible};
use crate::run::verdict::exit_code;
use crate::series::End;
use crate::series::stop::{GIVE_UP_AFTER, Stopped};
use crate::series::tally::Group;

/// The most that is listed of what went wrong.
const GROUPS: usize = 20;

impl Answer<'_> {
    /// The summary: what happened, what it proves, what to know, where it is. `quiet` leaves out what is well.
    pub fn text(&self, quiet: bool) -> String {
        let mut text = String::new();
        for group in self.groups.iter().take(GROUPS) {
            self.group(&mut text, group);
        }
        let more = self.groups.len().saturating_sub(GROUPS);
        if more > 0 {
            line(
                &mut text,
                &format!("and {more} other things that went wrong"),
            );
        }
        let told = |it: &&Notice| !matches!(it, Notice::Interrupted { .. });
        for notice in self.notices.iter().filter(told) {
            let sentence = visible(&words::notice(notice));
            line(
                &mut text,
                &format!("{WARNING}warning{WARNING:#}: {sentence}"),
            );
        }
        for shared in self.shared_reports {
            let sentence = format!(
                "the report {} is nobody's for certain, and runs that went on at the same time saw it: it counts once, in run {}",
                shared.file,
                shared.counted_in + 1
            );
            line(
                &mut text,
                &format!("{WARNING}warning{WARNING:#}: {}", visible(&sentence)),
            );
        }
        self.end(&mut text);
        if quiet && self.exit_code == exit_code::OK && text.is_empty() {
            return text;
        }
        if !quiet && let Some(wall) = &self.wall {
            let spread = if wall.count > 1 {
                format!(
                    ", {} to {} in {} clean runs",
                    seconds(wall.least),
                    seconds(wall.most),
                    wall.count
                )
            } else {
                " in 1 clean run".to_owned()
            };
            line(
                &mut text,
                &format!("time of a run: median {}{spread}", seconds(wall.median)),
            );
        }
        if !quiet || self.exit_code != exit_code::OK {
            self.places(&mut text);
        }
        self.headline(&mut text);
        text
    }

    fn group(&self, text: &mut String, group: &Group) {
        let style = if group.kind.is_decided() {
            ERROR
        } else {
            WARNING
        };
        let mut sentence = format!(
            "{style}{}{style:#}: {}",
            words::kind(group.kind, group.runs),
            visible(&group.title)
        );
        if let Some(crash) = &group.crash {
            let _ = write!(sentence, " [{}]", visible(crash));
        }
        let _ = write!(sentence, "{DIM}, newest: run {}", group.newest + 1);
        if let Some(report) = &group.report {
            let path = self.archive.join(report);
            let _ = write!(sentence, ", {}", visible(&path.display().to_string()));
        }
        let _ = write!(sentence, "{DIM:#}");
        line(text, &sentence);
    }

    fn end(&self, text: &mut String) {
        let reason = match self.end {
            End::Done => match self.stopped {
                Some(Stopped::NothingCounts) => {
                    format!("given up after {GIVE_UP_AFTER} runs in a row that count in no rate")
                }
                _ => return,
            },
            End::Interrupted { signal } => format!(
                "interrupted by {}",
                crate::run::execute::signal_name(*signal)
            ),
            End::Storage { reason } => reason.clone(),
            End::Launch { reason, .. } if self.made == 0 => reason.clone(),
            End::Launch { reason, .. } => {
                format!("ended after {}: {reason}", words::runs(self.made))
            }
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
        if self.made > 0 && (!matches!(self.end, End::Done) || self.resumed > 0) {
            let path = self.state.display().to_string();
            let resume = if matches!(self.end, End::Done) {
                String::new()
            } else {
                format!(" (go on with: agxrun stress --resume '{}')", visible(&path))
            };
            line(text, &format!("state: {}{resume}", visible(&path)));
        }
    }

    fn headline(&self, text: &mut String) {
        let (style, word) = match (self.exit_code, self.end) {
            (exit_code::OK, _) => (OK, "ok"),
            (_, End::Interrupted { .. }) => (WARNING, "interrupted"),
            _ => (ERROR, "FAILED"),
        };
        let clean = self.kinds.get(&Kind::Clean).copied().unwrap_or(0);
        let mut sentence = format!("{style}{word}{style:#}: {}", words::runs(self.made));
        if self.made > 0 {
            let _ = write!(sentence, ", {clean} clean");
        }
        let _ = write!(
            sentence,
            " in {}{}; {STRONG}{}{STRONG:#}",
            seconds(self.seconds),
            match self.jobs {
                1 => String::new(),
                jobs => format!(", {jobs} at a time"),
            },
            self.sentence
        );
        if self.unlaunched > 0 {
            let _ = write!(sentence, "; {} excluded", words::runs(self.unlaunched));
        }
        if self.exit_code != exit_code::OK {
            let _ = write!(sentence, "; exit {}", self.exit_code);
        }
        line(text, &sentence);
    }
}

fn line(text: &mut String, line: &str) {
    text.push_str("agxrun: ");
    text.push_str(line);
    text.push('\n');
}

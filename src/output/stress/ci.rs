//! A series for CI systems: a case a run, and the sentence for people who look at the step.

use std::fmt::Write;

use anyhow::{Context, Result};
use chrono::Utc;

use super::{Answer, words};
use crate::output::ci::github::markdown::escape;
use crate::output::ci::{Case, Suite};
use crate::output::terminal::visible_up_to;

/// How much of a command names its suite, in characters.
const NAME_WIDTH: usize = 200;

impl Answer<'_> {
    /// All of it as JSON.
    pub fn json(&self) -> Result<String> {
        let mut text = serde_json::to_string_pretty(self).context("cannot form the JSON")?;
        text.push('\n');
        Ok(text)
    }

    /// The runs as cases, and one more where the series could not go on: a suite in which every run passed would look whole.
    pub fn suite(&self) -> Suite {
        let started = self.runs.iter().map(|line| line.started).min();
        let cases = self.runs.iter();
        let mut cases: Vec<Case> = cases
            .map(|line| Case::of(line).in_archive(&self.archive))
            .collect();
        cases.extend(Case::of_end(self.end, "series", "agxrun.series"));
        let name = visible_up_to(NAME_WIDTH, &self.target.join(" "));
        Suite::new(name, started.unwrap_or_else(Utc::now), cases)
            .with("agxrun", self.agxrun)
            .with("series", self.series)
            .with("crash rate", self.sentence.clone())
            .with("exit code", self.exit_code.to_string())
    }

    /// What it proves and what went wrong, in Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("**{}**\n", escape(&self.sentence));
        for group in self.groups {
            let crash = group.crash.as_deref().unwrap_or_default();
            let crash = if crash.is_empty() {
                String::new()
            } else {
                format!(" ({})", escape(crash))
            };
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                "\n- {}: {}{crash}",
                words::kind(group.kind, group.runs),
                escape(&group.title)
            );
        }
        for warning in &self.warnings {
            let _ = write!(text, "\n- {}", escape(warning));
        }
        text.push('\n');
        text
    }
}

//! The page of a series of one command, and its plots as files.

use chrono::{DateTime, FixedOffset, Utc};

use super::{Answer, words};
use crate::history::RunLine;
use crate::output::html::text::Text;
use crate::output::plots::{
    BoundLine, Fact, PageArm, RateRow, SeriesPage, SurvivalLine, Tone, bound_svg, rates_svg,
    survival_svg,
};
use crate::output::terminal::visible_up_to;

/// How much of a command stands in the title, in characters.
const TITLE_WIDTH: usize = 80;

impl Answer<'_> {
    /// The page; `made` and `zone` say when, and in which zone times are shown.
    pub fn page(&self, made: DateTime<Utc>, zone: FixedOffset) -> SeriesPage {
        let command = self.target.join(" ");
        let mut facts = vec![
            Fact::new("Command", &command),
            Fact::new("Runs", &self.made.to_string()),
            Fact::new("Runs at a time", &self.jobs.to_string()),
            Fact::new("Time in all", &words::seconds(self.seconds)),
            Fact::new("Series", self.series),
        ];
        if let Some(line) = self.runs.first() {
            let machine = [Some(line.os.as_str()), line.hardware.as_deref()];
            let machine: Vec<&str> = machine.into_iter().flatten().collect();
            facts.push(Fact::new("Machine", &machine.join(", ")));
        }
        SeriesPage {
            title: Text::title(&format!(
                "{} in {}",
                visible_up_to(TITLE_WIDTH, &command),
                words::runs(self.made)
            )),
            made,
            zone,
            findings: vec![(self.tone(), Text::sentence(&self.sentence))],
            warnings: self.warnings.iter().map(|it| Text::sentence(it)).collect(),
            arms: vec![self.page_arm()],
            confidence: self.rate.confidence,
            limit: self.max_rate,
            facts,
        }
    }

    fn tone(&self) -> Tone {
        match self.decision {
            Some("below") => Tone::Good,
            Some("not_below") => Tone::Bad,
            _ if self.rate.crashes > 0 => Tone::Bad,
            _ if self.rate.runs == 0 || self.max_rate.is_some() => Tone::Open,
            _ => Tone::Good,
        }
    }

    /// The runs as the only arm, which is called after what was injected.
    fn page_arm(&self) -> PageArm {
        let mut runs: Vec<&RunLine> = self.runs.clone();
        runs.sort_by_key(|line| line.slot);
        let name = runs.first().map_or("no run", |line| line.fix.as_str());
        PageArm::of(name, runs.iter().copied(), self.rate.confidence)
    }

    /// The plots as files, each with its name.
    pub fn plots(&self) -> [(&'static str, String); 3] {
        let sure = self.rate.confidence;
        let arm = self.page_arm();
        let survival: Vec<SurvivalLine> = SurvivalLine::of(&arm).into_iter().collect();
        let bound: Vec<BoundLine> = BoundLine::of(&arm).into_iter().collect();
        [
            ("rates.svg", rates_svg(&[RateRow::of(&arm)], sure)),
            ("survival.svg", survival_svg(&survival, sure)),
            ("bound.svg", bound_svg(&bound, sure, self.max_rate)),
        ]
    }
}

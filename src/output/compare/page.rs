//! The page of a comparison, and its plots as files.

use chrono::{DateTime, FixedOffset, Utc};

use super::{Answer, Asked, measures};
use crate::compare::analysis::Finding;
use crate::compare::measured::Measured;
use crate::output::html::text::Text;
use crate::output::plots::{
    BoundLine, Fact, PageArm, RateRow, SeriesPage, SurvivalLine, Tone, bound_svg, rates_svg,
    survival_svg,
};
use crate::output::stress::words;

impl Answer<'_> {
    /// The page; `made` and `zone` say when, and in which zone times are shown.
    pub fn page(&self, asked: &Asked<'_>, made: DateTime<Utc>, zone: FixedOffset) -> SeriesPage {
        let names: Vec<&str> = asked.arms.iter().map(|arm| arm.name.as_str()).collect();
        let against = self.comparison.arms.iter().filter_map(|arm| arm.against);
        let findings = against.zip(&self.findings).map(|(against, sentence)| {
            let tone = match against.finding {
                Finding::Better => Tone::Good,
                Finding::Worse => Tone::Bad,
                _ => Tone::Open,
            };
            (tone, Text::sentence(sentence))
        });
        let mut facts = vec![
            Fact::new("Arms", &names.join(", ")),
            Fact::new("Control", asked.control_name()),
            Fact::new("Runs of each", &self.plan.runs.to_string()),
            Fact::new("Seed", &self.seed.to_string()),
            Fact::new("Runs at a time", &self.jobs.to_string()),
            Fact::new("Time in all", &words::seconds(self.seconds)),
            Fact::new("Series", self.series),
        ];
        if let Some(line) = self.runs.first() {
            facts.insert(0, Fact::new("Command", &line.command.join(" ")));
            let machine = [Some(line.os.as_str()), line.hardware.as_deref()];
            let machine: Vec<&str> = machine.into_iter().flatten().collect();
            facts.push(Fact::new("Machine", &machine.join(", ")));
        }
        SeriesPage {
            title: Text::title(&format!("{} compared", names.join(", "))),
            made,
            zone,
            findings: findings.collect(),
            warnings: self.warnings.iter().map(|it| Text::sentence(it)).collect(),
            arms: self.page_arms(),
            confidence: self.comparison.confidence,
            limit: None,
            facts,
        }
    }

    fn page_arms(&self) -> Vec<PageArm> {
        let arms = self.comparison.arms.iter();
        arms.map(|arm| {
            let own = self.runs.iter().copied();
            let own = own.filter(|line| line.arm.as_deref() == Some(arm.name.as_str()));
            let mut shown = PageArm::of(&arm.name, own, self.comparison.confidence);
            let measured = std::iter::once(("time", &arm.wall))
                .chain(arm.metric.as_ref().map(|it| ("number", it)));
            shown.measures = measured
                .filter_map(|(what, measured)| measure(what, measured))
                .collect();
            shown
        })
        .collect()
    }

    /// The plots as files, each with its name.
    pub fn plots(&self) -> [(&'static str, String); 3] {
        let sure = self.comparison.confidence;
        let arms = self.page_arms();
        let rates: Vec<RateRow> = arms.iter().map(RateRow::of).collect();
        let survivals: Vec<SurvivalLine> = arms.iter().filter_map(SurvivalLine::of).collect();
        let bounds: Vec<BoundLine> = arms.iter().filter_map(BoundLine::of).collect();
        [
            ("rates.svg", rates_svg(&rates, sure)),
            ("survival.svg", survival_svg(&survivals, sure)),
            ("bound.svg", bound_svg(&bounds, sure, None)),
        ]
    }
}

fn measure(what: &str, measured: &Measured) -> Option<(Text, Text, Option<Text>)> {
    let spread = measured.spread?;
    let shown = |number| measures::value(measured.quantity, number);
    let middle = format!(
        "{}, {} to {}",
        shown(spread.median),
        shown(spread.lower_quartile),
        shown(spread.upper_quartile)
    );
    let ratio = measured.ratio.map(|it| Text::name(&measures::ratio(&it)));
    Some((Text::name(what), Text::name(&middle), ratio))
}

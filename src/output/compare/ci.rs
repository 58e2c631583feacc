//! A comparison for CI systems: a case an arm, and its findings for people who look at the step.

use std::fmt::Write;

use chrono::Utc;

use super::{Answer, findings};
use crate::compare::analysis::ArmResult;
use crate::history::{Kind, RunLine};
use crate::output::ci::github::markdown::escape;
use crate::output::ci::{Case, CaseResult, Problem, Suite};
use crate::output::stress::percent::{Round, confidence, percent};
use crate::output::stress::words;

impl Answer<'_> {
    /// An arm a case, and one more where the comparison could not go on: a suite in which every arm passed would look whole.
    pub fn suite(&self) -> Suite {
        let started = self.runs.iter().map(|line| line.started).min();
        let arms = self.comparison.arms.iter().enumerate();
        let mut cases: Vec<Case> = arms.map(|(at, arm)| self.case(at, arm)).collect();
        cases.extend(Case::of_end(self.end, "comparison", "agxrun.compare"));
        Suite::new("agxrun compare", started.unwrap_or_else(Utc::now), cases)
            .with("agxrun", self.agxrun)
            .with("series", self.series)
            .with("seed", self.seed.to_string())
            .with("exit code", self.exit_code.to_string())
    }

    fn case(&self, at: usize, arm: &ArmResult) -> Case {
        let runs = || {
            let named = |line: &&&RunLine| line.arm.as_deref() == Some(arm.name.as_str());
            self.runs.iter().filter(named)
        };
        let mut case = Case::passed(
            arm.name.clone(),
            "agxrun.compare",
            runs().map(|line| line.total).sum(),
        );
        case.out = self.described(arm);
        case.err = self.warnings.join("\n");
        let reports = runs().flat_map(|line| &line.reports);
        let counted = reports.filter(|report| report.counted);
        case.attachments = counted
            .map(|report| self.archive.join(&report.file))
            .collect();
        // The control is there to crash.
        if at != self.comparison.control {
            case.result = self.result(arm);
        }
        case
    }

    fn result(&self, arm: &ArmResult) -> CaseResult {
        let problem = |kind: Kind| Problem {
            kind: kind.name().to_owned(),
            message: format!(
                "`{}`: {}",
                arm.name,
                words::kind(kind, arm.count(kind) as u64)
            ),
            text: self.described(arm),
        };
        let worst = arm
            .kinds
            .keys()
            .find(|kind| kind.is_decided() && **kind != Kind::Clean);
        match worst {
            Some(kind) => CaseResult::Failed(problem(*kind)),
            None if arm.rate.runs == 0 => match arm.kinds.keys().next() {
                Some(kind) => CaseResult::Errored(problem(*kind)),
                None => CaseResult::Skipped {
                    message: "no run was made".to_owned(),
                },
            },
            None => CaseResult::Passed,
        }
    }

    /// Rate, kinds and crashes of an arm, a line each.
    fn described(&self, arm: &ArmResult) -> String {
        let sure = self.comparison.confidence;
        let mut text = format!("crashed: {}", findings::counted(arm));
        if let Some((low, high)) = arm.rate.interval(sure) {
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                ", from {} to {} with {} confidence",
                percent(low, Round::Down),
                percent(high, Round::Up),
                confidence(sure)
            );
        }
        text.push('\n');
        for (kind, runs) in &arm.kinds {
            let _ = writeln!(text, "{}", words::kind(*kind, *runs as u64));
        }
        for (what, runs) in &arm.crashes {
            let _ = writeln!(text, "{runs} x {what}");
        }
        text
    }

    /// What it comes to, in Markdown.
    pub fn markdown(&self) -> String {
        let sure = self.comparison.confidence;
        let mut text = format!(
            "| arm | crashed | rate | {} interval |\n| --- | --- | --- | --- |\n",
            confidence(sure)
        );
        for arm in &self.comparison.arms {
            let rate = arm.rate.estimate();
            let rate = rate.map_or_else(|| "-".to_owned(), |it| percent(it, Round::Nearest));
            let interval = arm.rate.interval(sure).map(|(low, high)| {
                format!(
                    "{} to {}",
                    percent(low, Round::Down),
                    percent(high, Round::Up)
                )
            });
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "| {} | {} | {rate} | {} |",
                escape(&arm.name),
                findings::counted(arm),
                interval.unwrap_or_default()
            );
        }
        for sentence in self.findings.iter().chain(&self.warnings) {
            let _ = write!(text, "\n- {}", escape(sentence));
        }
        text.push('\n');
        text
    }
}

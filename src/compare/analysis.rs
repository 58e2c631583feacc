//! What the runs of a comparison show.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::measured::{Measured, Quantity};
use crate::history::{Kind, RunLine};
use crate::series::claim::{Claim, was_seen};
use crate::stats::{Rate, fisher_exact, holm};

/// What is asked of the runs.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The arms' names.
    pub arms: &'a [String],
    /// The place of the control.
    pub control: usize,
    /// How sure intervals and findings are.
    pub confidence: f64,
    /// Whether a number that the target prints was asked for.
    pub metric: bool,
    /// For the resampling.
    pub seed: u64,
}

/// The whole comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The place of the control.
    pub control: usize,
    /// How sure intervals and findings are.
    pub confidence: f64,
    /// The arms, in the order in which they were given.
    pub arms: Vec<ArmResult>,
    /// Crash reports that are no run's for certain and that several saw, which went on at the same time.
    pub doubtful_reports: usize,
    /// Runs whose start lies before that of one that was started earlier: the system's clock was set back.
    pub clock_set_back: usize,
}

/// One arm.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArmResult {
    /// Its name.
    pub name: String,
    /// Runs that were made of it.
    pub runs: usize,
    /// Crashes among the runs that show something.
    #[serde(serialize_with = "rate")]
    pub rate: Rate,
    /// How many runs were of each kind.
    pub kinds: BTreeMap<Kind, usize>,
    /// How often each crash came, by its name.
    pub crashes: BTreeMap<String, usize>,
    /// What it is against the control; `None` for the control.
    pub against: Option<Against>,
    /// Time.
    pub wall: Measured,
    /// The number that the target printed.
    pub metric: Option<Measured>,
}

/// An arm against the control.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Against {
    /// Fisher's exact test, two-sided.
    pub p: f64,
    /// The same, corrected for the number of arms.
    pub corrected: f64,
    /// What it comes to.
    pub finding: Finding,
}

/// What a comparison with the control comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// It crashed less often.
    Better,
    /// It crashed more often.
    Worse,
    /// Not to be told from chance.
    Undecided,
    /// The control did not crash: the workload cannot show that anything helps.
    ControlNeverCrashed,
    /// One of the two has no run that shows something.
    NoRuns,
    /// Some report may be that of a run of another arm: no rate stands.
    Ambiguous,
}

impl Comparison {
    /// Of runs with the places of their arms, in the order of their slots.
    pub fn of(question: &Question, runs: &[(usize, &RunLine)]) -> Self {
        let mut arms: Vec<ArmResult> = question
            .arms
            .iter()
            .enumerate()
            .map(|(at, name)| {
                let own = runs.iter().filter(|(arm, _)| *arm == at);
                let own: Vec<&RunLine> = own.map(|(_, line)| *line).collect();
                ArmResult::of(name, &own, question.metric)
            })
            .collect();
        let others: Vec<usize> = (0..arms.len())
            .filter(|at| *at != question.control)
            .collect();
        let Some(control) = arms.get(question.control).cloned() else {
            return Self::empty(question, arms);
        };
        let p: Vec<f64> = others
            .iter()
            .map(|at| fisher_exact(arms[*at].rate, control.rate))
            .collect();
        let (doubtful_reports, ambiguous) = doubtful_reports(runs);
        for ((at, p), corrected) in others.iter().zip(&p).zip(holm(&p)) {
            let arm = &mut arms[*at];
            let finding = if ambiguous {
                Finding::Ambiguous
            } else {
                finding(arm.rate, control.rate, corrected, question.confidence)
            };
            arm.against = Some(Against {
                p: *p,
                corrected,
                finding,
            });
            arm.wall
                .compare_with(&control.wall, question.confidence, question.seed);
            if let (Some(metric), Some(of_control)) = (&mut arm.metric, &control.metric) {
                metric.compare_with(of_control, question.confidence, question.seed);
            }
        }
        Self {
            doubtful_reports,
            clock_set_back: clock_set_back(runs),
            ..Self::empty(question, arms)
        }
    }

    fn empty(question: &Question, arms: Vec<ArmResult>) -> Self {
        Self {
            control: question.control,
            confidence: question.confidence,
            arms,
            doubtful_reports: 0,
            clock_set_back: 0,
        }
    }

    /// The control.
    pub fn of_control(&self) -> Option<&ArmResult> {
        self.arms.get(self.control)
    }
}

impl ArmResult {
    fn of(name: &str, lines: &[&RunLine], metric: bool) -> Self {
        let (mut kinds, mut crashes) = (BTreeMap::new(), BTreeMap::new());
        let mut rate = Rate::default();
        for line in lines {
            *kinds.entry(line.kind).or_default() += 1;
            rate.runs += usize::from(line.kind.is_decided());
            rate.crashes += usize::from(line.kind.is_crash());
            if line.kind.is_crash() {
                let what = line.title.as_ref().or(line.crash.as_ref());
                let what = what.map_or("not known", String::as_str);
                *crashes.entry(what.to_owned()).or_default() += 1;
            }
        }
        let of = |quantity| Measured::of(quantity, lines.iter().copied());
        Self {
            name: name.to_owned(),
            runs: lines.len(),
            rate,
            kinds,
            crashes,
            against: None,
            wall: of(Quantity::Wall),
            metric: metric.then(|| of(Quantity::Metric)),
        }
    }

    /// Runs that show nothing of whether it crashes.
    pub fn left_out(&self) -> usize {
        self.runs - self.rate.runs
    }

    /// How many runs were of a kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.kinds.get(&kind).copied().unwrap_or_default()
    }
}

fn finding(arm: Rate, control: Rate, corrected: f64, confidence: f64) -> Finding {
    let (Some(here), Some(there)) = (arm.estimate(), control.estimate()) else {
        return Finding::NoRuns;
    };
    // A number that is a level after rounding is one.
    let is_told = corrected <= (1.0 - confidence) * (1.0 + 1e-9);
    match here.total_cmp(&there) {
        std::cmp::Ordering::Less if is_told => Finding::Better,
        std::cmp::Ordering::Greater if is_told => Finding::Worse,
        _ if control.crashes == 0 => Finding::ControlNeverCrashed,
        _ => Finding::Undecided,
    }
}

/// How many reports may belong to several runs, and whether the runs of one of them are of several arms.
///
/// Runs at the same time see each other's reports. One that nothing ties to a run for certain counts in one of those that saw it: the arm
/// may be the wrong one.
fn doubtful_reports(runs: &[(usize, &RunLine)]) -> (usize, bool) {
    let (mut seen, mut doubtful) = (BTreeMap::<&str, Vec<usize>>::new(), BTreeSet::new());
    for (arm, line) in runs {
        for report in &line.reports {
            let claim = Claim::of(report);
            if claim.is_some() || was_seen(report) {
                seen.entry(report.event()).or_default().push(*arm);
            }
            if claim.is_some_and(|claim| !claim.is_certain()) {
                doubtful.insert(report.event());
            }
        }
    }
    seen.retain(|event, arms| doubtful.contains(event) && arms.len() > 1);
    let ambiguous = |arms: &Vec<usize>| arms.iter().any(|arm| *arm != arms[0]);
    (seen.len(), seen.values().any(ambiguous))
}

/// Runs are handed over in the order in which they were started; as several may be started at once, only more than a
/// second backwards is told.
fn clock_set_back(runs: &[(usize, &RunLine)]) -> usize {
    let second = chrono::TimeDelta::seconds(1);
    let mut latest = None;
    let mut count = 0;
    for (_, line) in runs {
        match latest {
            Some(before) if line.started + second < before => count += 1,
            _ => latest = latest.max(Some(line.started)),
        }
    }
    count
}

fn rate<S: serde::Serializer>(rate: &Rate, to: S) -> Result<S::Ok, S::Error> {
    use serde::ser::SerializeStruct;
    let mut fields = to.serialize_struct("Rate", 2)?;
    fields.serialize_field("crashes", &rate.crashes)?;
    fields.serialize_field("runs", &rate.runs)?;
    fields.end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::testing::{line, timed};
    use crate::history::ReportLine;

    fn compare(arms: &[(&str, usize, usize)]) -> Comparison {
        let names: Vec<String> = arms.iter().map(|arm| arm.0.to_owned()).collect();
        let (crash, clean) = (line(Kind::Crash), line(Kind::Clean));
        let mut runs = Vec::new();
        for (at, (_, crashes, all)) in arms.iter().enumerate() {
            runs.extend((0..*all).map(|run| (at, if run < *crashes { &crash } else { &clean })));
        }
        Comparison::of(&question(&names), &runs)
    }

    fn question(arms: &[String]) -> Question<'_> {
        Question {
            arms,
            control: 0,
            confidence: 0.95,
            metric: false,
            seed: 1,
        }
    }

    fn findings(arms: &[(&str, usize, usize)]) -> Vec<Finding> {
        let arms = compare(arms).arms;
        arms.iter()
            .filter_map(|arm| Some(arm.against?.finding))
            .collect()
    }

    #[test]
    fn an_arm_is_better_only_where_the_control_crashed() {
        assert_eq!(
            findings(&[("none", 12, 20), ("v3", 0, 20)]),
            [Finding::Better]
        );
        assert_eq!(
            findings(&[("none", 0, 40), ("v3", 0, 40)]),
            [Finding::ControlNeverCrashed]
        );
        assert_eq!(
            findings(&[("none", 0, 40), ("v3", 2, 40)]),
            [Finding::ControlNeverCrashed]
        );
        assert_eq!(
            findings(&[("none", 0, 40), ("v3", 20, 40)]),
            [Finding::Worse]
        );
        assert_eq!(
            findings(&[("none", 3, 20), ("v3", 1, 20)]),
            [Finding::Undecided]
        );
        assert_eq!(
            findings(&[("none", 0, 0), ("v3", 1, 20)]),
            [Finding::NoRuns]
        );
        assert_eq!(findings(&[("none", 9, 9), ("v3", 0, 0)]), [Finding::NoRuns]);
    }

    #[test]
    fn what_one_comparison_would_tell_several_may_not() {
        // 5 of 20 against none is 0.047 by itself.
        let one = compare(&[("none", 5, 20), ("v3", 0, 20)]).arms[1]
            .against
            .expect("compared");
        assert!(one.p < 0.05 && one.finding == Finding::Better, "{one:?}");
        let three = compare(&[
            ("none", 5, 20),
            ("v3", 0, 20),
            ("v2.9", 4, 20),
            ("v2.8", 5, 20),
        ]);
        let corrected = three.arms[1].against.expect("compared");
        assert!(
            corrected.corrected > 0.05 && corrected.finding == Finding::Undecided,
            "{corrected:?}"
        );
        assert_eq!(three.arms[0].against, None);
    }

    #[test]
    fn runs_that_show_nothing_are_in_no_rate() {
        let lines = [
            line(Kind::Crash),
            line(Kind::Assertion),
            line(Kind::Hang),
            line(Kind::NotInjected),
            line(Kind::Refused),
            line(Kind::Interrupted),
            line(Kind::Clean),
        ];
        let names = ["none".to_owned()];
        let runs: Vec<(usize, &RunLine)> = lines.iter().map(|line| (0, line)).collect();
        let comparison = Comparison::of(&question(&names), &runs);
        let arm = &comparison.arms[0];
        assert_eq!(
            (arm.rate, arm.runs, arm.left_out()),
            (
                Rate {
                    crashes: 2,
                    runs: 4
                },
                7,
                3
            )
        );
        assert_eq!((arm.count(Kind::Hang), arm.count(Kind::LostWork)), (1, 0));
        assert_eq!(arm.crashes["sig"], 2);
    }

    #[test]
    fn a_report_that_may_be_of_a_run_of_another_arm_leaves_no_finding() {
        let crash = |incident: &str| RunLine {
            reports: vec![ReportLine {
                file: format!("{incident}.ips"),
                incident: Some(incident.to_owned()),
                process: None,
                fingerprint: None,
                signature: None,
                attribution: Some("unknown".to_owned()),
                evidence: None,
                counted: true,
                known: false,
            }],
            ..line(Kind::Crash)
        };
        let names = ["none".to_owned(), "v3".to_owned()];
        let of = |lines: &[(usize, RunLine)]| {
            let runs: Vec<(usize, &RunLine)> =
                lines.iter().map(|(arm, line)| (*arm, line)).collect();
            let comparison = Comparison::of(&question(&names), &runs);
            let finding = comparison.arms[1].against.map(|against| against.finding);
            (comparison.doubtful_reports, finding)
        };
        // It counts in one run, and another has seen it.
        let seen = |incident: &str| {
            let mut seen = crash(incident);
            seen.kind = Kind::Clean;
            seen.reports[0].counted = false;
            seen
        };
        let same_arm = [(0, crash("A")), (0, seen("A")), (1, line(Kind::Clean))];
        assert_eq!(of(&same_arm), (1, Some(Finding::Undecided)));
        let both_arms = [(0, crash("A")), (1, seen("A")), (1, crash("B"))];
        assert_eq!(of(&both_arms), (1, Some(Finding::Ambiguous)));
        let mut certain = [(0, crash("A")), (1, seen("A"))];
        certain[0].1.reports[0].evidence = Some("parent".to_owned());
        assert_eq!(of(&certain), (0, Some(Finding::Undecided)));
        let none = [(0, crash("A")), (1, crash("B"))];
        assert_eq!(of(&none), (0, Some(Finding::Undecided)));
    }

    #[test]
    fn a_clock_that_is_set_back_is_noticed() {
        let at = |second: u32| {
            let mut line = timed(Kind::Clean, 1.0);
            line.started = format!("2026-01-01T10:00:{second:02}Z")
                .parse()
                .expect("a time");
            line
        };
        let lines = [at(10), at(9), at(20), at(5), at(6), at(30)];
        let runs: Vec<(usize, &RunLine)> = lines.iter().map(|line| (0, line)).collect();
        let names = ["none".to_owned()];
        assert_eq!(Comparison::of(&question(&names), &runs).clock_set_back, 2);
    }
}

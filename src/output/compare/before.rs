//! What is said before the runs are made: the arms, and what their runs can tell.

use super::{Asked, line};
use crate::output::stress::percent::{Round, confidence, percent};
use crate::output::stress::words;
use crate::output::terminal::visible;
use crate::stats::MOST_RUNS;

impl Asked<'_> {
    /// The plan, a line each. `alone` is without the runs that would follow.
    pub fn before(&self, alone: bool) -> String {
        let mut text = String::new();
        let names: Vec<String> = self.arms.iter().map(|arm| visible(&arm.name)).collect();
        let seed = if alone {
            String::new()
        } else {
            format!(", seed {}", self.seed)
        };
        line(
            &mut text,
            &format!(
                "{} by turns, {} each{seed}; control: {}",
                names.join(", "),
                words::runs(self.plan.runs),
                visible(self.control_name())
            ),
        );
        line(&mut text, &self.needed());
        line(&mut text, &self.tells());
        text
    }

    fn needed(&self) -> String {
        let plan = self.plan;
        let rates = format!(
            "to tell {} from {} with {} power",
            percent(plan.detect.control, Round::Nearest),
            percent(plan.detect.other, Round::Nearest),
            confidence(plan.power)
        );
        match plan.needed {
            Some(needed) => format!("{rates} you need about {} an arm", words::runs(needed)),
            None => format!("{rates} you need more than {MOST_RUNS} runs an arm"),
        }
    }

    fn tells(&self) -> String {
        let runs = words::runs(self.plan.runs);
        match self.plan.tells_from_none {
            Some(rate) => format!(
                "{runs} an arm tell, with that power, a control that crashes in {} of its runs or more from an arm that never does",
                percent(rate, Round::Up)
            ),
            None => format!(
                "{runs} an arm tell nothing: not even a control that always crashes from an arm that never does (hint: a higher -n)"
            ),
        }
    }
}

//! Which runs there are: the rows of the matrix, its columns, and their order.

use agx_policy::{POLICIES, Policy, default_policy};

use super::scenario::Scenario;

/// How many command buffers the throttled row lets be in flight: the published advice.
pub const THROTTLE: u16 = 2;

/// A row: what is injected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The policy; `None` for nothing at all.
    pub policy: Option<&'static Policy>,
    /// Its throttle.
    pub throttle: Option<u16>,
}

impl Row {
    /// What people call it.
    pub fn name(&self) -> String {
        match (self.policy, self.throttle) {
            (None, _) => "none".to_owned(),
            (Some(policy), None) => policy.name.to_owned(),
            (Some(policy), Some(limit)) => format!("{} --throttle {limit}", policy.name),
        }
    }

    /// Whether it is the default policy, with or without its throttle.
    pub fn is_ours(&self) -> bool {
        self.policy == Some(default_policy())
    }
}

/// A name that is neither `none` nor a policy's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no policy `{0}` (hint: use some of none, {known})",
    known = POLICIES.map(|policy| policy.name).join(", ")
)]
pub struct UnknownPolicy(pub String);

/// The rows for the policies with these names, oldest first; all where none is named. The default policy has two.
///
/// # Errors
/// [`UnknownPolicy`] for the first name that is neither `none` nor a policy's.
pub fn rows(names: &[String]) -> Result<Vec<Row>, UnknownPolicy> {
    let mut wanted = Vec::new();
    for name in names {
        wanted.push(match name.trim() {
            "none" => None,
            known => Some(agx_policy::find(known).map_err(|_| UnknownPolicy(name.clone()))?),
        });
    }
    let plain = std::iter::once(None)
        .chain(POLICIES.iter().map(Some))
        .filter(|policy| names.is_empty() || wanted.contains(policy))
        .map(|policy| Row {
            policy,
            throttle: None,
        });
    let mut rows: Vec<Row> = plain.collect();
    if rows.iter().any(Row::is_ours) {
        rows.push(Row {
            policy: Some(default_policy()),
            throttle: Some(THROTTLE),
        });
    }
    Ok(rows)
}

/// What is to be run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What is injected.
    pub rows: Vec<Row>,
    /// What is played.
    pub scenarios: Vec<Scenario>,
    /// Numbers of threads.
    pub threads: Vec<u16>,
    /// Runs of each.
    pub runs: u16,
}

/// One run, by its places in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Job {
    /// Place of the number of threads.
    pub threads: usize,
    /// Place of the row.
    pub row: usize,
    /// Place of the scenario.
    pub scenario: usize,
    /// Which of the runs, from 1: the seed of the driver's windows.
    pub seed: u16,
}

/// Command buffers of all threads together: enough that a race is met, and a second's work at most.
const COMMAND_BUFFERS: u32 = 4800;

/// The same where only a throttle helps: each command buffer takes the GPU two milliseconds there, and two at a time is what the
/// throttle allows.
const COMMAND_BUFFERS_OF_SOME_LENGTH: u32 = 1200;

impl Plan {
    /// All runs, each policy's first runs before anybody's second.
    pub fn jobs(&self) -> Vec<Job> {
        let mut jobs = Vec::new();
        for seed in 1..=self.runs {
            for threads in 0..self.threads.len() {
                for row in 0..self.rows.len() {
                    jobs.extend((0..self.scenarios.len()).map(|scenario| Job {
                        threads,
                        row,
                        scenario,
                        seed,
                    }));
                }
            }
        }
        jobs
    }

    /// The workload's arguments for one run; it gives up by itself after `patience` seconds.
    pub fn arguments(&self, job: Job, patience: f64) -> Vec<String> {
        let threads = self.threads[job.threads];
        let scenario = &self.scenarios[job.scenario];
        let all = if scenario.needs_throttle {
            COMMAND_BUFFERS_OF_SOME_LENGTH
        } else {
            COMMAND_BUFFERS
        };
        let each = (all / u32::from(threads)).max(1);
        [
            ("--scenario", scenario.name.clone()),
            ("--threads", threads.to_string()),
            ("--iterations", each.to_string()),
            ("--seed", job.seed.to_string()),
            ("--watchdog", patience.to_string()),
        ]
        .into_iter()
        .flat_map(|(option, value)| [option.to_owned(), value])
        .chain(["--quiet".to_owned()])
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Result<Vec<String>, UnknownPolicy> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        Ok(rows(&names)?.iter().map(Row::name).collect())
    }

    #[test]
    fn all_rows_are_the_control_the_policies_and_the_throttle() {
        let all = named(&[]).expect("all");
        assert_eq!(all.len(), POLICIES.len() + 2);
        assert_eq!(all[0], "none");
        assert_eq!(all[all.len() - 1], "v3 --throttle 2");
    }

    #[test]
    fn named_rows_come_in_the_order_of_the_policies() {
        let some = named(&["v3", "2.8", "none"]).expect("known");
        assert_eq!(some, ["none", "v2.8", "v3", "v3 --throttle 2"]);
        let refused = named(&["v3", "fast"]).expect_err("unknown").to_string();
        assert!(
            refused.starts_with("there is no policy `fast` (hint: use some of none, v1, "),
            "{refused}"
        );
    }

    #[test]
    fn work_that_takes_the_gpu_time_is_less_and_shared_by_the_threads() {
        let scenario = |needs_throttle| Scenario {
            name: "any".to_owned(),
            models: String::new(),
            breaks: vec![],
            needs_throttle,
        };
        let plan = Plan {
            rows: rows(&["none".to_owned()]).expect("known"),
            scenarios: vec![scenario(false), scenario(true)],
            threads: vec![8, 64],
            runs: 1,
        };
        let iterations = |job| {
            let arguments = plan.arguments(job, 1.0);
            let at = arguments.iter().position(|it| it == "--iterations");
            arguments[at.expect("given") + 1].clone()
        };
        let all: Vec<_> = plan.jobs().into_iter().map(iterations).collect();
        assert_eq!(all, ["600", "150", "75", "18"]);
    }
}

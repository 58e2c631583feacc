//! Which runs there are: the rows of the matrix, its columns, and their order.

use agx_policy::{POLICIES, Policy, Refusal, default_policy};

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

/// The rows for the policies with these names, oldest first; all where none is named. The default policy has two.
///
/// # Errors
/// [`Refusal`] for a name that is neither `none` nor a policy's.
pub fn rows(names: &[String]) -> Result<Vec<Row>, Refusal> {
    let mut wanted = Vec::new();
    for name in names {
        wanted.push(match name.as_str() {
            "none" => None,
            name => Some(agx_policy::find(name)?),
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
        let each = (COMMAND_BUFFERS / u32::from(threads)).max(1);
        [
            ("--scenario", self.scenarios[job.scenario].name.clone()),
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

    fn named(names: &[&str]) -> Result<Vec<String>, Refusal> {
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
        named(&["fast"]).expect_err("unknown");
    }
}

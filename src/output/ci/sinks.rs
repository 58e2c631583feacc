//! Where a command tells a CI system what happened: opened before the work, written after it.

use anyhow::Result;

use super::case::Suite;
use super::github;
use super::junit;
use crate::cli::CiArgs;
use crate::output::destination::Destination;
use crate::output::terminal;

/// What `--junit` and `--github` ask for.
pub struct Sinks {
    junit: Option<Destination>,
    github: Option<github::Step>,
}

impl Sinks {
    /// Opens what the options name: a path that cannot be written costs no run.
    pub fn open(args: &CiArgs) -> Result<Self> {
        let junit = args.junit.clone();
        Ok(Self {
            junit: junit
                .map(|path| Destination::open(path, "--junit"))
                .transpose()?,
            github: args.github.then(github::Step::current),
        })
    }

    /// Whether anything was asked for: otherwise no suite need be made.
    pub fn are_wanted(&self) -> bool {
        self.junit.is_some() || self.github.is_some()
    }

    /// Writes the suites; `markdown` stands in GitHub's summary between its heading and the cases.
    ///
    /// # Errors
    /// Only where the JUnit file cannot be written. That GitHub's summary cannot be does not change what a step
    /// amounts to, for GitHub neither, and is a warning.
    pub fn publish(self, suites: &[Suite], markdown: Option<&str>) -> Result<()> {
        if let Some(step) = &self.github {
            for command in github::annotations(suites, step) {
                anstream::eprintln!("{command}");
            }
            if let Err(error) = step.append_summary(&github::summary(suites, markdown)) {
                terminal::warning(&error.to_string());
            }
        }
        match self.junit {
            Some(destination) => {
                destination.write(&junit::document(suites, junit::project().as_deref())?)
            }
            None => Ok(()),
        }
    }
}

//! What of this machine matters to a run: one finding a line, each with its remedy.
//!
//! A check is a function from what a [`Host`] answers, and from the [`Subject`], to findings. It
//! starts nothing and opens nothing itself, so that what a Mac answered can be replayed anywhere.
//! Everything that could hang is asked through the host, which sets a limit to it; a question
//! without an answer is a warning that names it.

mod checks;
pub mod command;
pub mod finding;
pub mod host;
pub mod subject;

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
pub mod platform;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
pub mod platform;

#[cfg(test)]
mod recorded;
#[cfg(test)]
mod tests;

pub use finding::{Finding, Level};
pub use host::{Host, ThisHost};
pub use subject::Subject;

/// System and chip in words, a sentence each: what the first check says of them.
pub fn machine(host: &dyn Host) -> Vec<String> {
    checks::machine(host, platform::SYSTEM, std::env::consts::ARCH)
        .iter()
        .map(|observation| observation.says().to_owned())
        .collect()
}

/// Makes every check that fits the subject's system, all at the same time, and gives their findings
/// in the order in which they are to be read.
pub fn examine(host: &dyn Host, subject: &Subject) -> Vec<Finding> {
    let checks = checks::of(subject.system);
    std::thread::scope(|scope| {
        let begun: Vec<_> = checks
            .iter()
            .map(|check| {
                let run = check.run;
                (check.name, scope.spawn(move || run(host, subject)))
            })
            .collect();
        begun
            .into_iter()
            .flat_map(|(name, check)| match check.join() {
                Ok(observations) => observations
                    .into_iter()
                    .map(|observation| Finding::of(name, observation))
                    .collect(),
                // A check that panicked has shown nothing; the others have.
                Err(_) => vec![Finding::of(name, finding::failed_check())],
            })
            .collect()
    })
}

//! Step 2, about the target: whether the library will get into what really runs.

use std::ffi::OsString;

use super::options::RunOptions;
use super::plan::Target;
use super::preflight::Refusal;
use super::record::Notice;
use crate::inject::locate::Located;
use crate::target::remedy::{Advice, advice, shell_words};
use crate::target::surroundings::Variables;
use crate::target::verdict::{Kind, Verdict};
use crate::target::{Direct, FixLibrary, Inspection, Surroundings, inspect};

/// What is foreseen of the library's way into the target.
#[derive(Debug)]
pub struct Arrival {
    /// The chain of files, and the verdict.
    pub inspection: Inspection,
    library: FixLibrary,
    surroundings: Surroundings,
    command: Vec<OsString>,
}

impl Arrival {
    /// Reads what the target will execute. `inherited` is our own environment.
    pub fn foresee(
        target: &Target,
        library: &Located,
        options: &RunOptions,
        inherited: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Self {
        let variables = inherited.into_iter().chain(options.env.iter().cloned());
        let surroundings = Surroundings::current(variables);
        let library = FixLibrary::read(&library.path);
        let inspection = inspect(
            &options.command,
            Some(&target.program),
            &library,
            &surroundings,
        );
        Self {
            inspection,
            library,
            surroundings,
            command: options.command.clone(),
        }
    }

    /// Refuses a target that the library is known not to get into.
    pub fn check(&self, options: &RunOptions) -> Result<(), Refusal> {
        let verdict = &self.inspection.verdict;
        if options.allow_uninjected || !self.is_kept_out() {
            return Ok(());
        }
        let first = self.advice().into_iter().next();
        Err(Refusal::KeptOut {
            file: verdict.file.clone(),
            because: verdict.because.clone(),
            rule: verdict.rule,
            hint: first.map_or_else(String::new, |advice| hint(&advice)),
            inspect: format!("agxrun inspect {}", shell_words(&self.command)),
        })
    }

    /// What would help, the best first.
    pub fn advice(&self) -> Vec<Advice> {
        advice(
            &self.inspection,
            &self.command,
            &self.library,
            &self.surroundings,
        )
    }

    /// Whether the library is known not to get in.
    pub fn is_kept_out(&self) -> bool {
        matches!(self.inspection.verdict.kind, Kind::Stripped | Kind::Fatal)
    }

    /// Whether inserting the library would end the target.
    pub fn is_fatal(&self) -> bool {
        self.inspection.verdict.kind == Kind::Fatal
    }

    /// What is launched instead of `target`, where something stands before the program that would
    /// drop the library and do nothing else of its own.
    pub fn launched(&self, target: &Target) -> Target {
        let Some(Direct { step, .. }) = &self.inspection.direct else {
            return target.clone();
        };
        let call = &self.inspection.steps[*step].step.call;
        let mut argv = call.argv.iter().cloned();
        Target {
            program: call.program.clone(),
            arg0: argv.next().unwrap_or_default(),
            args: argv.collect(),
        }
    }

    /// The environment that the target is given, before the run adds its own.
    pub fn variables(&self) -> Variables {
        let mut variables = self.surroundings.variables.clone();
        for changes in self.inspection.direct.iter().flat_map(|it| &it.changes) {
            changes.apply(&mut variables);
        }
        variables
    }

    /// Whether what was read still stands; to be asked right before the launch.
    pub fn recheck(&self) -> Result<(), Box<Verdict>> {
        self.inspection.still_holds(&self.surroundings)
    }
}

impl Notice {
    /// What a verdict other than *arrives* means for the reader of the run's; nothing where only what
    /// the target itself starts could not be seen: the ledgers tell that better.
    pub(super) fn of_arrival(verdict: &Verdict) -> Option<Self> {
        let is_told = !verdict.arrives() && verdict.rule != crate::target::UNSEEN;
        is_told.then(|| Notice::Arrival {
            kind: verdict.kind,
            rule: verdict.rule,
            file: verdict.file.clone(),
            because: verdict.because.clone(),
        })
    }
}

fn hint(advice: &Advice) -> String {
    match advice.commands.as_slice() {
        [command] => format!("{}: `{command}`; ", advice.text),
        _ => format!("{}; ", advice.text),
    }
}

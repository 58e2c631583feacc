//! Every command and option, and nothing else.

mod audit;
mod baseline;
mod check_crashes;
mod ci;
mod compare;
mod generate;
mod history;
mod monitor;
mod passed;
mod patch;
mod report;
mod show;
mod signatures;
mod snapshot;
mod sources;
mod stress;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

pub use audit::AuditArgs;
pub use baseline::BaselineArgs;
pub use check_crashes::{CheckCrashesArgs, ModeArgs, WhichArgs};
pub use ci::CiArgs;
pub use compare::CompareArgs;
pub use generate::{CompletionsArgs, ManArgs};
pub use history::{HistoryArgs, LineArgs};
pub use monitor::{
    MonitorAction, MonitorRunArgs, MonitorStartArgs, MonitorStatusArgs, MonitorStopArgs,
};
pub use passed::{is_given, passed_on};
pub use patch::PatchArgs;
pub use report::ReportArgs;
pub use show::{ShowArgs, ThreadChoice};
pub use signatures::SignatureArgs;
pub use snapshot::SnapshotArgs;
pub use sources::SourceArgs;
pub use stress::StressArgs;
pub use values::SinceArg;
use values::{parse_duration, parse_limit, parse_throttle, parse_variable};

/// Run a command with the AGX Metal driver fix injected; fail when crash reports appear.
#[derive(Debug, Parser)]
#[command(
    name = "agxrun",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    override_usage = "agxrun [OPTIONS] -- CMD [ARGS...]\n       agxrun <COMMAND> [OPTIONS]",
    after_help = AFTER_HELP
)]
pub struct Cli {
    /// The command; without one, what follows `--` is run.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// `agxrun -- CMD` is `agxrun run -- CMD`.
    #[command(flatten)]
    pub run: RunArgs,
}

const AFTER_HELP: &str = "\
Examples:
  agxrun -- python3 test.py                 run with the fix, fail on new crash reports
  agxrun --no-fix --timeout 5m -- ./test    the control: no library, five minutes at most
  agxrun inspect python3 test.py            what will run, and does the fix get into it
  agxrun check-crashes --latest             what crashed, where, why, what to do
  agxrun show latest                        the newest crash's report, as macOS translates it
  agxrun rehearse                           see a crash and its cure on any machine
  agxrun doctor                             is this machine fit for it, and what to mend

Exit codes: the target's own; 128+n when signal n ended it; 86 new crash reports; 87 work was lost;
88 the library did not load; 124 time-out; 125 agxrun failed; 126, 127 target not executable, not found.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a command with the fix injected (the default).
    Run(RunArgs),
    /// Run a command many times, and say how often it crashes and what that proves.
    Stress(StressArgs),
    /// Run a command under several fixes or settings by turns, and say which crashes less.
    Compare(CompareArgs),
    /// Show what a command will really run, and whether the library gets into it.
    Inspect(InspectArgs),
    /// Look into the driver: what each fix hooks of it, and what is new against another build.
    Audit(AuditArgs),
    /// Show crashes from the report folders and the archive.
    CheckCrashes(CheckCrashesArgs),
    /// Write down what crash reports there are, for `check-crashes --since FILE --fail` after a step.
    Snapshot(SnapshotArgs),
    /// Show one report as macOS translates it.
    Show(ShowArgs),
    /// Write the crashes as one HTML page: timeline, groups, what each means and what to do.
    Report(ReportArgs),
    /// Rehearse the published faults without and with the fix, on any machine.
    Rehearse(RehearseArgs),
    /// Show the runs there have been, and their crash rates.
    History(HistoryArgs),
    /// Say what of this machine matters to a run, and what to mend.
    Doctor(DoctorArgs),
    /// Keep a copy of every report, in the background.
    Monitor {
        /// What to do with the monitor.
        #[command(subcommand)]
        action: MonitorAction,
    },
    /// Write a copy of the driver whose `destroyImpl` stores NULL before it unlocks.
    Patch(PatchArgs),
    /// Locate, build or list the fix library.
    Fix {
        /// What to do with the library.
        #[command(subcommand)]
        action: FixAction,
    },
    /// Print what completes agxrun's commands and options in a shell.
    Completions(CompletionsArgs),
    /// Print the manual page, or write those of all commands into a folder.
    Man(ManArgs),
}

/// Options of a run.
#[derive(Debug, Clone, Args)]
#[allow(clippy::struct_excessive_bools)] // each is a flag of its own
pub struct RunArgs {
    /// Policy of the fix library: which version's behaviour it follows.
    #[arg(long, value_name = "VERSION", help_heading = "Fix")]
    pub fix: Option<String>,
    /// Inject this library instead of the one that agxrun finds.
    #[arg(long, value_name = "PATH", env = "AGX_FIX_DYLIB", help_heading = "Fix")]
    pub dylib: Option<PathBuf>,
    /// Inject nothing: the control run.
    #[arg(long, conflicts_with_all = ["fix", "require_fix", "throttle", "lock_scope", "census"], help_heading = "Fix")]
    pub no_fix: bool,
    /// Exit 88 unless a ledger proves that the library was loaded.
    #[arg(long, help_heading = "Fix")]
    pub require_fix: bool,
    /// Run a target that the library is known not to get into, and warn, instead of refusing it.
    #[arg(long, help_heading = "Fix")]
    pub allow_uninjected: bool,

    /// Let at most N command buffers be in flight (0 = no limit; policy v3 only).
    #[arg(long, value_name = "N", value_parser = parse_throttle, allow_negative_numbers = true, help_heading = "Fix")]
    pub throttle: Option<u16>,
    /// What shares one lock: the process, a command queue's work, or a command buffer's (policy v3 only).
    #[arg(long, value_enum, value_name = "SCOPE", help_heading = "Fix")]
    pub lock_scope: Option<LockScope>,
    /// Count what became of each call and which threads shared an encoder, and look at every hook at the exit.
    #[arg(long, help_heading = "Fix")]
    pub census: bool,

    /// Set a variable for the target (repeatable).
    #[arg(long, value_name = "K=V", value_parser = OsStringValueParser::new().try_map(parse_variable), help_heading = "Target")]
    pub env: Vec<(OsString, OsString)>,
    /// End the target after this time: 90, 1.5s, 5m, 1h30m (0 = never).
    #[arg(long, value_name = "DUR", value_parser = parse_duration, allow_negative_numbers = true, help_heading = "Target")]
    pub timeout: Option<Duration>,
    /// Time between TERM and KILL after a time-out.
    #[arg(long, value_name = "DUR", value_parser = parse_duration, allow_negative_numbers = true, default_value = "10s", help_heading = "Target")]
    pub grace: Duration,

    /// Watch this folder instead of the system's (repeatable) [env: AGXRUN_REPORTS_DIR, separated by `:`].
    #[arg(long, value_name = "DIR", help_heading = "Reports")]
    pub reports_dir: Vec<PathBuf>,
    /// Copy new reports here [default: crash_logs/ when it exists, else the state folder].
    #[arg(long, value_name = "DIR", help_heading = "Reports")]
    pub archive: Option<PathBuf>,
    /// Which new reports fail the run: any, or those of the target's process tree.
    #[arg(long, value_enum, default_value_t = Scope::Any, help_heading = "Reports")]
    pub scope: Scope,
    /// How long to watch on when not every process is known to have ended cleanly.
    #[arg(long, value_name = "DUR", value_parser = parse_duration, allow_negative_numbers = true, default_value = "1s", help_heading = "Reports")]
    pub settle: Duration,
    /// How long to wait for the report of a process that crashed.
    #[arg(long, value_name = "DUR", value_parser = parse_duration, allow_negative_numbers = true, default_value = "30s", help_heading = "Reports")]
    pub report_wait: Duration,

    /// Known failures.
    #[command(flatten)]
    pub signatures: SignatureArgs,

    /// Known crashes.
    #[command(flatten)]
    pub baseline: BaselineArgs,
    /// Make a run that crashed again, at most N times; a crash that later passes is flaky, and still fails.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=100), allow_negative_numbers = true, default_value_t = 0, hide_default_value = true, help_heading = "CI")]
    pub retries: u32,
    /// With --retries: a crash that later passes does not fail.
    #[arg(long, requires = "retries", help_heading = "CI")]
    pub allow_flaky: bool,
    /// What a CI system is told.
    #[command(flatten)]
    pub ci: CiArgs,

    /// End as by TERM when this process, our parent, is gone.
    #[arg(long, value_name = "PID", hide = true)]
    pub end_with: Option<i32>,
    /// Write the verdict as JSON to FILE (`-` for stderr).
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub json: Option<PathBuf>,
    /// The run's line in the history.
    #[command(flatten)]
    pub line: LineArgs,
    /// Say nothing unless something is wrong.
    #[arg(short, long, conflicts_with = "verbose", help_heading = "Output")]
    pub quiet: bool,
    /// Say what is launched, with what, and what was seen.
    #[arg(short, long, help_heading = "Output")]
    pub verbose: bool,
    /// Colours.
    #[command(flatten)]
    pub color: ColorArgs,

    /// The target and its arguments.
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}

/// Whether to colour.
#[derive(Debug, Clone, Copy, Args)]
pub struct ColorArgs {
    /// Colour the output.
    #[arg(long, value_enum, default_value_t = Color::Auto, help_heading = "Output")]
    pub color: Color,
}

/// Options of `inspect`.
#[derive(Debug, Args)]
#[command(
    override_usage = "agxrun inspect [OPTIONS] TARGET [ARGS...]\n       agxrun inspect [OPTIONS] --file FILE",
    after_help = "\
Nothing is executed: files are read, from the command to the program that runs in the end.

Exit codes: 0 the library gets in; 88 it does not, or the files do not tell;
125 the library cannot be had; 126, 127 target not executable, not found."
)]
pub struct InspectArgs {
    /// Judge one file, Mach-O or ELF, as the program on its own system.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["command", "env"])]
    pub file: Option<PathBuf>,
    /// Judge by this library instead of the one that agxrun finds.
    #[arg(long, value_name = "PATH", env = "AGX_FIX_DYLIB")]
    pub dylib: Option<PathBuf>,
    /// Set a variable for the target, as `agxrun run` does (repeatable).
    #[arg(long, value_name = "K=V", value_parser = OsStringValueParser::new().try_map(parse_variable))]
    pub env: Vec<(OsString, OsString)>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Colours.
    #[command(flatten)]
    pub color: ColorArgs,
    /// The target and its arguments.
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        required_unless_present = "file",
        value_name = "TARGET"
    )]
    pub command: Vec<OsString>,
}

/// Options of `rehearse`.
#[derive(Debug, Args)]
pub struct RehearseArgs {
    /// Threads of the workload; with --matrix also several, separated by commas.
    #[arg(long, value_name = "N", default_value = "8", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=256), allow_negative_numbers = true)]
    pub threads: Vec<u16>,
    /// Fault to rehearse; `agx-rehearsal-workload --help` lists them.
    #[arg(long, value_name = "NAME", conflicts_with = "matrix")]
    pub fault: Option<String>,
    /// Every policy against every published failure.
    #[command(flatten)]
    pub matrix: MatrixArgs,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Show the workload's own output and what is launched.
    #[arg(short, long)]
    pub verbose: bool,
    /// Colours.
    #[command(flatten)]
    pub color: ColorArgs,
}

/// Options of `rehearse --matrix`.
#[derive(Debug, Args)]
pub struct MatrixArgs {
    /// Run every policy, and none, in every scenario of a published failure, and print who fails where.
    #[arg(long, help_heading = "Matrix")]
    pub matrix: bool,
    /// Runs of each policy in each scenario.
    #[arg(long, value_name = "N", default_value_t = 5, requires = "matrix", value_parser = clap::value_parser!(u16).range(1..=10_000), allow_negative_numbers = true, help_heading = "Matrix")]
    pub runs: u16,
    /// Only these policies, separated by commas; `none` is the control [default: all].
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        requires = "matrix",
        help_heading = "Matrix"
    )]
    pub policies: Vec<String>,
    /// Only these scenarios, separated by commas [default: all].
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        requires = "matrix",
        help_heading = "Matrix"
    )]
    pub scenarios: Vec<String>,
    /// A run that takes longer hangs.
    #[arg(long, value_name = "DUR", value_parser = parse_limit, allow_negative_numbers = true, default_value = "10s", requires = "matrix", help_heading = "Matrix")]
    pub timeout: Duration,
    /// Runs at the same time [default: twice the processors].
    #[arg(long, value_name = "N", requires = "matrix", value_parser = clap::value_parser!(u16).range(1..=256), allow_negative_numbers = true, help_heading = "Matrix")]
    pub jobs: Option<u16>,
}

/// Options of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Look at this library instead of the one that a run would find.
    #[arg(long, value_name = "PATH", env = "AGX_FIX_DYLIB")]
    pub dylib: Option<PathBuf>,
    /// Where reports are.
    #[command(flatten)]
    pub sources: SourceArgs,
    /// Colours.
    #[command(flatten)]
    pub color: ColorArgs,
}

/// What to do with the fix library.
#[derive(Debug, Subcommand)]
pub enum FixAction {
    /// Print the path of the library that a run would inject.
    Path {
        /// Consider this library instead.
        #[arg(long, value_name = "PATH", env = "AGX_FIX_DYLIB")]
        dylib: Option<PathBuf>,
        /// Also say why it is this one.
        #[arg(short, long)]
        verbose: bool,
    },
    /// Build the library from the sources that agxrun was built from, and print its path.
    Build {
        /// Put it into this folder instead of the cache.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Lay the library that a run would inject out in DIR, under its own name and every published one.
        #[arg(long, value_name = "DIR", conflicts_with = "out")]
        all: Option<PathBuf>,
    },
    /// List the policies: file, status, what they reach, and how they are known to fail.
    List {
        /// Print JSON: also what v3 cannot reach, and why.
        #[arg(long)]
        json: bool,
        /// Also print what each policy reaches of each kind of encoder.
        #[arg(short, long, conflicts_with = "json")]
        verbose: bool,
    },
}

/// What shares one lock of the fix library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LockScope {
    /// The whole process.
    Global,
    /// All command buffers of a queue.
    Queue,
    /// The encoders of a command buffer.
    Buffer,
}

/// Which new reports fail a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scope {
    /// Any new report in the watched folders.
    Any,
    /// Those of the target's process tree, or of unknown origin.
    Tree,
}

/// Whether to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_number_below_zero_is_a_wrong_value_and_not_another_option() {
        use clap::error::ErrorKind;
        for option in [
            "--throttle",
            "--timeout",
            "--grace",
            "--settle",
            "--report-wait",
        ] {
            let refused = Cli::try_parse_from(["agxrun", option, "-1", "--", "true"]);
            let kind = refused.expect_err(option).kind();
            assert_eq!(kind, ErrorKind::ValueValidation, "{option}");
        }
    }

    #[test]
    fn what_follows_the_dashes_is_the_target_even_when_it_looks_like_ours() {
        let cli = Cli::try_parse_from(["agxrun", "-q", "--", "run", "--no-fix"]).expect("valid");
        assert!(cli.command.is_none());
        assert_eq!(cli.run.command, ["run", "--no-fix"]);
        assert!(cli.run.quiet && !cli.run.no_fix);
    }

    #[test]
    fn the_run_command_is_the_same_spelled_out() {
        let cli =
            Cli::try_parse_from(["agxrun", "run", "--timeout", "3", "--", "true"]).expect("valid");
        let Some(Command::Run(run)) = cli.command else {
            panic!("parsed as {cli:?}")
        };
        assert_eq!(
            (run.timeout, run.command),
            (Some(Duration::from_secs(3)), vec!["true".into()])
        );
    }
}

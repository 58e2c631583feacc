use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::RunArgs;
use super::values::{parse_pair, parse_share};

/// Options of `compare`: its own, and those of a run.
#[derive(Debug, Args)]
#[command(
    override_usage = "agxrun compare --arm NAME --arm NAME [OPTIONS] -- CMD [ARGS...]\n       agxrun compare --resume FILE [OPTIONS]",
    mut_arg("command", |arg| arg.required(false)),
    mut_arg("json", |arg| arg.help("Write all that is known of the comparison as JSON to FILE (`-` for stderr)")),
    // What an arm says of itself, and the name that a run's line has for its arm.
    mut_arg("fix", |arg| arg.hide(true)),
    mut_arg("no_fix", |arg| arg.hide(true)),
    mut_arg("throttle", |arg| arg.hide(true)),
    mut_arg("lock_scope", |arg| arg.hide(true)),
    mut_arg("arm", |arg| arg.long("arm-of-line")),
    // A rate counts every run once.
    mut_arg("retries", |arg| arg.hide(true)),
    mut_arg("allow_flaky", |arg| arg.hide(true)),
    after_help = "\
Arms:
  --arm none                                the control: nothing is injected
  --arm v2.5                                a policy, as `agxrun fix list` names them
  --arm 'slow=fix:v3,throttle:2,lock-scope:queue,env:K=V'
                                            a label and its settings; library:PATH for a library of yours
  --arm-cmd 'new=python3 new.py'            the arm's own command, split as a shell splits words

Each block has one run of every arm, in an order by chance that the seed repeats. Each arm is compared with
the control, the first arm without a fix or else the first; docs/statistics.md says how.

Exit codes: 0 every run of the other arms was clean (the control may crash); 86 runs of them crashed, or had an error of the GPU;
124 runs hung; 88 no run of an arm counts, as its fix was in none; 87 work was lost; 1 runs failed otherwise;
125 a run could not be launched, or nothing could be stored; 130, 143 interrupted; 2 usage."
)]
pub struct CompareArgs {
    /// What is compared: none, a policy, or label=SETTINGS (repeatable).
    #[arg(long = "arm", value_name = "ARM", help_heading = "Comparison")]
    pub arms: Vec<OsString>,
    /// The command of an arm, in place of the one behind `--` (repeatable).
    #[arg(long, value_name = "LABEL='CMD'", help_heading = "Comparison")]
    pub arm_cmd: Vec<String>,
    /// Runs of each arm [default: 20, or what --detect takes].
    #[arg(short = 'n', long, value_name = "RUNS", value_parser = clap::value_parser!(u64).range(1..=100_000), allow_negative_numbers = true, help_heading = "Comparison")]
    pub runs: Option<u64>,
    /// Plan for telling a crash rate of the control from another one: 10%:1%.
    #[arg(long, value_name = "RATE:RATE", value_parser = parse_pair, allow_negative_numbers = true, help_heading = "Comparison")]
    pub detect: Option<(f64, f64)>,
    /// Say what the runs could tell, and make none.
    #[arg(long, conflicts_with = "resume", help_heading = "Comparison")]
    pub plan: bool,
    /// Confidence of intervals and findings.
    #[arg(long, value_name = "SHARE", value_parser = parse_share, allow_negative_numbers = true, default_value = "95%", help_heading = "Comparison")]
    pub confidence: f64,
    /// The order of the runs, and what is resampled, by this number [default: another one each time].
    #[arg(long, value_name = "N", help_heading = "Comparison")]
    pub seed: Option<u64>,
    /// Also compare a number that the target prints: the first group of this pattern, in the last line that matches.
    #[arg(long, value_name = "REGEX", help_heading = "Comparison")]
    pub metric: Option<String>,
    /// Runs at the same time; more than one count the reports of their own tree only, and their times tell less.
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256), allow_negative_numbers = true, help_heading = "Comparison")]
    pub jobs: u16,
    /// Keep the comparison's state in FILE [default: series/ID.jsonl in the archive].
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "resume",
        help_heading = "Comparison"
    )]
    pub state: Option<PathBuf>,
    /// Go on with the comparison whose state is in FILE; its arms and options need not be repeated.
    #[arg(long, value_name = "FILE", help_heading = "Comparison")]
    pub resume: Option<PathBuf>,
    /// Pass the runs' output on, a whole run at a time; that of runs that are not clean is kept in any case.
    #[arg(long, help_heading = "Comparison")]
    pub show_output: bool,
    /// Write tables and plots as one HTML page.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub html: Option<PathBuf>,
    /// Write each plot as an SVG file into DIR.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub svg: Option<PathBuf>,

    /// Options of each run.
    #[command(flatten)]
    pub run: RunArgs,
}

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::RunArgs;
use super::values::{parse_limit, parse_share};

/// Options of `stress`: its own, and all of a run.
#[derive(Debug, Args)]
#[command(
    override_usage = "agxrun stress [OPTIONS] -- CMD [ARGS...]\n       agxrun stress --resume FILE [OPTIONS]",
    mut_arg("command", |arg| arg.required(false).required_unless_present("resume")),
    mut_arg("json", |arg| arg.help("Write all that is known of the series as JSON to FILE (`-` for stderr)")),
    after_help = "\
Each run is a run of its own, as `agxrun -- CMD` makes it. Without -n, --duration, --max-rate and --until-crash 59 runs are made:
so many without a crash show, with 95 % confidence, that fewer than one in twenty crashes.

What was not injected, was interrupted, or could not be watched is told and is in no rate.

Exit codes: 0 all runs were clean, or --max-rate holds; 86 runs crashed, or had an error of the GPU; 124 runs hung; 88 no run counts, as the
fix was in none (with --require-fix: in some); 87 work was lost; 1 runs failed otherwise, or --max-rate was not decided;
125 a run could not be launched, or nothing could be stored; 130, 143 interrupted; 2 usage."
)]
pub struct StressArgs {
    /// Make so many runs [default: 59, where nothing else ends the series]; with --max-rate at most so many.
    #[arg(short = 'n', long, value_name = "RUNS", value_parser = clap::value_parser!(u64).range(1..), allow_negative_numbers = true, help_heading = "Series")]
    pub runs: Option<u64>,
    /// Begin no run after this time: 90, 5m, 1h30m; with --max-rate at most so long.
    #[arg(long, value_name = "DUR", value_parser = parse_limit, allow_negative_numbers = true, help_heading = "Series")]
    pub duration: Option<Duration>,
    /// Make as many runs as it takes to say whether fewer than this share crashes: 1%, 0.01.
    #[arg(long, value_name = "RATE", value_parser = parse_share, allow_negative_numbers = true, conflicts_with = "until_crash", help_heading = "Series")]
    pub max_rate: Option<f64>,
    /// Confidence of what is said about the rate.
    #[arg(long, value_name = "SHARE", value_parser = parse_share, allow_negative_numbers = true, default_value = "95%", help_heading = "Series")]
    pub confidence: f64,
    /// End with the first crash.
    #[arg(long, help_heading = "Series")]
    pub until_crash: bool,
    /// Runs at the same time; more than one count the reports of their own tree only (--scope tree).
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256), allow_negative_numbers = true, help_heading = "Series")]
    pub jobs: u16,
    /// Keep the series' state in FILE [default: series/ID.jsonl in the archive].
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "resume",
        help_heading = "Series"
    )]
    pub state: Option<PathBuf>,
    /// Go on with the series whose state is in FILE; its command and options need not be repeated.
    #[arg(long, value_name = "FILE", help_heading = "Series")]
    pub resume: Option<PathBuf>,
    /// Pass the runs' output on, a whole run at a time; that of runs that are not clean is kept in any case.
    #[arg(long, help_heading = "Series")]
    pub show_output: bool,
    /// Write the rate, what crashed and plots as one HTML page.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub html: Option<PathBuf>,
    /// Write each plot as an SVG file into DIR.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub svg: Option<PathBuf>,

    /// Options of each run.
    #[command(flatten)]
    pub run: RunArgs,
}

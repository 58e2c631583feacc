use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};

use super::values::{SinceArg, parse_duration, parse_hours, parse_name, parse_prefix, parse_since};
use super::{BaselineArgs, CiArgs, ColorArgs, SignatureArgs, SourceArgs};

/// Options of `check-crashes`.
#[derive(Debug, Args)]
#[command(after_help = "\
Conditions combine: what is shown meets all of them; of several names, one suffices.
Without --latest, --since or --hours, the last 24 hours are looked at.

Piped, a crash is one line of columns two or more blanks apart: time, process, pid, exception,
signature, fingerprint, where it crashed, file; `-` stands for what is not known.

Exit codes: 0; 86 with --fail when any crash matched that is not in the baseline, or a file could not be read;
125 when a folder that was named could not be read.")]
pub struct CheckCrashesArgs {
    /// What is to be done.
    #[command(flatten)]
    pub mode: ModeArgs,
    /// Which crashes.
    #[command(flatten)]
    pub which: WhichArgs,
    /// Print JSON (--json-schema describes it).
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Exit 86 when there are any.
    #[arg(long, conflicts_with_all = ["sync", "clean", "snapshot"], help_heading = "Output")]
    pub fail: bool,
    /// Do not send long output through a pager [env: AGXRUN_PAGER, PAGER; without them less -FRX].
    #[arg(long, help_heading = "Output")]
    pub no_pager: bool,
    /// Colours.
    #[command(flatten)]
    pub color: ColorArgs,
    /// Where reports are.
    #[command(flatten)]
    pub sources: SourceArgs,
    /// Known failures.
    #[command(flatten)]
    pub signatures: SignatureArgs,
    /// Known crashes.
    #[command(flatten)]
    pub baseline: BaselineArgs,
    /// What a CI system is told.
    #[command(flatten)]
    pub ci: CiArgs,
}

/// What is to be done: without any of these, a list.
#[derive(Debug, Args)]
#[group(multiple = true)]
#[allow(clippy::struct_excessive_bools)] // each is a flag of its own
pub struct ModeArgs {
    /// Show the N newest crashes in full, whenever they were [default: 1].
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "1", value_parser = clap::value_parser!(u32).range(1..), allow_negative_numbers = true, group = "mode")]
    pub latest: Option<u32>,
    /// Show equal crashes together, with how many there are.
    #[arg(long, group = "mode")]
    pub group: bool,
    /// Print only how many there are.
    #[arg(long, group = "mode")]
    pub count: bool,
    /// Show new crashes as they come, until interrupted.
    #[arg(long, group = "mode", conflicts_with_all = ["junit", "github"])]
    pub watch: bool,
    /// Write what reports there are now to FILE, for --since.
    #[arg(long, value_name = "FILE", group = "mode", conflicts_with_all = ["baseline", "junit", "github"], help_heading = "Upkeep")]
    pub snapshot: Option<PathBuf>,
    /// Make the archive's crash_summary.json anew from the files beside it.
    #[arg(long, group = "mode", conflicts_with_all = ["baseline", "junit", "github"], help_heading = "Upkeep")]
    pub sync: bool,
    /// Remove the archive's copies, after saying which; the system's reports stay.
    #[arg(long, group = "mode", conflicts_with_all = ["baseline", "junit", "github"], help_heading = "Upkeep")]
    pub clean: bool,
    /// With --clean: only copies made longer ago than this, such as 30d.
    #[arg(long, value_name = "DUR", value_parser = parse_duration, allow_negative_numbers = true, requires = "clean", help_heading = "Upkeep")]
    pub older_than: Option<Duration>,
    /// With --clean: only say what would be removed.
    #[arg(long, requires = "clean", help_heading = "Upkeep")]
    pub dry_run: bool,
    /// With --clean: do not ask.
    #[arg(short, long, requires = "clean", help_heading = "Upkeep")]
    pub yes: bool,
    /// Print the JSON Schema of what --json prints.
    #[arg(long, group = "mode", help_heading = "Output")]
    pub json_schema: bool,
}

/// Which crashes.
#[derive(Debug, Args)]
pub struct WhichArgs {
    /// Only crashes of the last H hours.
    #[arg(long, value_name = "H", value_parser = parse_hours, allow_negative_numbers = true, conflicts_with_all = ["watch", "sync", "clean", "snapshot"], help_heading = "Which crashes")]
    pub hours: Option<f64>,
    /// Only crashes since then: 2h or 3d ago, 10:30, 2026-11-22, 2026-11-22T10:30:00Z, a file of --snapshot, or the JSON of a run.
    #[arg(long, value_name = "TIME|FILE", value_parser = OsStringValueParser::new().try_map(parse_since), allow_hyphen_values = true, conflicts_with_all = ["watch", "sync", "clean", "snapshot"], help_heading = "Which crashes")]
    pub since: Option<SinceArg>,
    /// Only crashes of processes with this name; `*` stands for any text (repeatable).
    #[arg(long, value_name = "NAME", value_parser = parse_name, conflicts_with_all = ["sync", "clean", "snapshot"], help_heading = "Which crashes")]
    pub process: Vec<String>,
    /// Only crashes with this signature; `none` for those without one (repeatable).
    #[arg(long, value_name = "ID", value_parser = parse_name, conflicts_with_all = ["sync", "clean", "snapshot"], help_heading = "Which crashes")]
    pub signature: Vec<String>,
    /// Only crashes whose fingerprint begins so, with at least 4 digits (repeatable).
    #[arg(long, value_name = "HEX", value_parser = parse_prefix, conflicts_with_all = ["sync", "clean", "snapshot"], help_heading = "Which crashes")]
    pub fingerprint: Vec<String>,
}

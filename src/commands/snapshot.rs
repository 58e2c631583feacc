//! `agxrun snapshot`: the same as `check-crashes --snapshot`, for steps that cannot be wrapped.

use anyhow::Result;

use super::check_crashes;
use crate::cli::SnapshotArgs;
use crate::output::terminal;

pub fn run(args: &SnapshotArgs) -> Result<u8> {
    terminal::set_color(args.color.color);
    check_crashes::snapshot(&args.sources, &args.output, args.json)
}

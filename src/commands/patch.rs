//! `agxrun patch`: a patched copy of the driver, or a look at one.

use std::path::Path;

use anyhow::{Context, Result, anyhow};

use crate::audit::MappedFile;
use crate::cli::PatchArgs;
use crate::output::patch::{Answer, Outcome};
use crate::output::terminal;
use crate::patch::verify::{Report, verify};
use crate::patch::{Kind, file, patch};
use crate::run::verdict::exit_code;

pub fn run(args: &PatchArgs) -> Result<u8> {
    terminal::set_color(args.color.color);
    let done = if args.verify { look(args) } else { make(args) };
    // A refusal is told on stderr, as every error is; programs want it in the answer as well.
    if let Err(error) = &done
        && args.json
    {
        print(args, Outcome::Refused(terminal::chain(error)))?;
    }
    done
}

fn make(args: &PatchArgs) -> Result<u8> {
    let input = args.input.as_deref().context("--input names no driver")?;
    if let Some(output) = &args.output {
        file::check(input, output, args.force || args.dry_run)?;
    }
    let kind = if args.published {
        Kind::Published
    } else {
        Kind::Rebuilt
    };
    let original = open(input)?;
    let patched = patch(original.bytes(), kind).with_context(|| refusal("patched", input))?;
    let output = args.output.as_deref().filter(|_| !args.dry_run);
    let outcome = match output {
        Some(output) => {
            file::write(input, output, &patched.bytes, args.force)?;
            Outcome::Written(&patched)
        }
        None => Outcome::Made(&patched),
    };
    print(args, outcome)?;
    Ok(exit_code::OK)
}

fn look(args: &PatchArgs) -> Result<u8> {
    let copy = args.output.as_deref().context("--output names no copy")?;
    let original = args.input.as_deref().map(open).transpose()?;
    let opened = open(copy)?;
    let report: Report = verify(opened.bytes(), original.as_ref().map(MappedFile::bytes))
        .map_err(|error| anyhow!(error).context(refusal("verified", copy)))?;
    let good = report.is_good();
    print(args, Outcome::Verified(&report))?;
    Ok(if good {
        exit_code::OK
    } else {
        exit_code::UNWELL
    })
}

fn open(path: &Path) -> Result<MappedFile> {
    MappedFile::open(path).with_context(|| format!("`{}` cannot be read", path.display()))
}

fn refusal(what: &str, path: &Path) -> String {
    format!("`{}` is not {what}", path.display())
}

fn print(args: &PatchArgs, outcome: Outcome<'_>) -> Result<()> {
    let answer = Answer {
        input: args.input.as_deref(),
        output: args.output.as_deref(),
        outcome,
    };
    let text = if args.json {
        answer.json()?
    } else {
        answer.text()
    };
    terminal::print(&text)?;
    Ok(())
}

//! An inspection for people: the chain, what stands in each file, the verdict, what would help.

use std::fmt::Write;
use std::path::Path;

use super::terminal::{DIM, ERROR, OK, STRONG, WARNING, visible};
use crate::target::chain::{End, Part};
use crate::target::image::{
    Contents, Entitlements, FileType, Flags, Grant, Image, Interpreter, Permissions, Signature,
    Slice,
};
use crate::target::remedy::Advice;
use crate::target::verdict::{Kind, Verdict};
use crate::target::{Inspection, JudgedStep};

/// What was asked, and what was found.
pub struct Answer<'a> {
    /// The chain of a command; `None` for one file.
    pub inspection: Option<&'a Inspection>,
    /// The one file, where it could be read.
    pub file: Option<&'a Image>,
    /// What becomes of the library.
    pub verdict: &'a Verdict,
    /// The library that was judged by.
    pub library: &'a Path,
    /// What would help.
    pub advice: Vec<Advice>,
}

impl Answer<'_> {
    /// The answer as lines.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if let Some(inspection) = self.inspection {
            for (index, judged) in inspection.steps.iter().enumerate() {
                text += &step(index, judged);
            }
            if let End::Unseen(because) | End::Broken { because, .. } = &inspection.end {
                line(&mut text, &format!("   then: {}", visible(because)));
            }
            for told in foreseen_direct(inspection) {
                line(&mut text, &visible(&told));
            }
        }
        for fact in self.file.map(facts).unwrap_or_default() {
            line(&mut text, &format!("   {}", visible(&fact)));
        }
        let library = visible(&self.library.display().to_string());
        line(&mut text, &format!("{DIM}library: {library}{DIM:#}"));
        text += &verdict(self.verdict);
        for advice in &self.advice {
            line(&mut text, &format!("  - {}", visible(&advice.text)));
            for command in &advice.commands {
                line(&mut text, &format!("      {}", visible(command)));
            }
        }
        text.truncate(text.trim_end().len());
        text
    }
}

/// What a run is told with `-v`: what really runs, and what becomes of the library.
pub fn foreseen(inspection: &Inspection) -> Vec<String> {
    let mut lines = foreseen_direct(inspection);
    let verdict = &inspection.verdict;
    lines.push(format!(
        "foreseen: {} `{}`: {} [{}]",
        headline(verdict.kind),
        verdict.file.display(),
        verdict.because,
        verdict.rule
    ));
    lines
}

fn foreseen_direct(inspection: &Inspection) -> Vec<String> {
    let direct = inspection.direct.iter();
    direct
        .map(|direct| {
            let call = &inspection.steps[direct.step].step.call;
            format!(
                "agxrun launches `{}` directly, as {}: with `{}` before it the library would not get in ({}) [{}]",
                call.program.display(),
                call.argv.first().map_or_else(String::new, |arg0| format!("`{}`", arg0.display())),
                direct.instead_of.file.display(),
                direct.instead_of.because,
                direct.instead_of.rule
            )
        })
        .collect()
}

fn headline(kind: Kind) -> &'static str {
    match kind {
        Kind::Arrives => "the library gets into",
        Kind::Stripped => "the library does not get into",
        Kind::Fatal => "it does not run with the library:",
        Kind::Unknown => "it is not known whether the library gets into",
    }
}

fn verdict(verdict: &Verdict) -> String {
    let (style, word) = match verdict.kind {
        Kind::Arrives => (OK, "arrives"),
        Kind::Stripped => (ERROR, "stripped"),
        Kind::Fatal => (ERROR, "fatal"),
        Kind::Unknown => (WARNING, "unknown"),
    };
    format!(
        "{style}{word}{style:#}: `{}`: {} [{}]\n",
        visible(&verdict.file.display().to_string()),
        visible(&verdict.because),
        verdict.rule
    )
}

fn step(index: usize, judged: &JudgedStep) -> String {
    let step = &judged.step;
    let mut text = String::new();
    line(
        &mut text,
        &format!(
            "{}. {STRONG}{}{STRONG:#} {DIM}{}{DIM:#}",
            index + 1,
            visible(&step.call.program.display().to_string()),
            visible(&step.call.because)
        ),
    );
    if step.file != step.call.program {
        line(
            &mut text,
            &format!("   is `{}`", visible(&step.file.display().to_string())),
        );
    }
    line(&mut text, &format!("   {}", role(&step.part)));
    if let Some(note) = &step.note {
        line(&mut text, &format!("   {}", visible(note)));
    }
    let facts = match &step.image {
        Ok(image) => facts(image),
        Err(reason) => vec![reason.to_string()],
    };
    for fact in facts {
        line(&mut text, &format!("   {}", visible(&fact)));
    }
    if let Some(verdict) = judged.verdict.as_ref().filter(|it| !it.arrives()) {
        let because = visible(&verdict.because);
        line(&mut text, &format!("   {because} [{}]", verdict.rule));
    }
    text
}

/// A part's name, for scripts.
pub(super) fn part(part: &Part) -> &'static str {
    match part {
        Part::Script => "script",
        Part::Env { .. } => "env",
        Part::Wrapper(_) => "wrapper",
        Part::Chooser => "chooser",
        Part::Starter => "starter",
        Part::Program => "program",
    }
}

fn role(part: &Part) -> &'static str {
    match part {
        Part::Script => "a script: the next file is executed in its place",
        Part::Env { .. } => "changes the environment, and becomes the next file",
        Part::Wrapper(_) => "executes the next file",
        Part::Chooser => "chooses the next file, and becomes it",
        Part::Starter => "starts others",
        Part::Program => "the program",
    }
}

/// What stands in a file, as far as it decides.
pub(super) fn facts(image: &Image) -> Vec<String> {
    let mut facts = match &image.contents {
        Contents::MachO(slices) => slices.iter().map(slice).collect(),
        Contents::Elf(elf) => {
            let bits = if elf.is_64_bit { 64 } else { 32 };
            let loader = match &elf.interpreter {
                Interpreter::None => "static".to_owned(),
                Interpreter::Path(path) => format!("loader {path}"),
            };
            vec![format!("ELF, {}, {bits} bits, {loader}", elf.processor)]
        }
        Contents::Script => vec![],
        Contents::Other => vec!["neither Mach-O nor ELF nor a script".to_owned()],
    };
    facts.extend(permissions(&image.permissions));
    facts
}

fn permissions(permissions: &Permissions) -> Option<String> {
    let mut found = Vec::new();
    if let Some(user) = permissions.runs_as_user {
        found.push(format!("setuid to user {user}"));
    }
    if let Some(group) = permissions.runs_as_group {
        found.push(format!("setgid to group {group}"));
    }
    if permissions.capabilities {
        found.push("carries capabilities".to_owned());
    }
    if permissions.sip_restricted {
        found.push("flagged `restricted`".to_owned());
    }
    (!found.is_empty()).then(|| found.join(", "))
}

fn slice(slice: &Slice) -> String {
    let macho = match &slice.contents {
        Ok(macho) => macho,
        Err(reason) => return format!("Mach-O, {}: {reason}", slice.processor),
    };
    let mut facts = vec![format!("Mach-O, {}", slice.processor)];
    facts.push(match macho.file_type {
        FileType::Executable => "program".to_owned(),
        FileType::Library => "library".to_owned(),
        FileType::Bundle => "bundle".to_owned(),
        FileType::Other(number) => format!("file type {number}"),
    });
    facts.extend(
        macho
            .platforms
            .iter()
            .map(|platform| format!("for {platform}")),
    );
    if macho.restrict_section {
        facts.push("`__RESTRICT,__restrict`".to_owned());
    }
    if macho.encrypted {
        facts.push("encrypted".to_owned());
    }
    facts.push(match &macho.signature {
        None => "not signed".to_owned(),
        Some(signature) => signed(signature),
    });
    facts.join(", ")
}

fn signed(signature: &Signature) -> String {
    let mut text = match (&signature.team, signature.platform) {
        (_, platform) if platform != 0 => "signed as a part of macOS".to_owned(),
        (Some(team), _) => format!("signed by team {team}"),
        (None, _) if signature.certified => "signed".to_owned(),
        (None, _) => "signed ad hoc".to_owned(),
    };
    let _ = write!(text, " as `{}`", signature.identifier); // a String takes every write
    for (flag, name) in [
        (Flags::HARDENED_RUNTIME, "hardened runtime"),
        (Flags::LIBRARY_VALIDATION, "library validation"),
        (Flags::RESTRICT, "restrict"),
    ] {
        if signature.flags.has(flag) {
            text += ", ";
            text += name;
        }
    }
    match &signature.entitlements {
        Ok(entitlements) => {
            for name in granted(*entitlements) {
                text += ", ";
                text += name;
            }
        }
        Err(reason) => {
            let _ = write!(text, ", entitlements unreadable: {reason}"); // as above
        }
    }
    text
}

fn granted(entitlements: Entitlements) -> impl Iterator<Item = &'static str> {
    [
        (
            entitlements.dyld_variables,
            "allow-dyld-environment-variables",
        ),
        (
            entitlements.no_library_validation,
            "disable-library-validation",
        ),
        (entitlements.get_task_allow, "get-task-allow"),
        (entitlements.sandbox, "app-sandbox"),
    ]
    .into_iter()
    .filter(|(grant, _)| *grant == Grant::Given)
    .map(|(_, name)| name)
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

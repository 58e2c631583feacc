//! The rules by which an inserted library arrives, or does not.
//!
//! Each rule looks at facts and finds something, or nothing; the first that finds something
//! decides. They stand in the order in which the system meets them: what cannot be executed, then
//! what makes the kernel or the loader drop the variable (and then the library can do no harm),
//! then what makes the loader refuse the library, then what the file does not tell. Where no rule
//! finds anything, the library arrives.

mod elf;
mod library;
mod macho;
mod paths;
mod permissions;

use std::path::Path;

use super::image::{Contents, Image, Processor, Unreadable};
use super::verdict::{Kind, Remedy, Verdict};

/// The system on which the program would run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Host {
    /// Its kernel.
    pub system: System,
    /// Its processor: [`Processor::Arm64`] on Apple silicon.
    pub processor: Processor,
    /// macOS: whether System Integrity Protection is on. Assume so where it is not known.
    pub sip: bool,
    /// Whose process it would be.
    pub user: u32,
    /// That process's group.
    pub group: u32,
}

/// A kernel and its loader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// macOS: dyld reads `DYLD_INSERT_LIBRARIES`.
    MacOs,
    /// Linux: ld.so reads `LD_PRELOAD`.
    Linux,
}

/// The program that the kernel would execute.
#[derive(Debug, Clone, Copy)]
pub struct Program<'a> {
    /// Its path on the system in question, absolute and with links resolved.
    pub path: &'a Path,
    /// What was read from it.
    pub image: Result<&'a Image, &'a Unreadable>,
    /// The processor that was asked for, as by `arch -x86_64`.
    pub preference: Option<Processor>,
}

/// The library that is to be inserted.
#[derive(Debug, Clone, Copy)]
pub struct Library<'a> {
    /// Its path.
    pub path: &'a Path,
    /// What was read from it.
    pub image: Result<&'a Image, &'a Unreadable>,
}

/// What a rule found.
#[derive(Debug)]
struct Finding {
    rule: &'static str,
    kind: Kind,
    because: String,
    remedies: Vec<Remedy>,
}

/// The id of the verdict where no rule objects.
pub const ARRIVES: &str = "arrives";

/// What becomes of `library` in `program` on `host`.
pub fn judge(program: &Program<'_>, library: &Library<'_>, host: &Host) -> Verdict {
    let found = first_finding(program, library, host);
    let (file, finding) = match found {
        Ok(()) => {
            return Verdict {
                kind: Kind::Arrives,
                rule: ARRIVES,
                because: "nothing in the file keeps the library out".to_owned(),
                file: program.path.to_owned(),
                remedies: Vec::new(),
            };
        }
        Err((Culprit::Program, finding)) => (program.path, finding),
        Err((Culprit::Library, finding)) => (library.path, finding),
    };
    Verdict {
        kind: finding.kind,
        rule: finding.rule,
        because: finding.because,
        file: file.to_owned(),
        remedies: finding.remedies,
    }
}

/// Which of the two files a finding was read from.
#[derive(Debug, Clone, Copy)]
enum Culprit {
    Program,
    Library,
}

/// `Err` is a finding: the rules stop at the first, as `?` does.
type Checked = Result<(), (Culprit, Finding)>;

fn first_finding(program: &Program<'_>, library: &Library<'_>, host: &Host) -> Checked {
    // The path alone decides here, so that an unreadable file under `/usr` is told apart.
    in_program(paths::protected(program, host))?;
    let image = match program.image {
        Ok(image) => image,
        Err(reason) => return in_program(Some(unreadable("unreadable", reason))),
    };
    match (host.system, &image.contents) {
        (System::MacOs, Contents::MachO(slices)) => {
            let slice = macho::runs(slices, program, host).map_err(by_program)?;
            in_program(permissions::changes_identity(image, host))?;
            in_program(macho::drops_the_variable(slice))?;
            library::refused_by_dyld(slice, library, program, host)?;
            in_program(macho::untold(slice))
        }
        (System::Linux, Contents::Elf(elf)) => {
            in_program(permissions::changes_identity(image, host))?;
            in_program(elf::ignores_the_variable(elf))?;
            library::refused_by_ld_so(elf, library)?;
            in_program(elf::untold(elf))
        }
        (_, Contents::Script) => in_program(Some(Finding {
            rule: "script",
            kind: Kind::Unknown,
            because: "it is a script: its interpreter is what runs".to_owned(),
            remedies: vec![],
        })),
        (_, Contents::Other) => in_program(Some(Finding {
            rule: "no-program",
            kind: Kind::Unknown,
            because: "it is neither Mach-O nor ELF nor a script".to_owned(),
            remedies: vec![],
        })),
        (System::MacOs, Contents::Elf(_)) => in_program(Some(foreign("an ELF file", "macOS"))),
        (System::Linux, Contents::MachO(_)) => in_program(Some(foreign("a Mach-O file", "Linux"))),
    }
}

fn by_program(finding: Finding) -> (Culprit, Finding) {
    (Culprit::Program, finding)
}

fn in_program(finding: Option<Finding>) -> Checked {
    match finding {
        None => Ok(()),
        Some(finding) => Err((Culprit::Program, finding)),
    }
}

fn unreadable(rule: &'static str, reason: &Unreadable) -> Finding {
    Finding {
        rule,
        kind: Kind::Unknown,
        because: reason.to_string(),
        remedies: vec![Remedy::RunWithout],
    }
}

fn foreign(what: &str, system: &str) -> Finding {
    Finding {
        rule: "foreign-format",
        kind: Kind::Fatal,
        because: format!("it is {what}, which {system} does not execute"),
        remedies: vec![Remedy::AnotherBuild],
    }
}

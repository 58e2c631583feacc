//! A command's chain, judged from its beginning to its end.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use super::chain::env::Changes;
use super::chain::path::search;
use super::chain::{Call, Chain, End, Part, Step, walk};
use super::image::{
    Contents, Elf, Entitlements, FileType, Flags, Identity, Image, Interpreter, MachO, Permissions,
    Platform, Processor, Signature, Slice, Unreadable,
};
use super::rules::{self, Host, Library, Program, System};
use super::surroundings::Surroundings;
use super::verdict::{Kind, Remedy, Verdict};

/// The library that is to be inserted, as it was read.
#[derive(Debug)]
pub struct FixLibrary {
    /// Its path.
    pub path: PathBuf,
    /// What was read from it.
    pub image: Result<Image, Unreadable>,
}

/// What a command runs, and what becomes of the library.
#[derive(Debug)]
pub struct Inspection {
    /// The files that are executed, in their order, each with what becomes of the library in it.
    pub steps: Vec<JudgedStep>,
    /// How the chain ends.
    pub end: End,
    /// What becomes of the library, when `agxrun run` launches the command.
    pub verdict: Verdict,
    /// What `agxrun run` launches instead of the first file, where that alone lets the library in.
    pub direct: Option<Direct>,
}

/// A step and its verdict.
#[derive(Debug)]
pub struct JudgedStep {
    /// The step.
    pub step: Step,
    /// What becomes of the library in its process; `None` of a script, which gets no process.
    pub verdict: Option<Verdict>,
}

/// A later step of the chain, launched without those before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Direct {
    /// Which step.
    pub step: usize,
    /// The verdict on the step that is passed over.
    pub instead_of: Verdict,
    /// What the `env`s that are passed over would have done to the environment, in order.
    pub changes: Vec<Changes>,
}

impl FixLibrary {
    /// Reads it.
    pub fn read(path: &Path) -> Self {
        FixLibrary {
            path: path.to_owned(),
            image: Image::read(path),
        }
    }

    /// The library as it is made for `system`: it stands for one that is not at hand.
    pub fn as_built_for(system: System, processor: Processor) -> Self {
        match system {
            System::MacOs => Self::universal(),
            System::Linux => FixLibrary {
                path: PathBuf::from("libagx_fix.so"),
                image: Ok(image_of(Contents::Elf(Elf {
                    processor,
                    is_64_bit: true,
                    executable: true,
                    shared: true,
                    interpreter: Interpreter::None,
                }))),
            },
        }
    }

    /// What `scripts/macos/build.sh` makes: a dylib for both processors, signed ad hoc.
    fn universal() -> Self {
        let slice = |processor| Slice {
            processor,
            contents: Ok(MachO {
                file_type: FileType::Library,
                asks_for_dyld: false,
                restrict_section: false,
                encrypted: false,
                platforms: vec![Platform::MacOs],
                libraries: vec![],
                signature: Some(Signature {
                    flags: Flags::AD_HOC,
                    identifier: "libagx_fix.dylib".to_owned(),
                    team: None,
                    platform: 0,
                    certified: false,
                    entitlements: Ok(Entitlements::default()),
                }),
            }),
        };
        let contents = Contents::MachO(vec![slice(Processor::Arm64), slice(Processor::X86_64)]);
        FixLibrary {
            path: PathBuf::from("libagx_fix.dylib"),
            image: Ok(image_of(contents)),
        }
    }

    fn view(&self) -> Library<'_> {
        Library {
            path: &self.path,
            image: self.image.as_ref(),
        }
    }
}

fn image_of(contents: Contents) -> Image {
    Image {
        identity: Identity::default(),
        permissions: Permissions::default(),
        contents,
    }
}

/// Follows `command` and judges every file on its way.
///
/// `program` is the file that is launched; where it is `None`, the first word is looked for in `PATH`.
pub fn inspect(
    command: &[OsString],
    program: Option<&Path>,
    library: &FixLibrary,
    surroundings: &Surroundings,
) -> Inspection {
    let typed = command.first().map_or(OsStr::new(""), OsString::as_os_str);
    let found = program.map(Path::to_owned).or_else(|| {
        search(
            typed,
            surroundings
                .variables
                .get(OsStr::new("PATH"))
                .map(OsString::as_os_str),
            &surroundings.files,
            &surroundings.folder,
            surroundings.host.system,
        )
    });
    let Some(program) = found else {
        let end = End::Broken {
            rule: "not-found",
            because: format!("there is no program `{}` to be found", typed.display()),
            file: PathBuf::from(typed),
        };
        return judge_chain(Chain { steps: vec![], end }, library, surroundings);
    };
    let first = Call {
        program,
        argv: command.to_vec(),
        variables: surroundings.variables.clone(),
        folder: surroundings.folder.clone(),
        preference: None,
        because: "the command".to_owned(),
    };
    judge_chain(walk(first, surroundings), library, surroundings)
}

/// Judges one file as the program on `host`, wherever it lies here.
pub fn inspect_file(
    path: &Path,
    image: &Result<Image, Unreadable>,
    library: &FixLibrary,
    host: &Host,
) -> Verdict {
    rules::judge(
        &Program {
            path,
            image: image.as_ref(),
            preference: None,
        },
        &library.view(),
        host,
    )
}

fn judge_chain(chain: Chain, library: &FixLibrary, surroundings: &Surroundings) -> Inspection {
    let host = &surroundings.host;
    let steps: Vec<JudgedStep> = chain
        .steps
        .into_iter()
        .map(|step| {
            let verdict = (step.part != Part::Script).then(|| {
                rules::judge(
                    &Program {
                        path: &step.file,
                        image: step.image.as_ref(),
                        preference: step.call.preference,
                    },
                    &library.view(),
                    host,
                )
            });
            JudgedStep { step, verdict }
        })
        .collect();
    let mut inspection = Inspection {
        verdict: Verdict {
            kind: Kind::Unknown,
            rule: "unseen",
            because: String::new(),
            file: PathBuf::new(),
            remedies: vec![],
        },
        steps,
        end: chain.end,
        direct: None,
    };
    let (at, verdict) = inspection.from(0, surroundings);
    let direct = inspection.past_shims(at, &verdict, surroundings);
    inspection.verdict = match &direct {
        Some(direct) => inspection.from(direct.step, surroundings).1,
        None => verdict,
    };
    inspection.direct = direct;
    inspection
}

impl Inspection {
    /// What becomes of the library where step `first` is launched; with the step that decides.
    ///
    /// What is not known of one step is certain where a later one drops the variable all the same.
    pub(super) fn from(&self, first: usize, surroundings: &Surroundings) -> (usize, Verdict) {
        let mut unknown = None;
        for at in first..self.steps.len() {
            let Some(verdict) = self.at(at, surroundings) else {
                continue;
            };
            match verdict.kind {
                Kind::Unknown => unknown = unknown.or(Some((at, verdict))),
                // Whether the library would get as far as to do harm is not known either.
                Kind::Fatal if unknown.is_some() => {}
                _ => return (at, verdict),
            }
        }
        let last = self.steps.len().saturating_sub(1);
        unknown.unwrap_or_else(|| (last, self.ending()))
    }

    /// What keeps the library from getting into step `at`, or through it into the next.
    fn at(&self, at: usize, surroundings: &Surroundings) -> Option<Verdict> {
        let JudgedStep { step, verdict } = &self.steps[at];
        let verdict = verdict.as_ref()?;
        let is_target = at + 1 == self.steps.len() && self.end == End::Program;
        if !verdict.arrives() && (is_target || !leaves_variable(verdict, surroundings.host.system))
        {
            return Some(verdict.clone());
        }
        match &step.part {
            Part::Env { changes, .. } if changes.removes(surroundings.insert_variable) => {
                Some(removed(step, surroundings))
            }
            _ => None,
        }
    }

    /// The verdict where nothing keeps the library out before the end.
    fn ending(&self) -> Verdict {
        let last = self.steps.last();
        let file = last.map(|last| last.step.file.clone()).unwrap_or_default();
        let unknown = |rule, because: &str, file| Verdict {
            kind: Kind::Unknown,
            rule,
            because: because.to_owned(),
            file,
            remedies: vec![],
        };
        match &self.end {
            End::Unseen(because) => unknown(UNSEEN, because, file),
            End::Broken {
                rule,
                because,
                file,
            } => unknown(rule, because, file.clone()),
            End::Program => match last.and_then(|last| last.verdict.clone()) {
                Some(verdict) => verdict,
                // A walk ends at a program only with a step that is none of the scripts.
                None => unknown(UNSEEN, "nothing is executed", file),
            },
        }
    }

    /// The step behind those that only pass the command on, where one of these keeps the library
    /// out and nothing behind it does.
    fn past_shims(
        &self,
        deciding: usize,
        verdict: &Verdict,
        surroundings: &Surroundings,
    ) -> Option<Direct> {
        if verdict.kind == Kind::Unknown || verdict.arrives() {
            return None;
        }
        let mut changes = Vec::new();
        let mut from = deciding;
        for (at, judged) in self.steps.iter().enumerate() {
            match &judged.step.part {
                Part::Script => {}
                Part::Env {
                    changes: these,
                    only_that: true,
                } => {
                    changes.push(these.clone());
                    if at < from {
                        continue;
                    }
                    // The next may be stopped by another `env`.
                    let next = at + 1;
                    let (deciding, after) = self.from(next, surroundings);
                    if next < self.steps.len()
                        && matches!(after.kind, Kind::Arrives | Kind::Unknown)
                    {
                        return Some(Direct {
                            step: next,
                            instead_of: verdict.clone(),
                            changes,
                        });
                    }
                    from = deciding;
                }
                _ => return None,
            }
        }
        None
    }

    /// Whether every file still is what it was when it was read.
    ///
    /// # Errors
    /// The first file that was changed, replaced or removed, as a verdict of *unknown*.
    pub fn still_holds(&self, surroundings: &Surroundings) -> Result<(), Box<Verdict>> {
        for JudgedStep { step, .. } in &self.steps {
            let Ok(image) = &step.image else { continue };
            let path = &step.call.program;
            let still: io::Result<bool> = surroundings
                .files
                .resolve(path, &step.call.folder)
                .map_err(io::Error::other)
                .and_then(|found| {
                    image
                        .identity
                        .still_at(&surroundings.files.here(&found.path))
                });
            let because = match still {
                Ok(true) => continue,
                Ok(false) => "it changed between the look at it and the launch".to_owned(),
                Err(error) => format!("it is gone since it was looked at: {error}"),
            };
            return Err(Box::new(Verdict {
                kind: Kind::Unknown,
                rule: "changed",
                because,
                file: step.file.clone(),
                remedies: vec![],
            }));
        }
        Ok(())
    }
}

/// The rule of a verdict where what runs in the end cannot be seen.
pub const UNSEEN: &str = "unseen";

/// Whether a program that the library does not get into still hands the variable on: nothing takes
/// it out of the environment, but dyld of a restricted program, or ld.so where it runs with other
/// rights (ld.so(8), secure-execution mode).
fn leaves_variable(verdict: &Verdict, system: System) -> bool {
    match system {
        System::Linux => matches!(verdict.rule, "static" | "library-slice" | "library-format"),
        System::MacOs => verdict.rule == "static",
    }
}

fn removed(step: &Step, surroundings: &Surroundings) -> Verdict {
    Verdict {
        kind: Kind::Stripped,
        rule: "environment",
        because: format!(
            "`env` is told to take `{}` out of the environment, or to set it to something else",
            surroundings.insert_variable
        ),
        file: step.file.clone(),
        remedies: vec![Remedy::RunWithout],
    }
}

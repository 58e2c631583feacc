//! The walk itself: what each file does decides which is next.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::env::{self, Env};
use super::shell::{self, Task};
use super::{Call, Chain, End, Lost, Part, Resolved, Step, developer, name, path, python};
use super::{shebang, versions, wrappers};
use crate::target::image::{Contents, Image, Unreadable};
use crate::target::rules::System;
use crate::target::surroundings::Surroundings;

/// Follows `first` to its end.
pub fn walk(first: Call, surroundings: &Surroundings) -> Chain {
    let mut walk = Walk {
        surroundings,
        script: None,
        interpreters: 0,
        starter: None,
    };
    let mut steps: Vec<Step> = Vec::new();
    let mut call = first;
    let end = loop {
        if steps.len() == LONGEST {
            break End::Broken {
                rule: "endless",
                because: format!("more than {LONGEST} programs would execute one another"),
                file: call.program,
            };
        }
        let resolved = match surroundings.files.resolve(&call.program, &call.folder) {
            Ok(resolved) => resolved,
            Err(lost) => break broken(&call, &lost),
        };
        let image = Image::read(&surroundings.files.here(&resolved.path));
        let (part, onward) = walk.onward(&call, &resolved, &image);
        let note = python::is_python(name(&call.program))
            .then(|| python::note(&call, &resolved, &surroundings.files))
            .flatten();
        let step = |call| Step {
            call,
            file: resolved.path,
            links: resolved.links,
            part,
            note,
            image,
        };
        match onward {
            Onward::Next(next) => {
                let done = std::mem::replace(&mut call, next);
                steps.push(step(done));
            }
            Onward::End(end) => {
                steps.push(step(call));
                break end;
            }
        }
    };
    Chain { steps, end }
}

/// Nobody nests as many programs; whoever does, goes round in a circle.
const LONGEST: usize = 32;

/// A path that leads nowhere.
fn broken(call: &Call, lost: &Lost) -> End {
    let rule = match lost {
        Lost::Links { .. } => "link-loop",
        Lost::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => "not-found",
        Lost::Io { .. } => "unreachable",
    };
    End::Broken {
        rule,
        because: format!("{lost}; {}", call.because),
        file: call.program.clone(),
    }
}

enum Onward {
    Next(Call),
    End(End),
}

struct Walk<'a> {
    surroundings: &'a Surroundings,
    /// The script whose interpreter the kernel is about to execute.
    script: Option<Call>,
    /// How many interpreters that one `execve` has gone through.
    interpreters: u32,
    /// A script's name that says that it starts others.
    starter: Option<End>,
}

impl Walk<'_> {
    /// What the file that `call` names does, and what comes then.
    fn onward(
        &mut self,
        call: &Call,
        resolved: &Resolved,
        image: &Result<Image, Unreadable>,
    ) -> (Part, Onward) {
        let of_the_kernel = self.script.take();
        match image {
            Ok(image) if matches!(image.contents, Contents::Script) => {
                self.script(call, resolved, of_the_kernel.as_ref())
            }
            Ok(image) if matches!(image.contents, Contents::Other) => {
                // `execve` says ENOEXEC, of the script whose interpreter this is, if it is one.
                let file = of_the_kernel.unwrap_or_else(|| call.clone());
                by_sh(&file)
            }
            _ => {
                self.interpreters = 0;
                self.program(call, resolved, image)
            }
        }
    }

    fn script(
        &mut self,
        call: &Call,
        resolved: &Resolved,
        of_the_kernel: Option<&Call>,
    ) -> (Part, Onward) {
        let system = self.surroundings.host.system;
        if let Some(script) = of_the_kernel {
            // An interpreter that is a script itself: macOS gives up at once (ENOEXEC; xnu,
            // `exec_shell_imgact`), Linux at the fifth (ELOOP; `fs/exec.c`, `exec_binprm`).
            if system == System::MacOs {
                return by_sh(script);
            }
            self.interpreters += 1;
            if self.interpreters == MOST_INTERPRETERS {
                return (
                    Part::Script,
                    Onward::End(End::Broken {
                        rule: "interpreter-loop",
                        because: format!(
                            "{MOST_INTERPRETERS} scripts in a row are named as interpreters: the \
                             kernel does not execute it"
                        ),
                        file: resolved.path.clone(),
                    }),
                );
            }
        } else {
            self.interpreters = 0;
        }
        let head = match self
            .surroundings
            .files
            .head(&resolved.path, shebang::LOOKED_AT)
        {
            Ok(head) => head,
            Err(error) => {
                return (
                    Part::Script,
                    Onward::End(End::Broken {
                        rule: "unreadable",
                        because: format!("cannot read it: {error}"),
                        file: resolved.path.clone(),
                    }),
                );
            }
        };
        let Some(interpreter) = shebang::parse(&head, system) else {
            return by_sh(call);
        };
        self.note_starter(call);
        let mut argv = vec![interpreter.path.clone()];
        argv.extend(interpreter.arguments);
        argv.push(call.program.clone().into());
        argv.extend(call.argv.iter().skip(1).cloned());
        let because = format!("`{}` names it in its first line", call.program.display());
        let next = call.onward(interpreter.path, argv, because);
        self.script = Some(call.clone());
        (Part::Script, Onward::Next(next))
    }

    fn program(
        &mut self,
        call: &Call,
        resolved: &Resolved,
        image: &Result<Image, Unreadable>,
    ) -> (Part, Onward) {
        let (host, files) = (&self.surroundings.host, &self.surroundings.files);
        // By the name that it was called by, as programs under many names are, else by its own.
        for name in [name(&call.program), name(&resolved.path)] {
            if matches!(name, "env" | "genv") {
                return self.env(call);
            }
            if let Some(arch) = wrappers::arch(name, &call.argv, host.system) {
                let at = arch.command_at;
                let (part, onward) = self.wrapped(call, "arch", at);
                return match onward {
                    Onward::Next(mut next) => {
                        next.preference = arch.processor;
                        next.variables.extend(arch.set);
                        (part, Onward::Next(next))
                    }
                    end @ Onward::End(_) => (part, end),
                };
            }
            if let Some(wrapper) = wrappers::named(name) {
                return match wrapper.command_at(&call.argv) {
                    Some(at) => self.wrapped(call, wrapper.name(), at),
                    None => PROGRAM,
                };
            }
            if shell::is_shell(name) {
                return self.shell(call);
            }
            self.note_starter(call);
        }
        if host.system == System::MacOs
            && let Some(wanted) = developer::wanted(call, resolved, image)
        {
            return self.developer_tool(call, &wanted);
        }
        if python::is_python(name(&call.program))
            && let Some(inner) = python::framework_program(call, resolved, files, host.system)
        {
            let because =
                "a framework build of Python executes the program in its `Python.app`".to_owned();
            let next = call.onward(inner, call.argv.clone(), because);
            return (Part::Chooser, Onward::Next(next));
        }
        match self.starter.take() {
            Some(end) => (Part::Starter, Onward::End(end)),
            None => PROGRAM,
        }
    }

    /// Remembers that what is called starts others, by its name.
    fn note_starter(&mut self, call: &Call) {
        let name = name(&call.program);
        if self.starter.is_none()
            && let Some(what) = wrappers::starts_others(name)
        {
            self.starter = Some(End::Unseen(format!(
                "`{name}` {what}: which programs those are cannot be seen from here"
            )));
        }
    }

    fn env(&self, call: &Call) -> (Part, Onward) {
        let arguments = call.argv.get(1..).unwrap_or_default();
        let env = match env::parse(arguments, &call.variables) {
            Ok(env) => env,
            Err(why) => {
                let end = End::Unseen(format!("the arguments of `env` are not understood: {why}"));
                return (Part::Starter, Onward::End(end));
            }
        };
        let Env {
            changes,
            folder,
            search,
            arg0,
            does_more,
            command,
        } = env;
        let mut next = call.clone();
        changes.apply(&mut next.variables);
        let only_that = !does_more && folder.is_none();
        let part = Part::Env { changes, only_that };
        let Some(typed) = command.first().cloned() else {
            return PROGRAM;
        };
        if let Some(folder) = folder {
            next.folder = next.folder.join(folder);
        }
        let list = search.or_else(|| next.variables.get(OsStr::new("PATH")).cloned());
        let onward = match self.find(&typed, list.as_deref(), &next.folder) {
            Ok(program) => {
                let because = format!("`env` looks for `{}`", typed.display());
                let mut argv = command;
                argv[0] = arg0.unwrap_or(typed);
                Onward::Next(next.onward(program, argv, because))
            }
            Err(end) => Onward::End(end),
        };
        (part, onward)
    }

    fn wrapped(&self, call: &Call, wrapper: &'static str, at: usize) -> (Part, Onward) {
        let argv = call.argv[at..].to_vec();
        let list = call.variables.get(OsStr::new("PATH"));
        let found = self.find(&argv[0], list.map(OsString::as_os_str), &call.folder);
        let onward = match found {
            Ok(program) => {
                let because = format!("`{wrapper}` executes `{}`", argv[0].display());
                Onward::Next(call.onward(program, argv, because))
            }
            Err(end) => Onward::End(end),
        };
        (Part::Wrapper(wrapper), onward)
    }

    fn find(&self, typed: &OsStr, list: Option<&OsStr>, folder: &Path) -> Result<PathBuf, End> {
        let Surroundings { host, files, .. } = self.surroundings;
        path::search(typed, list, files, folder, host.system).ok_or_else(|| End::Broken {
            rule: "not-found",
            because: format!("there is no program `{}` to be found", typed.display()),
            file: PathBuf::from(typed),
        })
    }

    fn shell(&self, call: &Call) -> (Part, Onward) {
        let unseen = |what: &str| {
            let end = End::Unseen(format!(
                "{what} is run by `{}`: what that starts cannot be seen from here",
                name(&call.program)
            ));
            (Part::Starter, Onward::End(end))
        };
        let at = match shell::task(&call.argv) {
            Task::Command => return unseen("a command"),
            Task::Input => return unseen("what comes on its input"),
            Task::Script(at) => at,
        };
        let Surroundings { host, files, .. } = self.surroundings;
        let script = call.folder.join(&call.argv[at]);
        // A script that cannot be read is unseen, too.
        let head = files.head(&script, HEAD).unwrap_or_default();
        if let Some(interpreter) = shell::executed_by_head(&head) {
            let mut argv = vec![interpreter.clone().into_os_string()];
            argv.extend(call.argv[at..].iter().cloned());
            let because = format!("`{}` only executes it", script.display());
            let next = call.onward(interpreter, argv, because);
            return (Part::Chooser, Onward::Next(next));
        }
        match versions::chosen(&script, call, files, host.system) {
            None => unseen(&format!("the script `{}`", script.display())),
            Some(Err(why)) => (Part::Starter, Onward::End(End::Unseen(why))),
            Some(Ok(chosen)) => {
                let mut argv = vec![script.file_name().unwrap_or_default().to_owned()];
                argv.extend(call.argv[at + 1..].iter().cloned());
                let next = call.onward(chosen.program, argv, chosen.because);
                (Part::Chooser, Onward::Next(next))
            }
        }
    }

    fn developer_tool(&self, call: &Call, wanted: &developer::Wanted) -> (Part, Onward) {
        let tool = wanted.tool.display();
        let found = developer::find(&wanted.tool, call, &self.surroundings.files);
        let Some(program) = found else {
            let end = End::Unseen(format!(
                "it stands in for `{tool}` of Xcode or the Command Line Tools, where there is none"
            ));
            return (Part::Starter, Onward::End(end));
        };
        let because = format!("it stands in for Xcode's or the Command Line Tools' `{tool}`");
        let next = call.onward(program, wanted.argv.clone(), because);
        (Part::Chooser, Onward::Next(next))
    }
}

/// `execvp`, `env`, shells and we ourselves have `/bin/sh` run what the kernel does not know
/// (POSIX, exec).
fn by_sh(file: &Call) -> (Part, Onward) {
    if file.program == Path::new(SHELL) {
        // It is said what it is by the rule `no-program`.
        return (Part::Program, Onward::End(End::Program));
    }
    let mut argv: Vec<OsString> = vec![SHELL.into(), file.program.clone().into()];
    argv.extend(file.argv.iter().skip(1).cloned());
    let because = format!(
        "the kernel cannot execute `{}`, and a shell runs such files as scripts",
        file.program.display()
    );
    (
        Part::Script,
        Onward::Next(file.onward(SHELL, argv, because)),
    )
}

/// The last step.
const PROGRAM: (Part, Onward) = (Part::Program, Onward::End(End::Program));

/// As much of a shell's script as is looked at: a path has up to 4096 bytes (Linux's PATH_MAX).
const HEAD: u64 = 5000;

const SHELL: &str = "/bin/sh";

/// The fifth interpreter must be a program (Linux, `fs/exec.c`, `exec_binprm`).
const MOST_INTERPRETERS: u32 = 5;

//! What would help, on this machine: sentences and commands.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::chain::path::every;
use super::chain::{Part, python};
use super::inspection::{FixLibrary, Inspection, inspect};
use super::rules::System;
use super::surroundings::Surroundings;
use super::verdict::Remedy;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// What, as a sentence without an end.
    pub text: String,
    /// How, as lines for a shell; none where the sentence says it all.
    pub commands: Vec<String>,
}

/// What to do about a verdict that is not *arrives*, the best first.
pub fn advice(
    inspection: &Inspection,
    command: &[OsString],
    library: &FixLibrary,
    surroundings: &Surroundings,
) -> Vec<Advice> {
    let verdict = &inspection.verdict;
    if verdict.arrives() {
        return Vec::new();
    }
    let advisor = Advisor {
        inspection,
        command,
        library,
        surroundings,
    };
    let mut all: Vec<Advice> = advisor.later_step().into_iter().collect();
    for remedy in &verdict.remedies {
        all.extend(advisor.of(remedy));
    }
    all
}

struct Advisor<'a> {
    inspection: &'a Inspection,
    command: &'a [OsString],
    library: &'a FixLibrary,
    surroundings: &'a Surroundings,
}

impl Advisor<'_> {
    /// The first later step from which on nothing keeps the library out: named directly, or with the
    /// wrapper before `agxrun`.
    fn later_step(&self) -> Option<Advice> {
        let steps = &self.inspection.steps;
        let first = self
            .inspection
            .direct
            .as_ref()
            .map_or(0, |direct| direct.step);
        let arrives = |at: &usize| self.inspection.from(*at, self.surroundings).1.arrives();
        let Some(later) = (first + 1..steps.len()).find(arrives) else {
            let last = &steps.last()?.step;
            return (last.part == Part::Starter).then(|| Advice {
                text: format!(
                    "put `agxrun --` before the program itself, within what `{}` starts",
                    last.call.program.display()
                ),
                commands: vec![],
            });
        };
        let call = &steps[later].step.call;
        let mut target = vec![call.program.clone().into_os_string()];
        target.extend(call.argv.iter().skip(1).cloned());
        let only_wrapper = match steps.get(first..later)? {
            [wrapper] => match wrapper.step.part {
                // It is there for the slice, which is the command's own business.
                Part::Wrapper("arch") => None,
                Part::Wrapper(name) => Some((name, wrapper)),
                _ => None,
            },
            _ => None,
        };
        if let Some((name, wrapper)) = only_wrapper {
            let argv = &wrapper.step.call.argv;
            let own = argv.len().checked_sub(call.argv.len())?;
            let before = shell_words(&argv[..own]);
            return Some(Advice {
                text: format!("put `{name}` in front of agxrun, where it takes nothing away"),
                commands: vec![format!("{before} agxrun -- {}", shell_words(&call.argv))],
            });
        }
        Some(Advice {
            text: format!("name `{}` itself", call.program.display()),
            commands: vec![format!("agxrun -- {}", shell_words(&target))],
        })
    }

    fn of(&self, remedy: &Remedy) -> Vec<Advice> {
        let file = &self.inspection.verdict.file;
        let one = |text: String, commands: Vec<String>| vec![Advice { text, commands }];
        match remedy {
            Remedy::AnotherBuild => self.another_build(),
            Remedy::SignCopy => one(
                "sign a copy ad hoc, with the two entitlements that let the library in".to_owned(),
                sign_copy(file),
            ),
            Remedy::RunSlice(processor) => {
                let thin = suffixed(file, &processor.to_string());
                one(
                    format!("take its slice for {processor} out, and run that"),
                    vec![format!(
                        "lipo {} -thin {processor} -output {}",
                        shell_word(file.as_os_str()),
                        shell_word(thin.as_os_str())
                    )],
                )
            }
            Remedy::BuildLibrary(processor) => one(
                format!("name a library for {processor} with --dylib"),
                vec![],
            ),
            Remedy::SignLibrary => one(
                "sign the library ad hoc".to_owned(),
                vec![format!(
                    "codesign --force --sign - {}",
                    shell_word(self.library.path.as_os_str())
                )],
            ),
            Remedy::RunWithout => one(
                "run it without the library, knowing that".to_owned(),
                vec![format!(
                    "agxrun --allow-uninjected -- {}",
                    shell_words(self.command)
                )],
            ),
        }
    }

    /// Other files of the same name, or other Pythons, that let the library in.
    fn another_build(&self) -> Vec<Advice> {
        let file = &self.inspection.verdict.file;
        let step = self
            .inspection
            .steps
            .iter()
            .find(|judged| judged.step.file == *file);
        let called = step.map_or(file.as_path(), |judged| judged.step.call.program.as_path());
        let Some(name) = called.file_name() else {
            return Vec::new();
        };
        let is_python = name.to_str().is_some_and(python::is_python);
        let candidates = if is_python {
            self.pythons()
        } else {
            self.in_path(name)
        };
        let arguments = step.map_or(&[][..], |judged| {
            judged.step.call.argv.get(1..).unwrap_or_default()
        });
        let fitting: Vec<PathBuf> = candidates
            .into_iter()
            .filter(|candidate| candidate != called && self.lets_in(candidate))
            .take(MOST_OFFERED)
            .collect();
        if fitting.is_empty() {
            let text = if is_python {
                "use a Python that lets it in: Homebrew's, python.org's, conda's or uv's".to_owned()
            } else if self.surroundings.host.system == System::MacOs {
                format!(
                    "use a build of `{}` outside the system's folders, such as Homebrew's",
                    name.display()
                )
            } else {
                format!(
                    "use a dynamic build of `{}` for this machine",
                    name.display()
                )
            };
            return vec![Advice {
                text,
                commands: vec![],
            }];
        }
        fitting
            .into_iter()
            .map(|candidate| {
                let mut words = vec![candidate.clone().into_os_string()];
                words.extend(arguments.iter().cloned());
                Advice {
                    text: format!("use `{}`, which lets it in", candidate.display()),
                    commands: vec![format!("agxrun -- {}", shell_words(&words))],
                }
            })
            .collect()
    }

    fn lets_in(&self, candidate: &Path) -> bool {
        // Alone: a shell's own command cannot be seen into, whichever shell it is.
        let command = [candidate.as_os_str().to_owned()];
        let inspection = inspect(&command, Some(candidate), self.library, self.surroundings);
        inspection.direct.is_none()
            && inspection.steps.iter().all(|judged| {
                judged
                    .verdict
                    .as_ref()
                    .is_none_or(super::verdict::Verdict::arrives)
            })
            && !inspection.steps.is_empty()
    }

    fn in_path(&self, name: &OsStr) -> Vec<PathBuf> {
        let usual =
            ["/opt/homebrew/bin", "/usr/local/bin"].map(|folder| Path::new(folder).join(name));
        let list = self.surroundings.variables.get(OsStr::new("PATH"));
        let by_path = list.into_iter().flat_map(|list| every(name, list));
        self.executable(by_path.chain(usual))
    }

    /// The places where Pythons are put that take the variable (Homebrew, python.org, pyenv, conda and
    /// its relatives, uv).
    fn pythons(&self) -> Vec<PathBuf> {
        let Surroundings {
            files, variables, ..
        } = self.surroundings;
        let python = OsStr::new("python3");
        let list = variables.get(OsStr::new("PATH"));
        let by_path = list.into_iter().flat_map(|list| every(python, list));
        let fixed = [
            "/opt/homebrew/bin/python3",
            "/usr/local/bin/python3",
            "/Library/Frameworks/Python.framework/Versions/Current/bin/python3",
            "/opt/homebrew/Caskroom/miniforge/base/bin/python3",
            "/opt/miniconda3/bin/python3",
        ]
        .map(PathBuf::from);
        let home = variables.get(OsStr::new("HOME")).map(PathBuf::from);
        let under_home = home.into_iter().flat_map(|home| {
            let plain = ["miniforge3", "miniconda3", "anaconda3"]
                .map(|folder| home.join(folder).join("bin/python3"));
            let versions = [".pyenv/versions", ".local/share/uv/python"]
                .map(|folder| home.join(folder))
                .into_iter()
                .flat_map(|folder| {
                    let names = files.names(&folder).into_iter().rev();
                    names.map(move |name| folder.join(name).join("bin/python3"))
                });
            plain.into_iter().chain(versions).collect::<Vec<_>>()
        });
        self.executable(by_path.chain(fixed).chain(under_home))
    }

    /// Those that exist, each once, by the file that they lead to.
    fn executable(&self, candidates: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
        let Surroundings { files, folder, .. } = self.surroundings;
        let mut known = Vec::new();
        let mut found = Vec::new();
        for candidate in candidates {
            if !files.is_executable(&candidate, folder) {
                continue;
            }
            if let Ok(resolved) = files.resolve(&candidate, folder)
                && !known.contains(&resolved.path)
            {
                known.push(resolved.path);
                found.push(candidate);
            }
        }
        found
    }
}

/// More would not be read.
const MOST_OFFERED: usize = 3;

/// An ad-hoc signature has no hardened runtime unless it is asked for; the entitlements keep the copy
/// usable where somebody signs it again with one (codesign(1), PlistBuddy(8)).
fn sign_copy(file: &Path) -> Vec<String> {
    let copy = suffixed(file, "agxrun");
    let entitlements = suffixed(file, "entitlements");
    let (original, copy, entitlements) = (
        shell_word(file.as_os_str()),
        shell_word(copy.as_os_str()),
        shell_word(entitlements.as_os_str()),
    );
    let add = |name| {
        format!(
            "/usr/libexec/PlistBuddy -c 'Add :com.apple.security.cs.{name} bool true' {entitlements}"
        )
    };
    vec![
        format!("cp {original} {copy}"),
        add("allow-dyld-environment-variables"),
        add("disable-library-validation"),
        format!("codesign --force --sign - --entitlements {entitlements} {copy}"),
    ]
}

/// A file beside `file`: a copy must lie there, since programs find their libraries from their own
/// place.
fn suffixed(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

/// A command line that a shell takes apart again.
pub fn shell_words(words: &[OsString]) -> String {
    let words: Vec<String> = words.iter().map(|word| shell_word(word)).collect();
    words.join(" ")
}

/// One word, quoted where a shell would otherwise see more in it. What is no text is replaced.
fn shell_word(word: &OsStr) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+=:,@%".contains(byte);
    let bytes = word.as_bytes();
    let text = word.to_string_lossy();
    if !bytes.is_empty() && bytes.iter().all(plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        let words: Vec<OsString> = ["python3", "-c", "print('a b')", "", "x=1"]
            .map(OsString::from)
            .into();
        assert_eq!(
            shell_words(&words),
            r"python3 -c 'print('\''a b'\'')' '' x=1"
        );
    }

    #[test]
    fn a_signed_copy_lies_beside_its_original() {
        let commands = sign_copy(Path::new("/Applications/My App/bin/node"));
        assert_eq!(commands.len(), 4);
        assert!(commands[0].starts_with("cp '/Applications/My App/bin/node' "));
        assert!(commands[3].ends_with("'/Applications/My App/bin/node.agxrun'"));
    }
}

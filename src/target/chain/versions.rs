//! pyenv and asdf: scripts under a program's name which choose a version and execute its program.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::{Call, Files, path};
use crate::target::rules::System;

/// What a shim executes in the end.
#[derive(Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The program.
    pub program: PathBuf,
    /// Who chose it, as a phrase.
    pub because: String,
}

/// What the shim `script` stands for: `None` where it is no shim, `Err` where the choice is not
/// simple enough to be made from files.
pub fn chosen(
    script: &Path,
    call: &Call,
    files: &Files,
    system: System,
) -> Option<Result<Chosen, String>> {
    let shims = script.parent()?;
    if shims.file_name()? != "shims" {
        return None;
    }
    let text = String::from_utf8_lossy(&files.head(script, 4096).ok()?).into_owned();
    let shim = Shim {
        name: script.file_name()?,
        root: shims.parent()?,
        shims,
        call,
        files,
        system,
    };
    if text.contains("pyenv") && text.contains("exec \"$program\"") {
        Some(shim.by_pyenv())
    } else if text.contains("asdf exec") || text.contains("asdf\" exec") {
        Some(shim.by_asdf(&text))
    } else {
        None
    }
}

struct Shim<'a> {
    name: &'a OsStr,
    root: &'a Path,
    shims: &'a Path,
    call: &'a Call,
    files: &'a Files,
    system: System,
}

impl Shim<'_> {
    /// `PYENV_VERSION`, else the next `.python-version` from the working directory upwards, else
    /// the file `version` (pyenv, "Understanding Python version selection"). Of several versions the
    /// first that has the program is taken.
    fn by_pyenv(&self) -> Result<Chosen, String> {
        let (versions, source) = self
            .variable("PYENV_VERSION")
            .map(|value| (value.replace(':', "\n"), "PYENV_VERSION".to_owned()))
            .or_else(|| self.upwards(".python-version"))
            .or_else(|| self.text(&self.root.join("version")))
            .unwrap_or_else(|| ("system".to_owned(), "no version is chosen".to_owned()));
        let all = self.root.join("versions");
        for version in versions
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let because = format!("pyenv's shim chooses {version} ({source})");
            if version == "system" {
                if let Some(program) = self.outside() {
                    return Ok(Chosen { program, because });
                }
                continue;
            }
            let folder = self.best(&all, version);
            let program = folder.join("bin").join(self.name);
            if self.files.is_executable(&program, Path::new("/")) {
                return Ok(Chosen { program, because });
            }
        }
        Err(format!(
            "pyenv's shim finds no `{}` in the versions that are chosen ({source})",
            self.name.display()
        ))
    }

    /// The folder of a version, or of the highest that begins with it: `3.12` stands for `3.12.4`
    /// (pyenv 2.3.4).
    fn best(&self, all: &Path, version: &str) -> PathBuf {
        let exact = all.join(version);
        if self.files.is_folder(&exact) {
            return exact;
        }
        let prefix = format!("{version}.");
        let numbers = |name: &str| -> Option<Vec<u32>> {
            name.split('.').map(|part| part.parse().ok()).collect()
        };
        self.files
            .names(all)
            .into_iter()
            .filter_map(|name| name.into_string().ok())
            .filter(|name| name.starts_with(&prefix))
            .filter_map(|name| Some((numbers(&name)?, name)))
            .max()
            .map_or(exact, |(_, name)| all.join(name))
    }

    /// `ASDF_<PLUGIN>_VERSION`, else the next `.tool-versions` from the working directory upwards
    /// that names the plugin, else the one in the home (asdf, "Versions"). The shim names its
    /// plugin, once for each version that has the program.
    fn by_asdf(&self, text: &str) -> Result<Chosen, String> {
        let plugin = text
            .lines()
            .find_map(|line| line.strip_prefix("# asdf-plugin: "))
            .and_then(|rest| rest.split_whitespace().next())
            .ok_or("asdf's shim names no plugin")?;
        let variable = format!("ASDF_{}_VERSION", plugin.to_uppercase().replace('-', "_"));
        let home = self
            .variable("HOME")
            .map(|home| PathBuf::from(home).join(".tool-versions"));
        let (versions, source) = self
            .variable(&variable)
            .map(|value| (value, variable.clone()))
            .or_else(|| {
                let mut files = self
                    .folders_upwards()
                    .map(|folder| folder.join(".tool-versions"))
                    .chain(home);
                files.find_map(|file| {
                    let (text, source) = self.text(&file)?;
                    Some((tool_versions(&text, plugin)?, source))
                })
            })
            .ok_or_else(|| format!("asdf's shim finds no version of {plugin} that is chosen"))?;
        for version in versions.split_whitespace() {
            let because = format!("asdf's shim chooses {plugin} {version} ({source})");
            let program = if version == "system" {
                self.outside()
            } else {
                let folder = self.root.join("installs").join(plugin).join(version);
                let program = folder.join("bin").join(self.name);
                Some(program).filter(|it| self.files.is_executable(it, Path::new("/")))
            };
            if let Some(program) = program {
                return Ok(Chosen { program, because });
            }
        }
        Err(format!(
            "asdf's shim finds no `{}` in the versions that are chosen ({source})",
            self.name.display()
        ))
    }

    /// The program of this name in `PATH`, shims apart.
    fn outside(&self) -> Option<PathBuf> {
        let list = self.call.variables.get(OsStr::new("PATH"))?;
        let folders = std::env::split_paths(list).filter(|folder| folder != self.shims);
        let list = std::env::join_paths(folders).ok()?;
        path::search(
            self.name,
            Some(&list),
            self.files,
            &self.call.folder,
            self.system,
        )
    }

    fn variable(&self, name: &str) -> Option<String> {
        let value: &OsString = self.call.variables.get(OsStr::new(name))?;
        value
            .to_str()
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    }

    fn folders_upwards(&self) -> impl Iterator<Item = &Path> {
        self.call.folder.ancestors()
    }

    fn upwards(&self, name: &str) -> Option<(String, String)> {
        self.folders_upwards()
            .find_map(|folder| self.text(&folder.join(name)))
    }

    /// A short file's text, and its path as the source of what it says.
    fn text(&self, file: &Path) -> Option<(String, String)> {
        // A file that cannot be read chooses nothing, for the tools as for us.
        let bytes = self.files.head(file, 16 * 1024).ok()?;
        Some((
            String::from_utf8_lossy(&bytes).into_owned(),
            format!("`{}`", file.display()),
        ))
    }
}

/// The versions of `plugin` in a file of lines such as `python 3.12.1 system # comment`.
fn tool_versions(text: &str, plugin: &str) -> Option<String> {
    text.lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .find_map(|line| {
            let rest = line.trim().strip_prefix(plugin)?;
            rest.starts_with(char::is_whitespace)
                .then(|| rest.trim().to_owned())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_tool_versions() {
        let text = "# mine\nnodejs 20.1.0\npython 3.12.1 3.11.4 # both\npython-x 1\n";
        assert_eq!(
            tool_versions(text, "python").as_deref(),
            Some("3.12.1 3.11.4")
        );
        assert_eq!(tool_versions(text, "ruby"), None);
        assert_eq!(tool_versions("python-x 1", "python"), None);
    }
}

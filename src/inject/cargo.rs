//! Finding cargo, calling it, and what its complaints mean for someone who did not call it.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The platform triple that `agxrun` was built for, and so the library's.
pub const TARGET: &str = env!("AGXRUN_TARGET");

/// What cargo is asked to build.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The workspace's folder.
    pub tree: &'a Path,
    /// The package in it.
    pub package: &'a str,
    /// Where cargo may write.
    pub target_dir: &'a Path,
}

impl Request<'_> {
    /// Where the products are afterwards.
    pub fn products(&self) -> PathBuf {
        self.target_dir.join(TARGET).join("release")
    }
}

/// Why cargo built nothing.
#[derive(Debug)]
pub enum Failure {
    /// It could not be started, or not be listened to.
    Io(io::Error),
    /// It refused, in these words.
    Refused(String),
}

/// The cargo to call: the one that runs us, else the first on the path, else rustup's place, which a service's or a
/// desktop's path often lacks.
pub fn find(env: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| env(name).filter(|value| !value.is_empty());
    if let Some(named) = set("CARGO") {
        return Some(named.into());
    }
    let home = set("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| set("HOME").map(|home| Path::new(&home).join(".cargo")));
    let on_path =
        set("PATH").and_then(|path| which::which_in_global("cargo", Some(path)).ok()?.next());
    on_path.or_else(|| {
        home.map(|home| home.join("bin/cargo"))
            .filter(|path| path.is_file())
    })
}

/// Builds the package in release form. `status` is told each thing that cargo says it does, such as `Compiling libc v0.2.180`.
pub fn build(
    cargo: &Path,
    request: Request<'_>,
    stdin: Stdio,
    status: &mut dyn FnMut(&str),
) -> Result<(), Failure> {
    let mut child = Command::new(cargo)
        .current_dir(request.tree)
        .args(["build", "--release", "--locked", "--color", "never"])
        .args(["--target", TARGET, "--package", request.package])
        .arg("--target-dir")
        .arg(request.target_dir)
        // What is being launched must not decide how its own tool is compiled.
        .env_remove(super::platform::INSERT_VARIABLE)
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .stdin(stdin)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(Failure::Io)?;
    let stderr = child.stderr.take().expect("stderr is a pipe");
    let mut said = String::new();
    let heard = BufReader::new(stderr).split(b'\n').try_for_each(|line| {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        if let Some(doing) = doing(&line) {
            status(doing);
        }
        said.push_str(&line);
        said.push('\n');
        Ok(())
    });
    let ended = child.wait().and_then(|ended| heard.map(|()| ended));
    match ended {
        Ok(ended) if ended.success() => Ok(()),
        Ok(_) => Err(Failure::Refused(said)),
        Err(error) => Err(Failure::Io(error)),
    }
}

/// What a line of cargo's says is being done; none for warnings and errors. A path after a package's version is left out:
/// it is our own scratch folder's.
fn doing(line: &str) -> Option<&str> {
    const DOINGS: [&str; 5] = [
        "Blocking",
        "Compiling",
        "Downloaded",
        "Downloading",
        "Updating",
    ];
    let line = line.trim();
    let verb = line.split(' ').next()?;
    DOINGS
        .contains(&verb)
        .then(|| line.split(" (/").next().unwrap_or(line))
}

/// What to do about cargo's complaint, where it is one of those that a machine's set-up causes.
pub fn hint(said: &str) -> &'static str {
    const HINTS: [(&[&str], &str); 4] = [
        (
            &["rustup could not choose"],
            "`rustup default stable` sets up a toolchain",
        ),
        (
            &[
                "failed to download",
                "failed to get",
                "network error",
                "--offline",
            ],
            "the crates it needs are fetched once, from index.crates.io and static.crates.io: allow that, or take \
             a wheel or release archive of agxrun, which have the library in them",
        ),
        (
            &["linker `", "xcrun: error", "xcode-select"],
            "a C compiler links it: on macOS `xcode-select --install`, on Debian `apt-get install gcc libc6-dev`",
        ),
        (
            &[
                "is not supported by the following package",
                "requires rustc",
            ],
            "`rustup update` gets a newer compiler",
        ),
    ];
    HINTS
        .iter()
        .find(|(signs, _)| signs.iter().any(|sign| said.contains(sign)))
        .map_or("name another library with --dylib", |(_, hint)| hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_cargo_does_is_told_without_our_own_folders() {
        let line = "   Compiling agx-fix v0.1.0 (/home/ada/.cache/agxrun/0.1.0-0/x)";
        assert_eq!(doing(line), Some("Compiling agx-fix v0.1.0"));
        let line = "    Blocking waiting for file lock on package cache";
        assert_eq!(doing(line), Some(line.trim()));
        assert_eq!(doing("warning: unused variable"), None);
        assert_eq!(doing("  Compilingly"), None);
        assert_eq!(doing(""), None);
    }

    #[test]
    fn complaints_about_the_machine_get_their_remedy() {
        for (said, remedy) in [
            (
                "error: failed to download `libc v0.2.180`",
                "static.crates.io",
            ),
            ("error: linker `cc` not found", "xcode-select --install"),
            (
                "error: rustc 1.85.0 is not supported by the following package:",
                "rustup update",
            ),
            (
                "error: rustup could not choose a version of cargo to run",
                "rustup default stable",
            ),
            ("error[E0308]: mismatched types", "--dylib"),
        ] {
            assert!(hint(said).contains(remedy), "{said}: {}", hint(said));
        }
    }

    #[test]
    fn cargo_is_found_by_name_then_on_the_path_then_where_rustup_puts_it() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let at = |place: &str| {
            let path = root.path().join(place);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(&path, "#!/bin/sh\n").expect("written");
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("permissions");
            path
        };
        let in_path = at("path/cargo");
        let in_cargo_home = at("cargo-home/bin/cargo");
        let in_home = at("home/.cargo/bin/cargo");
        let folder = |name: &str| Some(root.path().join(name).into_os_string());
        let mut env = std::collections::HashMap::from([
            ("CARGO", Some(OsString::from("/opt/cargo"))),
            ("PATH", folder("path")),
            ("CARGO_HOME", folder("cargo-home")),
            ("HOME", folder("home")),
        ]);
        for (expected, next) in [
            (PathBuf::from("/opt/cargo"), "CARGO"),
            (in_path, "PATH"),
            (in_cargo_home, "CARGO_HOME"),
            (in_home, "HOME"),
        ] {
            let found = find(|name| env.get(name).cloned().flatten());
            assert_eq!(found, Some(expected));
            // An empty value is as good as none.
            env.insert(next, Some(OsString::new()));
        }
        assert_eq!(find(|name| env.get(name).cloned().flatten()), None);
    }
}

//! This program again, with the library preloaded.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, io};

/// What the program is to do; all it measures when this is not set.
pub const ROLE: &str = "AGX_BENCH_ROLE";
/// A number that goes with the role.
pub const COUNT: &str = "AGX_BENCH_COUNT";

/// A way to run the library.
pub struct Setting {
    pub name: &'static str,
    variables: &'static [(&'static str, &'static str)],
}

pub const V3: Setting = Setting {
    name: "v3",
    variables: &[],
};
pub const V3_SILENT: Setting = Setting {
    name: "v3, no events",
    variables: &[("AGX_FIX_EVENTS", "0")],
};
pub const V3_BUFFER: Setting = Setting {
    name: "v3, scope buffer",
    variables: &[("AGX_FIX_LOCK_SCOPE", "buffer")],
};
pub const V2_9: Setting = Setting {
    name: "v2.9",
    variables: &[("AGX_FIX_VERSION", "v2.9")],
};

/// The library, which cargo puts beside the bench programs.
pub fn path() -> io::Result<PathBuf> {
    Ok(env::current_exe()?.with_file_name("libagx_fix.so"))
}

/// A command with the library preloaded.
pub fn preloaded(program: impl AsRef<Path>, ledgers: &Path) -> io::Result<Command> {
    let mut command = Command::new(program.as_ref());
    command
        .env("AGX_FIX_LEDGER_DIR", ledgers)
        .env("LD_PRELOAD", path()?);
    Ok(command)
}

/// The numbers that this program prints in a role.
pub fn figures(setting: &Setting, role: &str, count: u64, ledgers: &Path) -> io::Result<Vec<f64>> {
    let output = preloaded(env::current_exe()?, ledgers)?
        .envs(setting.variables.iter().copied())
        .env(ROLE, role)
        .env(COUNT, count.to_string())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let figures: Result<Vec<f64>, _> = text.split_whitespace().map(str::parse).collect();
    match figures {
        Ok(figures) if output.status.success() && !figures.is_empty() => Ok(figures),
        _ => Err(io::Error::other(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )),
    }
}

/// What goes with the role.
pub fn count() -> io::Result<u64> {
    env::var(COUNT)
        .ok()
        .and_then(|count| count.parse().ok())
        .ok_or_else(|| io::Error::other(format!("{COUNT} is not a number")))
}

/// Median and fastest.
pub fn summary(mut rounds: Vec<f64>) -> (f64, f64) {
    rounds.sort_by(f64::total_cmp);
    (rounds[rounds.len() / 2], rounds[0])
}

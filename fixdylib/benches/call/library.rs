//! This program again, with the library preloaded.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::{env, io};

#[path = "../../tests/built/mod.rs"]
pub mod built;

/// What the program is to do; all it measures when this is not set.
pub const ROLE: &str = "AGX_BENCH_ROLE";
/// A number that goes with the role.
pub const COUNT: &str = "AGX_BENCH_COUNT";

/// A way to run the library.
pub struct Setting {
    pub name: &'static str,
    pub variables: &'static [(&'static str, &'static str)],
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
pub const V3_CENSUS: Setting = Setting {
    name: "v3, census",
    variables: &[("AGX_FIX_CENSUS", "1")],
};
pub const V2_9: Setting = Setting {
    name: "v2.9",
    variables: &[("AGX_FIX_VERSION", "v2.9")],
};

/// A command with the library preloaded.
pub fn preloaded(program: impl AsRef<Path>, ledgers: &Path) -> Command {
    let mut command = Command::new(program.as_ref());
    command
        .env("AGX_FIX_LEDGER_DIR", ledgers)
        .env("LD_PRELOAD", built::library());
    command
}

/// The numbers that this program prints in a role.
pub fn figures(setting: &Setting, role: &str, count: u64, ledgers: &Path) -> io::Result<Vec<f64>> {
    let output = preloaded(env::current_exe()?, ledgers)
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

/// This program in a role, which prints a line of numbers for each line that it reads.
pub struct Worker {
    child: Child,
    /// Taken when it is to end.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    pub fn start(setting: &Setting, role: &str, count: u64, ledgers: &Path) -> io::Result<Self> {
        let mut child = preloaded(env::current_exe()?, ledgers)
            .envs(setting.variables.iter().copied())
            .env(ROLE, role)
            .env(COUNT, count.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(orders), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("a pipe is missing"));
        };
        let (orders, answers) = (Some(orders), BufReader::new(answers));
        Ok(Self {
            child,
            orders,
            answers,
        })
    }

    /// Asks for a line.
    pub fn ask(&mut self) -> io::Result<Vec<f64>> {
        let Some(orders) = &mut self.orders else {
            return Err(io::Error::other("the measured process was told to end"));
        };
        writeln!(orders)?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let figures: Result<Vec<f64>, _> = line.split_whitespace().map(str::parse).collect();
        figures
            .ok()
            .filter(|it| !it.is_empty())
            .ok_or_else(|| io::Error::other("the measured process printed no numbers"))
    }

    /// Has it end, which it must do without a failure.
    pub fn end(mut self) -> io::Result<()> {
        self.orders = None;
        let status = self.child.wait()?;
        if status.success() {
            return Ok(());
        }
        Err(io::Error::other(format!("the measured process: {status}")))
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

//! The scenarios, as the workload lists them.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

/// A published failure that the workload can play.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Scenario {
    /// Its name, as `--scenario` takes it.
    pub name: String,
    /// What happens in it.
    pub models: String,
    /// Published policies that fail in it, as their author says.
    pub breaks: Vec<String>,
    /// Whether only a throttle helps.
    pub needs_throttle: bool,
}

/// Asks the workload.
pub fn list(workload: &Path) -> Result<Vec<Scenario>> {
    let asked = || format!("cannot list the scenarios of `{}`", workload.display());
    let output = Command::new(workload)
        .args(["--list-scenarios", "--json"])
        .stdin(Stdio::null())
        .output()
        .with_context(asked)?;
    if !output.status.success() {
        bail!(
            "{}: {} (hint: is it of this version? `cargo build --workspace`)",
            asked(),
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    serde_json::from_slice(&output.stdout).with_context(asked)
}

/// Those with the names that were asked for, in the order of the list; all where none is.
pub fn choose(all: Vec<Scenario>, names: &[String]) -> Result<Vec<Scenario>> {
    if let Some(unknown) = names
        .iter()
        .find(|name| !all.iter().any(|scenario| scenario.name == **name))
    {
        let known: Vec<_> = all.iter().map(|scenario| scenario.name.as_str()).collect();
        bail!(
            "there is no scenario `{unknown}` (hint: use some of {})",
            known.join(", ")
        );
    }
    Ok(all
        .into_iter()
        .filter(|scenario| names.is_empty() || names.contains(&scenario.name))
        .collect())
}

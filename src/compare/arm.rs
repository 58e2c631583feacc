//! What is compared: a fix, its settings, the target's environment, or another command.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use agx_policy::default_policy;

/// What an arm injects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fix {
    /// Nothing.
    None,
    /// A policy of the fix library, by its name.
    Policy(&'static str),
    /// A library of the user's.
    Library(PathBuf),
}

/// One arm of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arm {
    /// What people call it; each arm has its own.
    pub name: String,
    /// What it injects.
    pub fix: Fix,
    /// At most so many command buffers in flight.
    pub throttle: Option<u16>,
    /// What shares one lock: `global`, `queue` or `buffer`.
    pub lock_scope: Option<String>,
    /// Variables set for the target.
    pub env: BTreeMap<OsString, OsString>,
    /// Its own command; `None` is the common one.
    pub command: Option<Vec<OsString>>,
}

/// Why there is no such comparison.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArmError {
    /// No policy of that name.
    #[error(
        "arm `{arm}`: there is no fix `{fix}` (hint: `none`, a policy as `agxrun fix list` names them, or label=fix:NAME,throttle:N,lock-scope:SCOPE,env:K=V)"
    )]
    UnknownFix {
        /// The arm.
        arm: String,
        /// What was asked for.
        fix: String,
    },
    /// A setting that nobody knows, or with a value that it does not take.
    #[error(
        "arm `{arm}`: `{item}` {reason} (hint: the settings are fix:NAME, library:PATH, throttle:N, lock-scope:global|queue|buffer, env:K=V)"
    )]
    Setting {
        /// The arm.
        arm: String,
        /// The setting.
        item: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// A setting that the arm's fix does not have.
    #[error("arm `{arm}`: {setting} is for policy {default}, and this arm has {fix} (hint: leave one of the two out)", default = default_policy().name)]
    NotWithFix {
        /// The arm.
        arm: String,
        /// The setting.
        setting: &'static str,
        /// What it injects.
        fix: String,
    },
    /// Two arms have one name.
    #[error("two arms are named `{0}` (hint: name one of them otherwise: label=fix:NAME)")]
    SameName(String),
    /// Two arms are the same.
    #[error(
        "the arms `{0}` and `{1}` are the same: a difference between them would be chance (hint: leave one out, or change its settings)"
    )]
    Same(String, String),
    /// Nothing to compare with.
    #[error("a comparison needs two arms, and there is {0} (hint: `--arm none --arm v3`)")]
    TooFew(usize),
    /// An arm without a name or a command.
    #[error("`--arm-cmd {0}`: expected label='COMMAND ARGS...'")]
    Command(String),
    /// No command at all.
    #[error(
        "arm `{0}` has no command (hint: put the target after `--`, or give every arm its own with --arm-cmd)"
    )]
    NoCommand(String),
}

/// Names of the settings, each before its value and a `:`.
const SETTINGS: [&str; 5] = ["fix", "library", "throttle", "lock-scope", "env"];

impl Arm {
    /// `none`, a policy's name, or `label=fix:v3,throttle:2,lock-scope:queue,env:K=V`. Without a fix it is the default
    /// policy. A comma ends a setting only where another one follows, so that a variable's value may hold some.
    ///
    /// # Errors
    /// [`ArmError`], naming the arm and what is wrong with it.
    pub fn parse(text: &OsStr) -> Result<Self, ArmError> {
        let shown = text.to_string_lossy().into_owned();
        let bytes = text.as_bytes();
        let (name, settings) = match labelled(bytes) {
            Some((label, settings)) => (String::from_utf8_lossy(label).into_owned(), settings),
            None => (shown.clone(), bytes),
        };
        let mut arm = Self {
            name,
            fix: Fix::Policy(default_policy().name),
            throttle: None,
            lock_scope: None,
            env: BTreeMap::new(),
            command: None,
        };
        if arm.name.trim().is_empty() {
            return Err(arm.setting(settings, "has no name before it"));
        }
        for item in items(settings) {
            arm.set(item)?;
        }
        arm.is_possible()?;
        Ok(arm)
    }

    /// `label='COMMAND ARGS...'`, split as a shell splits words; nothing is expanded. It injects the default policy.
    ///
    /// # Errors
    /// [`ArmError::Command`].
    pub fn parse_command(text: &str) -> Result<(String, Vec<OsString>), ArmError> {
        let wrong = || ArmError::Command(text.to_owned());
        let (label, line) = text.split_once('=').ok_or_else(wrong)?;
        let words = shell_words::split(line).map_err(|_| wrong())?;
        if label.trim().is_empty() || words.is_empty() {
            return Err(wrong());
        }
        let words = words.into_iter().map(OsString::from).collect();
        Ok((label.to_owned(), words))
    }

    fn set(&mut self, item: &[u8]) -> Result<(), ArmError> {
        let text = String::from_utf8_lossy(item);
        let Some((name, value)) = text
            .split_once(':')
            .filter(|(name, _)| SETTINGS.contains(name))
        else {
            self.fix = self.fix_named(&text)?;
            return Ok(());
        };
        let bytes = &item[name.len() + 1..];
        match name {
            "fix" => self.fix = self.fix_named(value)?,
            "library" if !bytes.is_empty() => {
                self.fix = Fix::Library(Path::new(OsStr::from_bytes(bytes)).to_path_buf());
            }
            "library" => return Err(self.setting(item, "names no file")),
            "throttle" => {
                let limit = value.parse();
                self.throttle =
                    Some(limit.map_err(|_| self.setting(item, "is no whole number up to 65535"))?);
            }
            "lock-scope" => {
                if !["global", "queue", "buffer"].contains(&value) {
                    return Err(self.setting(item, "is none of global, queue and buffer"));
                }
                self.lock_scope = Some(value.to_owned());
            }
            _ => {
                let at = bytes
                    .iter()
                    .position(|byte| *byte == b'=')
                    .filter(|at| *at > 0);
                let at = at.ok_or_else(|| self.setting(item, "is no NAME=VALUE"))?;
                let word = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
                self.env.insert(word(&bytes[..at]), word(&bytes[at + 1..]));
            }
        }
        Ok(())
    }

    fn fix_named(&self, name: &str) -> Result<Fix, ArmError> {
        if name == "none" {
            return Ok(Fix::None);
        }
        match agx_policy::find(name) {
            Ok(policy) => Ok(Fix::Policy(policy.name)),
            Err(agx_policy::Refusal(fix)) => Err(ArmError::UnknownFix {
                arm: self.name.clone(),
                fix,
            }),
        }
    }

    fn setting(&self, item: &[u8], reason: &'static str) -> ArmError {
        ArmError::Setting {
            arm: self.name.clone(),
            item: String::from_utf8_lossy(item).into_owned(),
            reason,
        }
    }

    /// The same rule as that of a single run, told before the first one.
    fn is_possible(&self) -> Result<(), ArmError> {
        let throttled = self.throttle.is_some_and(|limit| limit > 0);
        let scoped = self
            .lock_scope
            .as_deref()
            .is_some_and(|scope| scope != "global");
        let (fix, setting) = match &self.fix {
            Fix::Policy(name) if *name == default_policy().name => return Ok(()),
            Fix::Policy(name) if throttled => (*name, "throttle"),
            Fix::Policy(name) if scoped => (*name, "lock-scope"),
            Fix::None if self.throttle.is_some() => ("no fix", "throttle"),
            Fix::None if self.lock_scope.is_some() => ("no fix", "lock-scope"),
            // What a library of the user's has is its own.
            Fix::Library(_) | Fix::Policy(_) | Fix::None => return Ok(()),
        };
        Err(ArmError::NotWithFix {
            arm: self.name.clone(),
            setting,
            fix: fix.to_owned(),
        })
    }

    /// Its options for `agxrun run`.
    pub fn options(&self) -> Vec<OsString> {
        let mut options: Vec<OsString> = Vec::new();
        let mut add =
            |option: &str, value: &OsStr| options.extend([option.into(), value.to_owned()]);
        match &self.fix {
            Fix::None => {}
            Fix::Policy(name) => add("--fix", name.as_ref()),
            Fix::Library(path) => add("--dylib", path.as_os_str()),
        }
        if let Some(limit) = self.throttle {
            add("--throttle", limit.to_string().as_ref());
        }
        if let Some(scope) = &self.lock_scope {
            add("--lock-scope", scope.as_ref());
        }
        for (name, value) in &self.env {
            let mut pair = name.clone();
            pair.push("=");
            pair.push(value);
            add("--env", &pair);
        }
        if self.fix == Fix::None {
            options.push("--no-fix".into());
        }
        options
    }

    fn is_like(&self, other: &Self) -> bool {
        Self {
            name: String::new(),
            ..self.clone()
        } == Self {
            name: String::new(),
            ..other.clone()
        }
    }
}

/// The arms of a comparison: those of `--arm`, and the commands of `--arm-cmd`, each of which belongs to the arm of its
/// label, or is an arm of its own with the default policy.
///
/// # Errors
/// [`ArmError`]: too few arms, two of one name, two that are the same, or one without a command.
pub fn arms(
    specified: Vec<Arm>,
    commands: Vec<(String, Vec<OsString>)>,
    has_common_command: bool,
) -> Result<Vec<Arm>, ArmError> {
    let mut arms = specified;
    for (at, arm) in arms.iter().enumerate() {
        if arms[..at].iter().any(|other| other.name == arm.name) {
            return Err(ArmError::SameName(arm.name.clone()));
        }
    }
    for (label, command) in commands {
        match arms.iter_mut().find(|arm| arm.name == label) {
            Some(arm) if arm.command.is_some() => return Err(ArmError::SameName(label)),
            Some(arm) => arm.command = Some(command),
            None => arms.push(Arm {
                name: label,
                fix: Fix::Policy(default_policy().name),
                throttle: None,
                lock_scope: None,
                env: BTreeMap::new(),
                command: Some(command),
            }),
        }
    }
    if arms.len() < 2 {
        return Err(ArmError::TooFew(arms.len()));
    }
    for (at, arm) in arms.iter().enumerate() {
        if arm.command.is_none() && !has_common_command {
            return Err(ArmError::NoCommand(arm.name.clone()));
        }
        if let Some(same) = arms[..at].iter().find(|other| other.is_like(arm)) {
            return Err(ArmError::Same(same.name.clone(), arm.name.clone()));
        }
    }
    Ok(arms)
}

/// The place of the control: the first arm that injects nothing, else the first.
pub fn control(arms: &[Arm]) -> usize {
    let bare = arms.iter().position(|arm| arm.fix == Fix::None);
    bare.unwrap_or(0)
}

/// The label and what it names, where there is a label: what stands before a `=` that is not a variable's.
fn labelled(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == b'=')?;
    let label = &bytes[..at];
    (!label.contains(&b':')).then(|| (label, &bytes[at + 1..]))
}

/// The settings: separated by commas, of which only those separate that another setting follows.
fn items(settings: &[u8]) -> Vec<&[u8]> {
    let mut items = Vec::new();
    let mut rest = settings;
    while let Some(at) =
        (0..rest.len()).find(|&at| rest[at] == b',' && begins_setting(&rest[at + 1..]))
    {
        items.push(&rest[..at]);
        rest = &rest[at + 1..];
    }
    items.push(rest);
    items
}

fn begins_setting(bytes: &[u8]) -> bool {
    SETTINGS.iter().any(|name| {
        let after = bytes.strip_prefix(name.as_bytes());
        after.is_some_and(|after| after.first() == Some(&b':'))
    })
}

#[cfg(test)]
#[path = "arm_tests.rs"]
mod tests;

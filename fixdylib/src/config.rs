//! The environment variables by which users steer the library.

use std::ffi::CString;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use agx_policy::{Policy, Refusal};

/// What was asked for.
#[derive(Debug)]
pub struct Config {
    /// `AGX_FIX_DISABLE`: install nothing.
    pub disabled: bool,
    /// `AGX_FIX_VERBOSE`: tell on stderr what is done.
    pub verbose: bool,
    /// `AGX_FIX_VERSION`: the policy, or the name that could not be used.
    pub policy: Result<&'static Policy, Refusal>,
    /// `AGX_FIX_LEDGER_DIR`: absolute folder for the ledger; `None` for no ledger.
    pub ledger_dir: Option<CString>,
    /// What could not be read, each a line to be told once.
    pub complaints: Vec<String>,
}

impl Config {
    /// Reads the variables through `get`.
    pub fn read<'a>(get: impl Fn(&str) -> Option<&'a OsStr>) -> Self {
        let mut complaints = Vec::new();
        let mut switch = |name: &str| match get(name).map(read_switch) {
            None => false,
            Some(Some(on)) => on,
            Some(None) => {
                complaints.push(format!(
                    "{name} cannot be read as on or off; it stays off (use 1 or 0)"
                ));
                false
            }
        };
        let disabled = switch("AGX_FIX_DISABLE");
        let verbose = switch("AGX_FIX_VERBOSE");
        let policy = match get("AGX_FIX_VERSION").filter(|name| !name.is_empty()) {
            None => Ok(agx_policy::default_policy()),
            Some(name) => agx_policy::find(&name.to_string_lossy()),
        };
        let ledger_dir = get("AGX_FIX_LEDGER_DIR").filter(|dir| !dir.is_empty()).and_then(|dir| {
            if !dir.as_bytes().starts_with(b"/") {
                complaints.push("AGX_FIX_LEDGER_DIR is not absolute; no ledger is written (give a full path)".into());
                return None;
            }
            CString::new(dir.as_bytes()).ok() // an environment variable holds no NUL
        });
        Self {
            disabled,
            verbose,
            policy,
            ledger_dir,
            complaints,
        }
    }
}

/// `0`, `false`, `off`, `no` and nothing are off; `1`, `true`, `on` and `yes` are on; the rest cannot be read.
pub fn read_switch(value: &OsStr) -> Option<bool> {
    let value = value.to_str()?.trim().to_ascii_lowercase();
    match value.as_str() {
        "" | "0" | "false" | "off" | "no" => Some(false),
        "1" | "true" | "on" | "yes" => Some(true),
        other => other.parse::<i64>().ok().map(|number| number != 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: &'static str) -> Config {
        Config::read(move |asked| (asked == name).then(|| OsStr::new(value)))
    }

    #[test]
    fn a_switch_goes_by_its_value() {
        for off in ["", "0", "false", "OFF", "no", " 0 "] {
            assert!(!with("AGX_FIX_DISABLE", off).disabled, "{off:?}");
        }
        for on in ["1", "true", "On", "yes", "2"] {
            assert!(with("AGX_FIX_DISABLE", on).disabled, "{on:?}");
        }
    }

    #[test]
    fn an_unreadable_value_keeps_the_default_and_is_told() {
        let config = with("AGX_FIX_DISABLE", "maybe");
        assert!(!config.disabled);
        assert_eq!(config.complaints.len(), 1);
        let config = with("AGX_FIX_LEDGER_DIR", "relative");
        assert!(config.ledger_dir.is_none());
        assert_eq!(config.complaints.len(), 1);
    }

    #[test]
    fn the_policy_is_v3_unless_asked() {
        assert_eq!(with("X", "").policy.unwrap().name, "v3");
        assert_eq!(with("AGX_FIX_VERSION", "v3").policy.unwrap().name, "v3");
        assert_eq!(with("AGX_FIX_VERSION", "v2.9").policy.unwrap().name, "v2.9");
        assert!(with("AGX_FIX_VERSION", "fast").policy.is_err());
    }
}

//! The environment variables by which users steer the library.

use std::ffi::CString;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use agx_policy::{Policy, Refusal};

use crate::lock::watch::Limits;
use crate::say::Printable;

/// Which calls share a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Scope {
    /// All of the process.
    Global,
    /// Those of one command queue.
    Queue,
    /// Those of one command buffer.
    Buffer,
}

/// What was asked for.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // independent switches, as the variables are
pub struct Config {
    /// `AGX_FIX_DISABLE`: install nothing.
    pub disabled: bool,
    /// `AGX_FIX_VERBOSE`: tell on stderr what is done.
    pub verbose: bool,
    /// `AGX_FIX_VERSION`, else the library's file name, else the default: the policy, or the name that could not be used.
    pub policy: Result<&'static Policy, Refusal>,
    /// `AGX_FIX_LOCK_SCOPE`.
    pub scope: Scope,
    /// `AGX_FIX_EVENT_WAIT_MS`: the longest wait for another thread's encoder.
    pub event_wait_ms: u64,
    /// `AGX_FIX_MAX_INFLIGHT`: command buffers in flight at most; 0 for no bound.
    pub max_in_flight: u32,
    /// `AGX_FIX_THROTTLE_WAIT_MS`: the longest wait of a commit for that. The default is longer than a command buffer may run
    /// on the GPU in most programs, and shorter than people wait before they take a program for dead.
    pub throttle_wait_ms: u64,
    /// `AGX_FIX_DEADLOCK_DETECT` with its four variables; `None` if it is off.
    pub long_waits: Option<Limits>,
    /// `AGX_FIX_EVENTS`: keep the last calls of each thread in the ledger.
    pub events: bool,
    /// `AGX_FIX_CENSUS`: tally calls, and look at every hook at the exit.
    pub census: bool,
    /// `AGX_FIX_LEDGER_DIR`: absolute folder for the ledger; `None` for no ledger.
    pub ledger_dir: Option<CString>,
    /// What could not be read, each a line to be told once.
    pub complaints: Vec<String>,
}

impl Config {
    /// Reads the variables through `get`. `file_name` is the library's own.
    pub fn read<'a>(get: impl Fn(&str) -> Option<&'a OsStr>, file_name: Option<&str>) -> Self {
        let mut complaints = Vec::new();
        let mut switch = |name: &str, default: bool| match get(name).map(read_switch) {
            None => default,
            Some(Some(on)) => on,
            Some(None) => {
                complaints.push(format!(
                    "{name} cannot be read as on or off; it stays {} (use 1 or 0)",
                    if default { "on" } else { "off" }
                ));
                default
            }
        };
        let disabled = switch("AGX_FIX_DISABLE", false);
        let verbose = switch("AGX_FIX_VERBOSE", false);
        let events = switch("AGX_FIX_EVENTS", true);
        let census = switch("AGX_FIX_CENSUS", false);
        let detect = switch("AGX_FIX_DEADLOCK_DETECT", false);
        let abort = switch("AGX_FIX_LOCK_ABORT_ON_TIMEOUT", false);
        let mut number = |name: &str, default: u64| {
            let Some(value) = get(name).filter(|value| !value.is_empty()) else {
                return default;
            };
            let read = value.to_str().and_then(|text| text.trim().parse().ok());
            read.unwrap_or_else(|| {
                complaints.push(format!(
                    "{name} cannot be read as a whole number; it stays {default}"
                ));
                default
            })
        };
        let defaults = Limits::DEFAULT;
        let long_waits = Limits {
            warn_ms: number("AGX_FIX_LOCK_WARN_MS", defaults.warn_ms),
            interval_ms: number("AGX_FIX_LOCK_LOG_INTERVAL_MS", defaults.interval_ms),
            timeout_ms: number("AGX_FIX_LOCK_TIMEOUT_MS", defaults.timeout_ms),
            abort,
        };
        let event_wait_ms = number("AGX_FIX_EVENT_WAIT_MS", 10_000);
        let throttle_wait_ms = number("AGX_FIX_THROTTLE_WAIT_MS", 2_000);
        let max_in_flight = number("AGX_FIX_MAX_INFLIGHT", 0);
        let scope = match get("AGX_FIX_LOCK_SCOPE").map(|value| value.to_str().map(str::trim)) {
            None | Some(Some("" | "global")) => Scope::Global,
            Some(Some("queue")) => Scope::Queue,
            Some(Some("buffer")) => Scope::Buffer,
            Some(_) => {
                complaints.push(
                    "AGX_FIX_LOCK_SCOPE cannot be read; it stays global (use global, queue or buffer)"
                        .into(),
                );
                Scope::Global
            }
        };
        let policy = match get("AGX_FIX_VERSION").filter(|name| !name.is_empty()) {
            None => Ok(file_name
                .and_then(agx_policy::from_file_name)
                .unwrap_or_else(agx_policy::default_policy)),
            Some(name) => agx_policy::find(&shown(name)),
        };
        let ledger_dir = get("AGX_FIX_LEDGER_DIR").filter(|dir| !dir.is_empty()).and_then(|dir| {
            if !dir.as_bytes().starts_with(b"/") {
                complaints.push("AGX_FIX_LEDGER_DIR is not absolute; no ledger is written (give a full path)".into());
                return None;
            }
            CString::new(dir.as_bytes()).ok() // an environment variable holds no NUL
        });
        if census && ledger_dir.is_none() {
            complaints.push(
                "AGX_FIX_CENSUS is on and there is no ledger to write to; no census is taken (set AGX_FIX_LEDGER_DIR)"
                    .into(),
            );
        }
        Self {
            disabled,
            verbose,
            policy,
            scope,
            event_wait_ms,
            max_in_flight: u32::try_from(max_in_flight).unwrap_or(u32::MAX), // more than there can be
            throttle_wait_ms,
            long_waits: detect.then_some(long_waits),
            events,
            census: census && ledger_dir.is_some(),
            ledger_dir,
            complaints,
        }
    }
}

/// A value as it can be told and kept: no policy's name is as long, or needs an escape.
fn shown(value: &OsStr) -> String {
    let text = &value.to_string_lossy();
    Printable { text, most: 40 }.to_string()
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
        Config::read(
            move |asked| (asked == name).then(|| OsStr::new(value)),
            Some("libagx_fix.so"),
        )
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
    fn a_census_needs_a_ledger_to_write_to() {
        let both = |census: &'static str, folder: &'static str| {
            let get = move |asked: &str| match asked {
                "AGX_FIX_CENSUS" => Some(OsStr::new(census)),
                "AGX_FIX_LEDGER_DIR" => Some(OsStr::new(folder)),
                _ => None,
            };
            let config = Config::read(get, None);
            (config.census, config.complaints.len())
        };
        assert_eq!(both("1", "/tmp"), (true, 0));
        assert_eq!(both("on", ""), (false, 1));
        for off in ["", "0", "false", "off", "no"] {
            assert_eq!(both(off, "/tmp"), (false, 0), "{off:?}");
        }
        assert_eq!(both("often", "/tmp"), (false, 1));
    }

    #[test]
    fn the_policy_is_v3_unless_asked() {
        assert_eq!(with("X", "").policy.unwrap().name, "v3");
        assert_eq!(with("AGX_FIX_VERSION", "v3").policy.unwrap().name, "v3");
        assert_eq!(with("AGX_FIX_VERSION", "v2.9").policy.unwrap().name, "v2.9");
        assert!(with("AGX_FIX_VERSION", "fast").policy.is_err());
    }

    #[test]
    fn a_policy_that_nobody_knows_is_named_so_that_it_can_be_printed() {
        let refused = |value| with("AGX_FIX_VERSION", value).policy.unwrap_err().0;
        assert_eq!(refused("v9\u{1b}[2J\n"), r"v9\u{1b}[2J\n");
        let long: &'static str = "x".repeat(5_000).leak();
        assert_eq!(refused(long), "x".repeat(40) + "…");
    }

    #[test]
    fn the_file_s_name_chooses_the_policy_unless_asked() {
        let named = |version: Option<&'static str>| {
            Config::read(
                move |asked| (asked == "AGX_FIX_VERSION").then_some(OsStr::new(version?)),
                Some("libagx_fix_v2_8.so"),
            )
        };
        assert_eq!(named(None).policy.unwrap().name, "v2.8");
        assert_eq!(named(Some("")).policy.unwrap().name, "v2.8");
        assert_eq!(named(Some("v1")).policy.unwrap().name, "v1");
    }

    #[test]
    fn numbers_and_scopes_keep_their_defaults_where_unreadable() {
        assert_eq!(with("X", "").event_wait_ms, 10_000);
        assert_eq!(with("AGX_FIX_EVENT_WAIT_MS", " 250 ").event_wait_ms, 250);
        let config = with("AGX_FIX_EVENT_WAIT_MS", "soon");
        assert_eq!((config.event_wait_ms, config.complaints.len()), (10_000, 1));
        assert_eq!(with("AGX_FIX_MAX_INFLIGHT", "-1").complaints.len(), 1);
        assert_eq!(with("AGX_FIX_MAX_INFLIGHT", "2").max_in_flight, 2);
        assert_eq!(with("AGX_FIX_LOCK_SCOPE", "buffer").scope, Scope::Buffer);
        let config = with("AGX_FIX_LOCK_SCOPE", "thread");
        assert_eq!((config.scope, config.complaints.len()), (Scope::Global, 1));
        assert_eq!(
            with("AGX_FIX_DEADLOCK_DETECT", "1").long_waits,
            Some(Limits::DEFAULT)
        );
        assert_eq!(with("AGX_FIX_LOCK_WARN_MS", "1").long_waits, None);
        assert!(with("X", "").events && !with("AGX_FIX_EVENTS", "0").events);
    }
}

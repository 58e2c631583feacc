//! The target's environment: a pure function of ours, the user's `--env` and what is injected.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::platform::{INSERT_COPIES, INSERT_VARIABLE, SEPARATORS, is_loaders};

/// Where the fix library writes its ledgers.
pub const LEDGER_DIR: &str = "AGX_FIX_LEDGER_DIR";
/// Which policy the fix library follows.
pub const FIX_VERSION: &str = "AGX_FIX_VERSION";
/// At most so many command buffers in flight.
pub const MAX_INFLIGHT: &str = "AGX_FIX_MAX_INFLIGHT";
/// What shares one lock of the fix library.
pub const LOCK_SCOPE: &str = "AGX_FIX_LOCK_SCOPE";
/// Has the fix library take a census.
pub const CENSUS: &str = "AGX_FIX_CENSUS";
/// The published tools set it to 1; only a patched PyTorch reads it.
pub const FORCE_GRAPH_PATH: &str = "MPS_FORCE_GRAPH_PATH";
/// Linux: the folder into which the report writer writes.
pub const REHEARSAL_REPORTS_DIR: &str = "AGX_REHEARSAL_REPORTS_DIR";
/// Linux: the report writer's program.
pub const REHEARSAL_REPORTER: &str = "AGX_REHEARSAL_REPORTER";

/// Before a copy of each of the loader's variables. The loader takes its own away on the way into a
/// protected program; the copy tells its children that they are below such a one, and a script that
/// knows what it starts can set the variable again.
pub const COPY_PREFIX: &str = "AGXRUN_";

/// What a run adds to the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Injection {
    /// Libraries to insert, ours only, in order.
    pub libraries: Vec<PathBuf>,
    /// Variables that a value of the user's own overrides.
    pub defaults: Vec<(&'static str, OsString)>,
    /// Variables that this run decides.
    pub fixed: Vec<(&'static str, OsString)>,
}

impl Injection {
    /// Sets up the fix library; what is `None` stays as the environment has it.
    pub fn tune(&mut self, throttle: Option<u16>, lock_scope: Option<&'static str>, census: bool) {
        let throttle = throttle.map(|limit| (MAX_INFLIGHT, limit.to_string().into()));
        let scope = lock_scope.map(|scope| (LOCK_SCOPE, scope.into()));
        let census = census.then(|| (CENSUS, "1".into()));
        self.fixed
            .extend(throttle.into_iter().chain(scope).chain(census));
    }
}

/// Whether the insertion variable cannot carry `path`, because it holds a separator.
pub fn needs_alias(path: &Path) -> bool {
    path.as_os_str()
        .as_bytes()
        .iter()
        .any(|byte| SEPARATORS.contains(byte))
}

/// The whole environment of the target, sorted by name.
///
/// In order of strength: this run's fixed variables, `--env`, the inherited environment, this
/// run's defaults. Libraries that were inserted already stay, behind ours and never twice.
pub fn compose(
    inherited: impl IntoIterator<Item = (OsString, OsString)>,
    user: &[(OsString, OsString)],
    injection: &Injection,
) -> Vec<(OsString, OsString)> {
    let mut all: BTreeMap<OsString, OsString> = injection
        .defaults
        .iter()
        .map(|(name, value)| (name.into(), value.clone()))
        .collect();
    all.extend(inherited);
    all.extend(user.iter().cloned());
    all.extend(
        injection
            .fixed
            .iter()
            .map(|(name, value)| (name.into(), value.clone())),
    );
    if !injection.libraries.is_empty() {
        for name in std::iter::once(&INSERT_VARIABLE).chain(INSERT_COPIES) {
            let theirs = all
                .get(OsStr::new(name))
                .map_or(OsStr::new(""), OsString::as_os_str);
            let list = insert(&injection.libraries, theirs);
            all.insert(name.into(), list);
        }
        let copies: Vec<(OsString, OsString)> = all
            .iter()
            .filter(|(name, _)| name.to_str().is_some_and(is_loaders))
            .map(|(name, value)| {
                let mut copy = OsString::from(COPY_PREFIX);
                copy.push(name);
                (copy, value.clone())
            })
            .collect();
        all.extend(copies);
    }
    all.into_iter().collect()
}

/// Ours, then theirs, each once.
fn insert(ours: &[PathBuf], theirs: &OsStr) -> OsString {
    let mut entries: Vec<&[u8]> = ours
        .iter()
        .map(|path| path.as_os_str().as_bytes())
        .collect();
    for entry in theirs.as_bytes().split(|byte| SEPARATORS.contains(byte)) {
        if !entry.is_empty() && !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    OsString::from_vec(entries.join(&b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
        list.iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect()
    }

    fn value<'a>(all: &'a [(OsString, OsString)], name: &str) -> Option<&'a str> {
        all.iter()
            .find(|(n, _)| n == name)
            .and_then(|(_, v)| v.to_str())
    }

    fn injecting(path: &str) -> Injection {
        Injection {
            libraries: vec![path.into()],
            ..Injection::default()
        }
    }

    #[test]
    fn ours_comes_before_an_inserted_library_and_never_twice() {
        let all = compose(
            pairs(&[(INSERT_VARIABLE, "/theirs.so:/ours.so:/other.so")]),
            &[],
            &injecting("/ours.so"),
        );
        assert_eq!(
            value(&all, INSERT_VARIABLE),
            Some("/ours.so:/theirs.so:/other.so")
        );
    }

    #[test]
    fn the_loaders_variable_has_a_copy_that_no_loader_takes_away() {
        let all = compose(pairs(&[("A", "1")]), &[], &injecting("/ours.so"));
        let copy = format!("{COPY_PREFIX}{INSERT_VARIABLE}");
        assert_eq!(value(&all, &copy), Some("/ours.so"));
    }

    #[test]
    fn without_an_injection_the_environment_is_passed_on_unchanged() {
        let inherited = pairs(&[("A", "1"), (INSERT_VARIABLE, "/theirs.so")]);
        assert_eq!(
            compose(inherited.clone(), &[], &Injection::default()),
            inherited
        );
    }

    #[test]
    fn a_users_value_beats_a_default_but_not_what_the_run_decides() {
        let injection = Injection {
            libraries: vec![],
            defaults: vec![(FORCE_GRAPH_PATH, "1".into())],
            fixed: vec![(LEDGER_DIR, "/run/ledgers".into())],
        };
        let all = compose(pairs(&[(FORCE_GRAPH_PATH, "0")]), &[], &injection);
        assert_eq!(value(&all, FORCE_GRAPH_PATH), Some("0"));
        let all = compose(
            [],
            &pairs(&[(FORCE_GRAPH_PATH, "0"), (LEDGER_DIR, "/x")]),
            &injection,
        );
        assert_eq!(value(&all, FORCE_GRAPH_PATH), Some("0"));
        assert_eq!(value(&all, LEDGER_DIR), Some("/run/ledgers"));
        assert_eq!(
            value(&compose([], &[], &injection), FORCE_GRAPH_PATH),
            Some("1")
        );
    }

    #[test]
    fn an_inserted_library_given_by_env_is_kept_behind_ours() {
        let all = compose(
            [],
            &pairs(&[(INSERT_VARIABLE, "/theirs.so")]),
            &injecting("/ours.so"),
        );
        assert_eq!(value(&all, INSERT_VARIABLE), Some("/ours.so:/theirs.so"));
    }

    #[test]
    fn names_and_values_that_are_no_text_survive() {
        let odd = OsString::from_vec(vec![b'x', 0xff, 0xfe]);
        let all = compose([(odd.clone(), odd.clone())], &[], &Injection::default());
        assert_eq!(all, vec![(odd.clone(), odd)]);
    }

    #[test]
    fn a_separator_in_the_path_needs_an_alias() {
        assert!(needs_alias(Path::new("/with:colon/lib.so")));
        assert_eq!(
            needs_alias(Path::new("/with space/lib.so")),
            SEPARATORS.contains(&b' ')
        );
        assert!(!needs_alias(Path::new("/plain/lib.so")));
    }
}

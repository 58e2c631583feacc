//! The policies, each a row of data over the one engine.
//!
//! The published versions behave here as their author describes them, faults included, so that they can be compared and
//! their failures reproduced. What is said of a failure is the author's word, not ours.

use std::fmt;

use crate::published;

/// The lock around calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockKind {
    /// One plain mutex: a nested call on the same thread waits for itself.
    Plain,
    /// One re-entrant mutex of the system.
    Recursive,
    /// This library's own: re-entrant, of the scope that was asked for.
    Scoped,
}

/// When an encoder is retained. Given back when it ends, unless `Policy::gives_back` says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retain {
    /// Never.
    Never,
    /// At its first hooked call.
    FirstCall,
    /// When a factory hands it out.
    Creation,
    /// When a factory hands it out, and once for each call that is inside it; the last one out gives back.
    CreationAndCall,
}

/// A work call on an encoder that no factory was seen to hand out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untracked {
    /// Tracked on the spot, not retained.
    Register,
    /// Passed on.
    Run,
    /// Tracked, and retained inside the method.
    RetainInside,
    /// Counted, and passed on.
    CountAndRun,
    /// Not made.
    Drop,
    /// Tracked, retained and counted under the lock, and passed on.
    Adopt,
}

/// What happens around `destroyImpl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destroy {
    /// The original runs under the lock.
    Locked,
    /// The encoder counts as destroyed, so that later calls on it are not made; the original runs under the lock.
    MarkLocked,
    /// The retain is given back; the original runs under the lock.
    ReleaseLocked,
    /// The retain is given back under the lock; the original runs outside of it.
    ReleaseUnlocked,
    /// Nothing is given back; the original runs outside of the lock.
    Unlocked,
    /// The original is never called.
    Blocked,
    /// The end of an encoder like any other: under the lock, the retain given back by the last call out.
    End,
}

/// How a factory is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factories {
    /// Not hooked.
    Alone,
    /// Unlocked; what it hands out is tracked afterwards, under the lock.
    TrackAfter,
    /// Under the lock, with what it hands out.
    Locked,
}

/// What happens around a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// Not hooked.
    Alone,
    /// Open encoders are ended under the lock, then the original runs unlocked.
    EndThenUnlocked,
    /// As above, with the original under the lock too; the retains of the ended ones are leaked.
    EndLeakingLocked,
    /// Open encoders are ended and given back, and the original runs, all under the lock.
    EndLocked,
}

/// What happens around `encodeSignalEvent:` and `encodeWaitForEvent:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Events {
    /// Not hooked.
    Alone,
    /// Waits at most so many milliseconds for open encoders, then goes on.
    WaitAtMost(u32),
    /// Waits for open encoders, whoever has them open, with no limit; gives only one level of the lock back meanwhile.
    WaitForEver,
    /// The caller's own open encoder is ended; for another thread's it waits within a limit, which is told.
    EndOwnWaitForOthers,
}

/// Which methods are hooked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hooks {
    /// The published list in this column of [`published::ROWS`].
    Published(usize),
    /// All work methods, by the rules and by what can be forwarded.
    Discovered,
}

/// How a hook finds its original.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Originals {
    /// By class and selector.
    ByClass,
    /// Work methods by their selector alone: the first class that was hooked has it for all.
    BySelector,
}

/// One version's behaviour.
#[allow(clippy::struct_excessive_bools)] // each is a column of the published table
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Name by which it is asked for, `v` included.
    pub name: &'static str,
    /// Name of the library's file under which it was published, without its extension. The first version's was
    /// `libagx_fix`, which is this library's own.
    pub stem: &'static str,
    /// What its author says of it.
    pub status: &'static str,
    /// How it fails, as its author says; empty where no failure is known.
    pub known_failure: &'static str,
    /// The lock.
    pub lock: LockKind,
    /// Whether work methods run inside the lock; otherwise only the tracking does.
    pub methods_locked: bool,
    /// When encoders are retained.
    pub retain: Retain,
    /// Whether retains are ever given back.
    pub gives_back: bool,
    /// Work calls on encoders that are not tracked.
    pub untracked: Untracked,
    /// Whether a work call on an encoder that ended is left unmade.
    pub drops_ended: bool,
    /// Whether a work call is left unmade where `_impl` is NULL.
    pub checks_impl: bool,
    /// `destroyImpl`.
    pub destroy: Destroy,
    /// Factories.
    pub factories: Factories,
    /// Commits.
    pub commit: Commit,
    /// Events.
    pub events: Events,
    /// Which methods.
    pub hooks: Hooks,
    /// Originals.
    pub originals: Originals,
}

/// The first, on which the others are built.
const V1: Policy = Policy {
    name: "v1",
    stem: "libagx_fix_v1",
    status: "superseded",
    known_failure: "use after free at objc_msgSend; deadlocks on a nested call",
    lock: LockKind::Plain,
    methods_locked: true,
    retain: Retain::Never,
    gives_back: true,
    untracked: Untracked::Register,
    drops_ended: false,
    checks_impl: false,
    destroy: Destroy::Locked,
    factories: Factories::Alone,
    commit: Commit::Alone,
    events: Events::Alone,
    hooks: Hooks::Published(0),
    originals: Originals::ByClass,
};

const V2: Policy = Policy {
    name: "v2",
    stem: "libagx_fix_v2",
    known_failure: "an encoder can die before its first hooked call; work is skipped silently",
    lock: LockKind::Recursive,
    retain: Retain::FirstCall,
    destroy: Destroy::MarkLocked,
    hooks: Hooks::Published(1),
    ..V1
};

const V2_2: Policy = Policy {
    name: "v2.2",
    stem: "libagx_fix_v2_2",
    status: "buggy",
    known_failure: "methods run unlocked: crashes at 8 threads",
    methods_locked: false,
    retain: Retain::Creation,
    untracked: Untracked::Run,
    destroy: Destroy::ReleaseUnlocked,
    factories: Factories::TrackAfter,
    hooks: Hooks::Published(2),
    ..V2
};

const V2_3: Policy = Policy {
    name: "v2.3",
    stem: "libagx_fix_v2_3",
    status: "superseded",
    known_failure: "use after free when another thread ends the encoder",
    methods_locked: true,
    checks_impl: true,
    destroy: Destroy::ReleaseLocked,
    hooks: Hooks::Published(3),
    ..V2_2
};

const V2_4: Policy = Policy {
    name: "v2.4",
    stem: "libagx_fix_v2_4",
    known_failure: "crashes on untracked encoders, which are retained inside the method",
    retain: Retain::CreationAndCall,
    untracked: Untracked::RetainInside,
    destroy: Destroy::ReleaseUnlocked,
    hooks: Hooks::Published(4),
    ..V2_3
};

const V2_4NR: Policy = Policy {
    name: "v2.4nr",
    stem: "libagx_fix_v2_4_nr",
    status: "verification only",
    known_failure: "never gives a retain back: leaks",
    gives_back: false,
    destroy: Destroy::Unlocked,
    hooks: Hooks::Published(5),
    ..V2_4
};

const V2_5: Policy = Policy {
    name: "v2.5",
    stem: "libagx_fix_v2_5",
    known_failure: "no safety at commit; crashes under heavy load",
    hooks: Hooks::Published(6),
    ..V2_4
};

const V2_6: Policy = Policy {
    name: "v2.6",
    stem: "libagx_fix_v2_6",
    status: "disproven",
    known_failure: "destroyImpl is blocked, so that _impl is never given back: the driver's pool runs out",
    retain: Retain::Creation,
    untracked: Untracked::CountAndRun,
    destroy: Destroy::Blocked,
    hooks: Hooks::Published(7),
    ..V2_3
};

const V2_7: Policy = Policy {
    name: "v2.7",
    stem: "libagx_fix_v2_7",
    known_failure: "commit runs unlocked: a new encoder can start in between; events meet open encoders (bug 048)",
    commit: Commit::EndThenUnlocked,
    hooks: Hooks::Published(8),
    ..V2_5
};

const V2_8: Policy = Policy {
    name: "v2.8",
    stem: "libagx_fix_v2_8",
    known_failure: "the wait for open encoders ends after 100 ms: an escape into the crash",
    events: Events::WaitAtMost(100),
    hooks: Hooks::Published(9),
    ..V2_7
};

const V2_9: Policy = Policy {
    name: "v2.9",
    stem: "libagx_fix_v2_9",
    status: "recommended by its author",
    known_failure: "drops calls on untracked and ended encoders; waits for ever for the caller's own encoder; originals by \
                    selector only",
    untracked: Untracked::Drop,
    drops_ended: true,
    commit: Commit::EndLeakingLocked,
    events: Events::WaitForEver,
    hooks: Hooks::Published(10),
    originals: Originals::BySelector,
    ..V2_8
};

const V3: Policy = Policy {
    name: "v3",
    stem: "libagx_fix_v3",
    status: "ours, the default",
    known_failure: "",
    lock: LockKind::Scoped,
    methods_locked: true,
    retain: Retain::Creation,
    gives_back: true,
    untracked: Untracked::Adopt,
    drops_ended: false,
    checks_impl: true,
    destroy: Destroy::End,
    factories: Factories::Locked,
    commit: Commit::EndLocked,
    events: Events::EndOwnWaitForOthers,
    hooks: Hooks::Discovered,
    originals: Originals::ByClass,
};

/// All of them, oldest first.
pub static POLICIES: [Policy; published::VERSIONS.len() + 1] = [
    V1, V2, V2_2, V2_3, V2_4, V2_4NR, V2_5, V2_6, V2_7, V2_8, V2_9, V3,
];

/// No policy goes by this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "there is no policy `{}`; nothing is hooked (use one of {})",
            self.0,
            POLICIES.map(|it| it.name).join(", ")
        )
    }
}

impl std::error::Error for Refusal {}

/// The policy that holds unless another is asked for.
pub fn default_policy() -> &'static Policy {
    &POLICIES[POLICIES.len() - 1]
}

/// The policy called `name`: `v2.4nr`, `2.4NR`, `v2_4_nr` and `v2.4 NR` are the same.
///
/// # Errors
/// [`Refusal`] if there is none.
pub fn find(name: &str) -> Result<&'static Policy, Refusal> {
    let bare = |name: &str| {
        let plain = name.trim().to_ascii_lowercase();
        let plain = plain.strip_prefix('v').unwrap_or(&plain);
        plain
            .replace([' ', '_', '-', '.'], ".")
            .replace(".nr", "nr")
    };
    let wanted = bare(name);
    POLICIES
        .iter()
        .find(|policy| bare(policy.name) == wanted)
        .ok_or_else(|| Refusal(name.to_owned()))
}

/// The policy under whose published name a file goes: `libagx_fix_v2_8.dylib` is v2.8.
///
/// `libagx_fix` itself is the name of this library and therefore nobody's: the default holds.
pub fn from_file_name(file_name: &str) -> Option<&'static Policy> {
    let stem = file_name
        .strip_suffix(".dylib")
        .or_else(|| file_name.strip_suffix(".so"))?;
    POLICIES.iter().find(|policy| policy.stem == stem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::published::VERSIONS;

    #[test]
    fn names_are_read_as_people_write_them() {
        for name in ["v2.4nr", "2.4NR", "v2_4_nr", " v2.4 NR "] {
            assert_eq!(find(name).map(|it| it.name), Ok("v2.4nr"), "{name}");
        }
        assert_eq!(find("3").map(|it| it.name), Ok("v3"));
        for name in ["v4", "", "fast", "v", "v24"] {
            assert!(find(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_file_s_name_tells_its_policy() {
        let of = |name| from_file_name(name).map(|it| it.name);
        assert_eq!(of("libagx_fix_v2_8.dylib"), Some("v2.8"));
        assert_eq!(of("libagx_fix_v2_4_nr.so"), Some("v2.4nr"));
        assert_eq!(of("libagx_fix.so"), None);
        assert_eq!(of("libagx_fix_v2_8"), None);
        assert_eq!(of("my_v2_8.so"), None);
    }

    #[test]
    fn each_published_policy_has_its_own_column_and_name() {
        for (column, (policy, name)) in POLICIES.iter().zip(VERSIONS).enumerate() {
            assert_eq!(policy.name, name);
            assert_eq!(policy.hooks, Hooks::Published(column));
        }
        assert_eq!(default_policy().name, "v3");
        for policy in &POLICIES {
            let same = POLICIES.iter().filter(|it| it.stem == policy.stem).count();
            assert_eq!(same, 1, "{}", policy.stem);
        }
    }
}

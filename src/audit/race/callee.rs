//! What a called function is known to do, by its symbol.

use crate::audit::Code;
use crate::audit::arm64::{Register, Registers};

/// What matters of a called function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Callee {
    /// Takes a lock.
    Lock,
    /// Gives it back.
    Unlock,
    /// Gives memory back that x0 points at; NULL is allowed.
    Free,
    /// Does not come back.
    Stops,
    /// Anything else.
    Other,
}

impl Callee {
    /// By the symbol, with its underscore.
    pub(super) fn named(symbol: &str) -> Self {
        let is_in = |names: &[&str]| names.contains(&symbol);
        if is_in(LOCKS) {
            Callee::Lock
        } else if is_in(UNLOCKS) {
            Callee::Unlock
        } else if is_in(FREES) {
            Callee::Free
        } else if is_in(STOPS) {
            Callee::Stops
        } else {
            Callee::Other
        }
    }

    /// What a branch or call to `target` reaches.
    pub(super) fn at(code: &Code<'_>, target: u64) -> Self {
        let symbol = code.stub_at(target).or_else(|| code.name_of(target));
        symbol.map_or(Callee::Other, Callee::named)
    }
}

/// The registers that such a symbol says it takes besides the convention's: `_objc_release_x20` and its
/// like (objc4 951, `objc-externs.h` and `arm64-asm.h`).
pub(super) fn takes(symbol: &str) -> Registers {
    let register = ["_objc_retain_x", "_objc_release_x"]
        .iter()
        .find_map(|prefix| symbol.strip_prefix(prefix))
        .and_then(|number| number.parse::<Register>().ok());
    register.map_or(Registers::NONE, Registers::one)
}

const LOCKS: &[&str] = &[
    "_os_unfair_lock_lock",
    "_os_unfair_lock_lock_with_options",
    "_os_unfair_lock_lock_with_flags",
    "_os_unfair_recursive_lock_lock",
    "_os_unfair_recursive_lock_lock_with_options",
    "_pthread_mutex_lock",
    "_OSSpinLockLock",
    "_objc_sync_enter",
    "__ZNSt3__15mutex4lockEv",
    "__ZNSt3__115recursive_mutex4lockEv",
    "_objc_msgSend$lock",
];

const UNLOCKS: &[&str] = &[
    "_os_unfair_lock_unlock",
    "_os_unfair_recursive_lock_unlock",
    "_pthread_mutex_unlock",
    "_OSSpinLockUnlock",
    "_objc_sync_exit",
    "__ZNSt3__15mutex6unlockEv",
    "__ZNSt3__115recursive_mutex6unlockEv",
    "_objc_msgSend$unlock",
];

/// `free`, and `operator delete` of an object whose size is not told.
const FREES: &[&str] = &["_free", "__ZdlPv"];

const STOPS: &[&str] = &[
    "_abort",
    "_abort_with_reason",
    "_abort_with_payload",
    "___assert_rtn",
    "___stack_chk_fail",
    "___cxa_throw",
    "___cxa_rethrow",
    "___cxa_pure_virtual",
    "___cxa_bad_cast",
    "__Unwind_Resume",
    "__ZSt9terminatev",
    "___clang_call_terminate",
    "_exit",
    "__exit",
    "_objc_exception_throw",
    "_objc_exception_rethrow",
    "_objc_terminate",
    "__os_crash",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_that_names_a_register_takes_it() {
        assert_eq!(takes("_objc_release_x20"), Registers::one(20));
        assert_eq!(takes("_objc_retain_x8"), Registers::one(8));
        assert_eq!(takes("_objc_release"), Registers::NONE);
        assert_eq!(takes("_objc_release_x300"), Registers::NONE);
        assert_eq!(takes("_objc_release_x31"), Registers::NONE);
    }
}

//! The C interface (`include/agx_fix.h`): what users read through ctypes or `dlsym`.
//!
//! Each number is there under two names: that of the published version 2.9, and one without a version. Whatever the policy
//! in force, both mean the same.

use std::cell::RefCell;
use std::env;
use std::ffi::{CString, c_char};
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::OnceLock;

use agx_ledger::Counter;

use crate::{POLICY, config, hooks, is_enabled, ledger};

/// Version of the library and of its sources.
const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "+",
    env!("AGX_FIX_BUILD_HASH"),
    "\0"
);

/// `get NAME, PUBLISHED NAME => value` for each.
macro_rules! getters {
    ($($name:ident, $published:ident: $type:ty => $value:expr;)*) => {
        $(
            #[doc = concat!("See `", stringify!($name), "` in the header.")]
            #[unsafe(no_mangle)]
            pub extern "C" fn $name() -> $type {
                $value
            }

            #[doc = concat!("The same as `", stringify!($name), "`.")]
            #[unsafe(no_mangle)]
            pub extern "C" fn $published() -> $type {
                $name()
            }
        )*
    };
}

getters! {
    agx_fix_get_acquisitions, agx_fix_v2_9_get_acquisitions: u64 => ledger::counted(Counter::LockAcquisitions);
    agx_fix_get_contentions, agx_fix_v2_9_get_contentions: u64 => ledger::counted(Counter::LockContentions);
    agx_fix_get_encoders_created, agx_fix_v2_9_get_encoders_created: u64 => ledger::counted(Counter::EncodersCreated);
    agx_fix_get_encoders_released, agx_fix_v2_9_get_encoders_released: u64 => ledger::counted(Counter::EncodersReleased);
    agx_fix_get_null_impl_skips, agx_fix_v2_9_get_null_impl_skips: u64 => ledger::counted(Counter::NullImplSkips);
    agx_fix_get_method_calls, agx_fix_v2_9_get_method_calls: u64 => ledger::counted(Counter::MethodCalls);
    agx_fix_get_deferred_releases, agx_fix_v2_9_get_deferred_releases: u64 => ledger::counted(Counter::DeferredReleases);
    agx_fix_get_agx_encoder_creates, agx_fix_v2_9_get_agx_encoder_creates: u64 => ledger::counted(Counter::AgxEncoderCreates);
    agx_fix_get_mps_encoder_creates, agx_fix_v2_9_get_mps_encoder_creates: u64 => ledger::counted(Counter::MpsEncoderCreates);
    agx_fix_get_commit_forced_ends, agx_fix_v2_9_get_commit_forced_ends: u64 => ledger::counted(Counter::CommitForcedEnds);
    agx_fix_get_commits_intercepted, agx_fix_v2_9_get_commits_intercepted: u64 => ledger::counted(Counter::Commits);
    agx_fix_get_signal_events_intercepted, agx_fix_v2_9_get_signal_events_intercepted: u64 => ledger::counted(Counter::EventSignals);
    agx_fix_get_wait_events_intercepted, agx_fix_v2_9_get_wait_events_intercepted: u64 => ledger::counted(Counter::EventWaits);
    agx_fix_get_event_encoder_waits, agx_fix_v2_9_get_event_encoder_waits: u64 => ledger::counted(Counter::EventEncoderWaits);
    agx_fix_get_parallel_encoder_creates, agx_fix_v2_9_get_parallel_encoder_creates: u64 => ledger::counted(Counter::ParallelEncoderCreates);
    agx_fix_get_mutex_long_wait_warnings, agx_fix_v2_9_get_mutex_long_wait_warnings: u64 => ledger::counted(Counter::LockLongWaits);
    agx_fix_get_mutex_lock_timeouts, agx_fix_v2_9_get_mutex_lock_timeouts: u64 => ledger::counted(Counter::LockTimeouts);
    agx_fix_get_mutex_max_wait_ms, agx_fix_v2_9_get_mutex_max_wait_ms: u64 => ledger::counted(Counter::LockMaxWaitMs);
    agx_fix_get_active_count, agx_fix_v2_9_get_active_count: usize => ledger::counted(Counter::EncodersOpen) as usize;
    agx_fix_is_enabled, agx_fix_v2_9_is_enabled: bool => is_enabled();
    agx_fix_deadlock_detection_enabled, agx_fix_v2_9_deadlock_detection_enabled: bool => detects_deadlocks();
    agx_fix_verify_swizzle_active, agx_fix_v2_9_verify_swizzle_active: bool => hooks_stand();
    agx_fix_get_encoder_class_name, agx_fix_v2_9_get_encoder_class_name: *const c_char => encoder_class();
    agx_fix_get_command_buffer_class_name, agx_fix_v2_9_get_command_buffer_class_name: *const c_char => buffer_class();
}

/// Methods that are hooked in this process.
#[unsafe(no_mangle)]
pub extern "C" fn agx_fix_hook_count() -> u64 {
    hooks::hook_count()
}

/// Name of the policy; never null, valid for good.
#[unsafe(no_mangle)]
pub extern "C" fn agx_fix_policy() -> *const c_char {
    POLICY.get().map_or(c"", CString::as_c_str).as_ptr()
}

/// Version of the library and of its sources; never null, valid for good.
#[unsafe(no_mangle)]
pub extern "C" fn agx_fix_version() -> *const c_char {
    VERSION.as_ptr().cast()
}

/// Everything as JSON; never null, valid until the calling thread calls it again or ends.
#[unsafe(no_mangle)]
pub extern "C" fn agx_fix_stats_json() -> *const c_char {
    thread_local! {
        static TEXT: RefCell<CString> = RefCell::new(CString::default());
    }
    let formed = catch_unwind(AssertUnwindSafe(|| {
        let text = CString::new(stats()).unwrap_or_default(); // `quoted` escapes NUL
        TEXT.with(|kept| {
            *kept.borrow_mut() = text;
            kept.borrow().as_ptr()
        })
    }));
    formed.unwrap_or_else(|_| {
        ledger::count(Counter::CaughtPanics, 1);
        c"{}".as_ptr()
    })
}

fn stats() -> String {
    let policy = POLICY
        .get()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let mut text = format!(
        "{{\"version\":{},\"policy\":{},\"enabled\":{},\"armed\":{},\"hooks\":{},\"counters\":{{",
        quoted(VERSION.trim_end_matches('\0')),
        quoted(&policy),
        is_enabled(),
        hooks_stand(),
        hooks::hook_count(),
    );
    for (index, counter) in Counter::ALL.iter().enumerate() {
        let value = ledger::counted(*counter);
        let comma = if index == 0 { "" } else { "," };
        // Writing to a String cannot fail.
        let _ = write!(text, "{comma}\"{}\":{value}", counter.name());
    }
    text.push_str("}}");
    text
}

/// A JSON string (RFC 8259, section 7).
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\0'..='\x1f' => {
                // Writing to a String cannot fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether methods are hooked, and none was seen to have lost its hook.
fn hooks_stand() -> bool {
    hooks::hook_count() > 0 && ledger::counted(Counter::HooksReplaced) == 0
}

/// `AGX_FIX_DEADLOCK_DETECT`, as it was at the first question.
fn detects_deadlocks() -> bool {
    static DETECTS: OnceLock<bool> = OnceLock::new();
    *DETECTS.get_or_init(|| {
        env::var_os("AGX_FIX_DEADLOCK_DETECT")
            .is_some_and(|value| config::read_switch(&value) == Some(true))
    })
}

fn encoder_class() -> *const c_char {
    static NAME: OnceLock<CString> = OnceLock::new();
    class_name(&NAME, b"setComputePipelineState:", |_| true)
}

fn buffer_class() -> *const c_char {
    static NAME: OnceLock<CString> = OnceLock::new();
    class_name(&NAME, b"commit", |class| !class.starts_with(b"MPS"))
}

/// Looked for until it is found, and kept for good; null until then.
fn class_name(
    kept: &'static OnceLock<CString>,
    selector: &[u8],
    wanted: impl Fn(&[u8]) -> bool,
) -> *const c_char {
    if kept.get().is_none()
        && let Ok(Some(found)) = catch_unwind(AssertUnwindSafe(|| {
            CString::new(ledger::class_with_hook(selector, wanted)?).ok() // the census holds no NUL
        }))
    {
        kept.get_or_init(|| found);
    }
    kept.get().map_or(ptr::null(), |name| name.as_ptr())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_quoted_as_json_wants_them() {
        assert_eq!(quoted("v2.9"), "\"v2.9\"");
        assert_eq!(quoted("a\"b\\c\n\0é"), "\"a\\\"b\\\\c\\u000a\\u0000é\"");
    }
}

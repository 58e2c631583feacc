//! The fix library: makes the encoders of the AGX Metal driver safe to use from several threads.
//!
//! It is injected into every process of a tree, and is a guest there: it links no Metal, does nothing but map its ledger
//! in a process without Metal classes, and lets no panic out.
//!
//! # Theory
//! The runtime announces each class before its first message ([`runtime`]); the work methods of compute encoders and
//! command buffers are then replaced by forwarders ([`hooks`]), which take a re-entrant [`lock`], keep track of what is
//! open ([`lifecycle`]), and record each call in the [`ledger`].

#![allow(clippy::cast_possible_truncation)] // addresses and words are both 64 bits wide, which is checked here
#![allow(clippy::cast_ptr_alignment)] // the ledger is mapped at a page, and its parts stand at multiples of eight

#[cfg(not(target_pointer_width = "64"))]
compile_error!("the fix library is for 64-bit processors");

mod arch;
mod c_api;
mod clock;
mod config;
mod hooks;
mod image;
mod ledger;
mod lifecycle;

mod lock;
mod os;
mod runtime;
mod say;
mod sync;

mod throttle;

use std::env;
use std::ffi::{CStr, CString, OsString};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use agx_ledger::Counter;
use agx_ledger::layout::{exit_route, flag};

use config::Config;
use lock::watch::{Limits, Report, Watch};
use say::say;

static ENABLED: AtomicBool = AtomicBool::new(false);
static VERBOSE: AtomicBool = AtomicBool::new(false);
/// Name of the policy, for the C interface.
static POLICY: OnceLock<CString> = OnceLock::new();

/// Runs our own code at a boundary that no panic may cross.
fn guarded(run: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(run)).is_err() {
        ledger::count(Counter::CaughtPanics, 1);
    }
}

/// Whether to tell on stderr what is done.
fn is_verbose() -> bool {
    VERBOSE.load(Ordering::Relaxed)
}

/// The library's constructor.
extern "C" fn load() {
    guarded(|| {
        let variables: Vec<(OsString, OsString)> = env::vars_os()
            .filter(|(name, _)| name.as_encoded_bytes().starts_with(b"AGX_FIX_"))
            .collect();
        let file_name = image::file_name();
        start(Config::read(
            |asked| {
                variables
                    .iter()
                    .find(|(name, _)| name == asked)
                    .map(|(_, value)| value.as_os_str())
            },
            file_name.as_deref(),
        ));
        say::pass_on();
    });
}

fn start(config: Config) {
    VERBOSE.store(config.verbose, Ordering::Relaxed);
    for complaint in &config.complaints {
        say(format_args!("{complaint}"));
    }
    let mut flags = 0;
    let policy = match &config.policy {
        Ok(policy) => policy.name,
        Err(refusal) => {
            say(format_args!("{refusal}"));
            flags |= flag::POLICY_UNKNOWN;
            refusal.0.as_str()
        }
    };
    if config.disabled {
        flags |= flag::DISABLED;
    }
    // A policy's name, or what `Config` made of another: neither holds a NUL.
    POLICY.get_or_init(|| CString::new(policy).unwrap_or_default());
    if config.census {
        flags |= flag::CENSUS_ASKED;
    }
    if let Some(folder) = config.ledger_dir {
        // Kept for good: a child of `fork` makes its own ledger there.
        let folder: &'static CStr = Box::leak(folder.into_boxed_c_str());
        if let Err(failure) = ledger::open(folder, policy, flags) {
            say(format_args!("{failure}; the fix works without it"));
        }
    }
    // SAFETY: both handlers are functions of this library, which is never unloaded; neither needs anything to be held.
    let registered = unsafe {
        libc::atexit(at_exit) == 0 && libc::pthread_atfork(None, None, Some(in_child)) == 0
    };
    if !registered {
        say(format_args!(
            "cannot register for exit and fork: not enough memory; nothing is hooked"
        ));
        return;
    }
    let Ok(policy) = config.policy else { return };
    if config.disabled {
        return;
    }
    if !config.events {
        ledger::keep_no_events();
    }
    let watch = config.long_waits.map(watch);
    hooks::follow_published(policy, watch);
    hooks::configure(&hooks::Settings {
        scope: config.scope,
        watch,
        event_wait_ms: config.event_wait_ms,
        max_in_flight: config.max_in_flight,
        throttle_wait_ms: config.throttle_wait_ms,
        census: config.census,
    });
    ENABLED.store(true, Ordering::Release);
    runtime::start();
}

/// The watch over long waits for locks.
fn watch(limits: Limits) -> &'static Watch {
    static WATCH: OnceLock<Watch> = OnceLock::new();
    WATCH.get_or_init(|| Watch::new(limits, long_wait))
}

/// A wait for a lock is long, or over.
fn long_wait(report: &Report) {
    lock::tell(report);
    if hooks::holds_nothing(ledger::thread() as usize) {
        say::pass_on();
    }
}

/// Whether classes that are announced are to be hooked.
fn is_enabled() -> bool {
    ENABLED.load(Ordering::Acquire)
}

extern "C" fn at_exit() {
    guarded(|| {
        hooks::look_for_replaced();
        hooks::census();
        say::pass_on();
    });
    ledger::close(exit_route::ATEXIT, 0);
}

/// The process is about to leave through `_exit`. Async-signal-safe, and without effect in a child of `vfork`.
fn leaving(status: i32) {
    ledger::close(exit_route::IMMEDIATE, status);
}

/// In the child of a `fork`, before anything else runs there. Async-signal-safe.
///
/// Locks first: recording needs none, but what comes after might.
extern "C" fn in_child() {
    let me = ledger::thread() as usize;
    hooks::reset_after_fork(me);
    hooks::reset_discovery_after_fork(me);
    hooks::reset_published_after_fork(me);
    runtime::reset_after_fork(me);
    say::reset_after_fork();
    ledger::replace_in_child();
}

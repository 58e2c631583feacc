//! The published versions of the fix, each as its author describes it: v1 to v2.9.
//!
//! One path for all of them. What a version does is read from the fields of its [`Policy`], which methods it hooks from
//! [`agx_policy::published`]; nothing here asks for a version's name. They differ from the default in everything that
//! matters (the lock, the tables, when an encoder is retained), so that they share the default's slots, forwarders and
//! ledger, and none of its state.
//!
//! What is ours and was never published: calls that are not made are counted, and the first is told; variables go by their
//! value (`AGX_FIX_DISABLE=0` does not disable); no device is made to learn its classes; a child of `fork` gets a free
//! lock; a panic of this code is caught.

mod buffers;
mod calls;
mod encoders;
mod install;
mod monitor;
mod mutex;
mod objects;
mod roles;
mod tables;

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use agx_policy::Policy;
use agx_policy::policies::Hooks;

use crate::lock::watch::Watch;

pub use calls::{enter, leave};
pub use install::on_class_ready;
pub use roles::part;

/// The version that is followed; null while none is.
static POLICY: AtomicPtr<Policy> = AtomicPtr::new(ptr::null_mut());

/// Follows a published version from now on, if `policy` is one, with long waits for its lock told to `watch`. Called once,
/// before the first hook is installed.
pub fn follow(policy: &'static Policy, watch: Option<&'static Watch>) {
    if matches!(policy.hooks, Hooks::Published(_)) {
        monitor::prepare(policy.lock, watch);
        POLICY.store(ptr::from_ref(policy).cast_mut(), Ordering::Release);
    }
}

/// The version that is followed.
fn policy() -> Option<&'static Policy> {
    // SAFETY: null, or from a reference that holds for good and is never written through.
    unsafe { POLICY.load(Ordering::Acquire).as_ref() }
}

/// The column of the version that is followed, in the published lists.
pub fn column() -> Option<usize> {
    match policy()?.hooks {
        Hooks::Published(column) => Some(column),
        Hooks::Discovered => None,
    }
}

/// In the child of a `fork`, whose only thread is `me`.
pub fn reset_after_fork(me: usize) {
    install::reset_after_fork(me);
    if policy().is_some() {
        monitor::reset_after_fork(me);
    }
}

//! The processes below one.

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod os;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod os;

mod outsiders;

use std::collections::BTreeSet;

pub(super) use os::{ForkWatch, adopt_orphans};
pub(super) use outsiders::Outsiders;

/// Living processes of the tree of `target`, itself left out: its descendants, and where orphans
/// come to us, those too. What is below an outsider is as little of the tree as that is.
pub(super) fn living(target: i32, outsiders: &mut Outsiders) -> BTreeSet<i32> {
    let mut found = BTreeSet::new();
    let mut next = os::roots(target);
    while let Some(pid) = next.pop() {
        if pid != target && !outsiders.contains(pid) && found.insert(pid) {
            next.extend(os::children(pid));
        }
    }
    found
}

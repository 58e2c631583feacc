//! The processes below one.

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod os;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod os;

use std::collections::BTreeSet;

pub(super) use os::{ForkWatch, adopt_orphans};

/// Living processes of the tree of `target`, itself left out: its descendants, and where orphans
/// come to us, those too. `ours`: children of ours that are not of the tree.
pub(super) fn living(target: i32, ours: &BTreeSet<i32>) -> BTreeSet<i32> {
    let mut found = BTreeSet::new();
    let mut next = os::roots(target);
    while let Some(pid) = next.pop() {
        if !ours.contains(&pid) && pid != target && found.insert(pid) {
            next.extend(os::children(pid));
        }
    }
    found
}

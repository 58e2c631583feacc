//! The census at the exit: whether every hook still stands, and what came past them.
//!
//! It changes nothing: a method that is found unhooked now stays so, and is told.

use std::ffi::CStr;

use agx_ledger::layout::{census_flag, flag};
use agx_ledger::{Counter, Reason};
use agx_policy::rules::{self, Family};

use super::discover::{self, Known};
use super::{published, slots, tally};
use crate::image;
use crate::ledger::{self, Finding, count};
use crate::runtime::{self, Class, OwnMethod};

/// Takes the census, if it was asked for: after [`discover::look_for_replaced`], and never in a signal handler.
pub fn census() {
    if !tally::is_on() {
        return;
    }
    // A list that cannot be had leaves the census out, which its reader is told.
    let Some(classes) = runtime::classes() else {
        return;
    };
    discover::installing(|| {
        // SAFETY: installing is this thread's while this runs.
        let known = unsafe { discover::known() };
        let hooks: Vec<Hook> = slots::told().map(Hook::of).collect();
        count(Counter::CensusMethods, hooks.len() as u64);
        let past = if published::column().is_some() {
            Past::Overrides(&hooks)
        } else {
            Past::Rules(&known)
        };
        for class in classes {
            // SAFETY: the runtime gave the class.
            unsafe { look_at(class, &past, &hooks) };
        }
    });
    ledger::set_flag(flag::CENSUS_TAKEN);
}

/// A hooked method.
struct Hook {
    class: Class,
    selector: &'static CStr,
}

impl Hook {
    fn of(number: usize) -> Self {
        let slot = slots::get(number);
        Self {
            class: slot.class(),
            // SAFETY: a slot that was told its class has its selector's name, which the runtime keeps.
            selector: unsafe { CStr::from_ptr(slot.selector().cast()) },
        }
    }
}

/// What a method must be to have come past the hooks.
enum Past<'a> {
    /// One that the rules would have hooked, had it been there when its class was gone through.
    Rules(&'a [Known]),
    /// An override of a hooked method: published versions hook by their lists alone.
    Overrides(&'a [Hook]),
}

/// # Safety
/// `class` is a class of the runtime.
unsafe fn look_at(class: Class, past: &Past<'_>, hooks: &[Hook]) {
    // SAFETY: promised by the caller.
    let lineage: Vec<Class> = unsafe { runtime::lineage(class) }.collect();
    if !hooks.iter().any(|it| lineage.contains(&it.class)) {
        return;
    }
    count(Counter::CensusClasses, 1);
    // SAFETY: promised by the caller.
    let methods = unsafe { runtime::own_methods(class) };
    let came_past = methods
        .iter()
        .filter(|it| !slots::is_hook(it.implementation))
        .filter(|it| match past {
            Past::Rules(known) => is_wanted(it, class, &lineage, known),
            Past::Overrides(hooks) => hooks
                .iter()
                .any(|hook| hook.selector == it.name && lineage[1..].contains(&hook.class)),
        });
    let reason = match past {
        Past::Rules(_) => Reason::Late,
        Past::Overrides(_) => Reason::Override,
    };
    for method in came_past {
        // SAFETY: promised by the caller.
        record(unsafe { runtime::class_name(class) }, method, reason);
    }
}

/// Whether the rules would have hooked a method that nobody went through.
fn is_wanted(method: &OwnMethod, class: Class, lineage: &[Class], known: &[Known]) -> bool {
    let find = |class: Class| {
        let at = known.binary_search_by_key(&(class as usize), |it| it.class);
        at.ok().map(|at| &known[at])
    };
    let family = match find(class) {
        Some(known) if known.had(method.method) => return false,
        Some(known) => known.family,
        // Where each class is announced before its first message, this one never had any.
        None if runtime::announces_first_messages() => return false,
        None => match lineage.iter().find_map(|it| find(*it)) {
            Some(known) => known.family,
            None => return false,
        },
    };
    is_work(method, family)
}

fn is_work(method: &OwnMethod, family: Family) -> bool {
    let decide =
        |selector: &str| rules::decide_encoded(family, selector, method.encoding.to_bytes());
    method.name.to_str().is_ok_and(|it| decide(it).is_ok())
}

fn record(class: &CStr, method: &OwnMethod, reason: Reason) {
    count(Counter::CensusLate, 1);
    let entry = ledger::add_to_census(
        class.to_bytes(),
        method.name.to_bytes(),
        method.encoding.to_bytes(),
        Finding::Unhooked(reason),
    );
    if let Some(entry) = entry {
        let image = image::file_of(method.implementation).unwrap_or_default(); // empty: of no file
        ledger::note_image(entry, census_flag::LATE, &image);
    }
}

//! Finds the classes and methods to hook, and hooks them.

use std::sync::atomic::{AtomicBool, Ordering};

use agx_ledger::layout::flag;
use agx_ledger::{Counter, Reason};

use super::engine;
use super::published;
use super::slots::{self, Filling};
use crate::ledger::{self, Finding, count};
use crate::lock::Reentrant;
use crate::runtime::{self, Class, OwnMethod};
use crate::say::say;
use agx_policy::abi::{self, Returns};
use agx_policy::rules::{self, Family, Role};

/// Classes whose methods are hooked. The lock keeps installing to one thread at a time.
static HOOKED: Reentrant<Vec<usize>> = Reentrant::new(Vec::new());
/// The ledger has its body, and the engine what it needs.
static ARMED: AtomicBool = AtomicBool::new(false);

/// Methods that are hooked.
pub fn hook_count() -> u64 {
    ledger::counted(Counter::HooksInstalled)
}

/// In the child of a `fork`, whose only thread is `me`.
pub fn reset_after_fork(me: usize) {
    if HOOKED.reset_after_fork(me) {
        return;
    }
    HOOKED.lock(me);
    // SAFETY: locked in the line above. A list that another thread was changing is abandoned, not freed: methods that
    // are hooked already are known by their code.
    unsafe {
        HOOKED.with(|hooked| std::mem::forget(std::mem::take(hooked)));
        HOOKED.unlock();
    }
}

/// The runtime has a new class, which has not received a message yet. From here on its hooks stand.
pub fn on_class_ready(class: Class) {
    if !crate::is_enabled() {
        return;
    }
    count(Counter::ClassesSeen, 1);
    if let Some(column) = published::column() {
        return published::on_class_ready(class, column);
    }
    // SAFETY: the runtime gave the class.
    let Some((family, depth)) = (unsafe { family_of(class) }) else {
        return;
    };
    ledger::set_flag(flag::METAL_SEEN);
    let me = ledger::thread() as usize;
    HOOKED.lock(me);
    // SAFETY: as above. The base classes come along: a compute encoder inherits work from them.
    for class in unsafe { runtime::lineage(class) }.take(depth) {
        // SAFETY: locked above; the closure does not lock.
        let new = unsafe {
            HOOKED.with(|hooked| match hooked.binary_search(&(class as usize)) {
                Ok(_) => false,
                Err(at) => {
                    hooked.insert(at, class as usize);
                    true
                }
            })
        };
        if new {
            arm();
            // SAFETY: as above.
            unsafe { hook_class(class, family) };
        }
    }
    // SAFETY: locked above.
    unsafe { HOOKED.unlock() };
}

/// What a class is, and how many classes of its lineage belong to it: up to the root of its family.
///
/// # Safety
/// `class` is a class of the runtime.
unsafe fn family_of(class: Class) -> Option<(Family, usize)> {
    // SAFETY: promised by the caller, for the lineage too.
    unsafe {
        runtime::lineage(class)
            .enumerate()
            .find_map(|(depth, ancestor)| {
                let name = runtime::class_name(ancestor).to_bytes();
                let (_, family) = rules::ROOTS
                    .iter()
                    .find(|(root, _)| root.as_bytes() == name)?;
                Some((*family, depth + 1))
            })
    }
}

/// Once, before the first hook.
pub(super) fn arm() {
    if ARMED.swap(true, Ordering::Relaxed) {
        return;
    }
    engine::prepare();
    if let Err(failure) = ledger::arm() {
        say(format_args!(
            "{failure}; the hooks stand, but their calls are not recorded"
        ));
    }
}

/// # Safety
/// `class` is a class of the runtime.
unsafe fn hook_class(class: Class, family: Family) {
    // SAFETY: promised by the caller.
    let (name, methods, impl_offset) = unsafe {
        (
            runtime::class_name(class),
            runtime::own_methods(class),
            runtime::ivar_offset(class, c"_impl"),
        )
    };
    let mut installed = 0_u64;
    for method in &methods {
        // SAFETY: the method is the class's own.
        let (finding, slot) = match unsafe { hook_method(method, family, impl_offset) } {
            Ok(slot) => {
                installed += 1;
                (
                    Finding::Hooked(u32::try_from(slot).unwrap_or(slots::NONE)),
                    Some(slot),
                )
            }
            Err(reason) if reason.is_rule() => (Finding::LeftAlone(reason), None),
            Err(reason) => {
                count(Counter::HooksUnhooked, 1);
                (Finding::Unhooked(reason), None)
            }
        };
        let entry = ledger::add_to_census(
            name.to_bytes(),
            method.name.to_bytes(),
            method.encoding.to_bytes(),
            finding,
        );
        if let (Some(slot), Some(entry)) = (slot, entry) {
            slots::get(slot).set_census(entry);
        }
    }
    if installed > 0 {
        // SAFETY: promised by the caller.
        unsafe { runtime::class_finished(class) };
        count(Counter::ClassesHooked, 1);
        count(Counter::HooksInstalled, installed);
    }
    if crate::is_verbose() {
        say(format_args!(
            "{} of {} methods of {} hooked",
            installed,
            methods.len(),
            name.to_string_lossy()
        ));
    }
}

/// Hooks one method; its slot.
///
/// # Safety
/// `method` is in the class's own list.
unsafe fn hook_method(
    method: &OwnMethod,
    family: Family,
    impl_offset: Option<usize>,
) -> Result<usize, Reason> {
    let selector = method.name.to_str().map_err(|_| Reason::Unreadable)?;
    let encoding = method.encoding.to_bytes();
    let role = rules::decide_encoded(family, selector, encoding)?;
    let shape = abi::classify(encoding)?;
    // A call that is not made has to return something, and the size of what is behind a hidden pointer is not kept.
    let checks_impl = role == Role::Work && !matches!(shape.returns, Returns::Memory(_));
    let filling = Filling {
        shape,
        role,
        original: method.implementation,
        impl_offset: impl_offset.filter(|_| checks_impl),
        selector: method.name,
    };
    if slots::is_hook(method.implementation) {
        return Err(Reason::NotInstalled);
    }
    let (slot, forwarder) = slots::fill(&filling)?;
    // SAFETY: the forwarder takes what the method's shape says; the slot is filled, so that it finds its original.
    if unsafe { runtime::install(method.method, forwarder) } {
        Ok(slot)
    } else {
        Err(Reason::NotInstalled)
    }
}

//! Hooks the methods of a published list, where a published version would have found them.

use agx_ledger::layout::flag;
use agx_ledger::{Counter, Reason};
use agx_policy::abi::{self, Returns};
use agx_policy::policies::Originals;
use agx_policy::published::{self, Object, Row};
use agx_policy::rules;

use super::encoders;
use super::objects::object_of;
use super::roles::{self, Role};
use crate::hooks::discover;
use crate::hooks::slots::{self, Filling};
use crate::ledger::{self, Finding, count};
use crate::lock::Reentrant;
use crate::runtime::{self, Class, Imp, OwnMethod};
use crate::say::remark;

/// What is installed. The lock keeps installing to one thread at a time.
#[derive(Default)]
struct Installed {
    classes: Vec<usize>,
    shared: Vec<Shared>,
}

/// The original of a selector, where a version keeps originals by the selector alone.
struct Shared {
    selector: &'static str,
    /// The object whose method it is.
    object: Object,
    original: Imp,
    slots: Vec<usize>,
}

// SAFETY: code and the numbers of slots may be used from any thread.
unsafe impl Send for Shared {}

static INSTALLED: Reentrant<Installed> = Reentrant::new(Installed {
    classes: Vec::new(),
    shared: Vec::new(),
});

/// In the child of a `fork`, whose only thread is `me`.
pub fn reset_after_fork(me: usize) {
    if INSTALLED.reset_after_fork(me) {
        return;
    }
    INSTALLED.lock(me);
    // SAFETY: locked in the line above. Lists that another thread was changing are abandoned, not freed.
    unsafe {
        INSTALLED.with(|installed| std::mem::forget(std::mem::take(installed)));
        INSTALLED.unlock();
    }
}

/// The runtime has a new class: from here on the hooks of this column stand in it.
pub fn on_class_ready(class: Class, column: usize) {
    // SAFETY: the runtime gave the class.
    let Some(object) = (unsafe { object_of(class) }) else {
        return;
    };
    ledger::set_flag(flag::METAL_SEEN);
    if !published::of(column).any(|row| row.object == object) {
        return;
    }
    let me = ledger::thread() as usize;
    discover::installing(|| {
        INSTALLED.lock(me);
        // SAFETY: locked in the line above; the closure does not lock this.
        unsafe {
            INSTALLED.with(|installed| {
                if installed.classes.contains(&(class as usize)) {
                    return;
                }
                installed.classes.push(class as usize);
                discover::arm();
                encoders::prepare();
                hook_class(installed, class, object, column);
            });
            INSTALLED.unlock();
        }
    });
}

/// A method and the class in whose list it stands.
struct Found {
    owner: Class,
    method: OwnMethod,
}

/// # Safety
/// `class` is a class of the runtime.
unsafe fn hook_class(installed: &mut Installed, class: Class, object: Object, column: usize) {
    // SAFETY: promised by the caller; a superclass is a class.
    let methods: Vec<Found> = unsafe { runtime::lineage(class) }
        .flat_map(|owner| {
            // SAFETY: as above.
            let own = unsafe { runtime::own_methods(owner) };
            own.into_iter().map(move |method| Found { owner, method })
        })
        .collect();
    let mut owners: Vec<Class> = Vec::new();
    let mut installed_here = 0;
    for row in published::of(column).filter(|row| row.object == object) {
        let found = methods
            .iter()
            .find(|it| it.method.name.to_bytes() == row.selector.as_bytes());
        let Some(found) = found else {
            // The list names what the class does not have: nothing is missing but a method.
            // SAFETY: promised by the caller.
            let name = unsafe { runtime::class_name(class) };
            let finding = Finding::Unhooked(Reason::NotFound);
            ledger::add_to_census(name.to_bytes(), row.selector.as_bytes(), b"", finding);
            continue;
        };
        if slots::is_hook(found.method.implementation) {
            continue; // inherited from a class that another object of the list shares
        }
        // SAFETY: the method is in its owner's list.
        if unsafe { hook_method(installed, found, row) } {
            installed_here += 1;
            if !owners.contains(&found.owner) {
                owners.push(found.owner);
            }
        }
    }
    for owner in &owners {
        // SAFETY: a class of the runtime.
        unsafe { runtime::class_finished(*owner) };
    }
    if installed_here > 0 {
        count(Counter::ClassesHooked, 1);
        count(Counter::HooksInstalled, installed_here);
    }
    if crate::is_verbose() {
        // SAFETY: promised by the caller.
        let name = unsafe { runtime::class_name(class) };
        remark(format_args!(
            "{installed_here} of {} published methods of {} hooked",
            published::of(column)
                .filter(|row| row.object == object)
                .count(),
            name.to_string_lossy()
        ));
    }
}

/// Hooks one method and enters it in the census; whether it is hooked.
///
/// The new code is set on the method that was found, so that one that is inherited is hooked for every heir of its class, as
/// in the published versions.
///
/// # Safety
/// The method is in its owner's list.
unsafe fn hook_method(installed: &mut Installed, found: &Found, row: &Row) -> bool {
    // SAFETY: promised by the caller.
    let outcome = unsafe { install(installed, found, row) };
    let finding = match outcome {
        Ok(slot) => Finding::Hooked(u32::try_from(slot).unwrap_or(slots::NONE)),
        Err(reason) => {
            count(Counter::HooksUnhooked, 1);
            Finding::Unhooked(reason)
        }
    };
    // SAFETY: promised by the caller.
    let owner = unsafe { runtime::class_name(found.owner) };
    let method = &found.method;
    let entry = ledger::add_to_census(
        owner.to_bytes(),
        method.name.to_bytes(),
        method.encoding.to_bytes(),
        finding,
    );
    if let (Ok(slot), Some(entry)) = (outcome, entry) {
        slots::get(slot).set_census(entry);
    }
    outcome.is_ok()
}

/// # Safety
/// As for [`hook_method`].
unsafe fn install(installed: &mut Installed, found: &Found, row: &Row) -> Result<usize, Reason> {
    let policy = super::policy().ok_or(Reason::NotInstalled)?;
    let shape = abi::classify(found.method.encoding.to_bytes())?;
    if matches!(shape.returns, Returns::Memory(_)) {
        // No published function returns a structure, and a call that is not made would leave the caller's unwritten.
        return Err(Reason::ReturnKind);
    }
    let role = roles::of(row.object, row.selector);
    let checks_impl = policy.checks_impl && role == Role::Work;
    // Of the class that has the method: its heirs may keep the variable elsewhere.
    // SAFETY: promised by the caller.
    let impl_offset = unsafe { runtime::ivar_offset(found.owner, c"_impl") };
    let filling = Filling {
        shape,
        role: rules::Role::Published,
        original: found.method.implementation,
        impl_offset: impl_offset.filter(|_| checks_impl),
        selector: found.method.name,
    };
    let (slot, forwarder) = slots::fill(&filling)?;
    roles::set(slot, role);
    slots::bind(slot, found.owner, found.method.method);
    if role == Role::Work && policy.originals == Originals::BySelector {
        installed.share(row, found.method.implementation, slot);
    }
    // SAFETY: the forwarder takes what the method's shape says; the slot is filled, so that it finds its original.
    if unsafe { runtime::install(found.method.method, forwarder) } {
        Ok(slot)
    } else {
        Err(Reason::NotInstalled)
    }
}

impl Installed {
    /// Gives all slots of a selector one original: that of the object that comes first in the published lists, as the
    /// published version hooks them in that order and looks the original up by the selector.
    fn share(&mut self, row: &Row, original: Imp, slot: usize) {
        let Some(shared) = self
            .shared
            .iter_mut()
            .find(|it| it.selector == row.selector)
        else {
            self.shared.push(Shared {
                selector: row.selector,
                object: row.object,
                original,
                slots: vec![slot],
            });
            return;
        };
        shared.slots.push(slot);
        if (row.object as u8) < shared.object as u8 {
            shared.object = row.object;
            shared.original = original;
        }
        for slot in &shared.slots {
            slots::get(*slot).set_original(shared.original);
        }
    }
}

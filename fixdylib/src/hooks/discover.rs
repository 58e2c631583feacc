//! Finds the classes and methods to hook, and hooks them.

use std::ffi::CStr;
use std::sync::atomic::{AtomicBool, Ordering};

use agx_ledger::layout::{census_flag, flag};
use agx_ledger::{Counter, Reason};

use super::slots::{self, Filling};
use super::{domains, engine, published, receiver};
use crate::image;
use crate::ledger::{self, Finding, count};
use crate::lock::Reentrant;
use crate::runtime::{self, Class, Imp, Method, OwnMethod};
use crate::say::{remark, say};
use agx_policy::abi;
use agx_policy::rules::{self, Family, Role};

/// A class that was gone through.
#[derive(Clone)]
pub struct Known {
    /// Its address.
    pub class: usize,
    /// What it is.
    pub family: Family,
    /// Its own methods then, sorted by address.
    methods: Vec<usize>,
}

impl Known {
    /// Whether the class had this method then.
    pub fn had(&self, method: Method) -> bool {
        self.methods.binary_search(&(method as usize)).is_ok()
    }
}

/// Classes whose methods are hooked, by address. The lock keeps installing to one thread at a time.
static HOOKED: Reentrant<Vec<Known>> = Reentrant::new(Vec::new());
/// The ledger has its body, and the engine what it needs.
static ARMED: AtomicBool = AtomicBool::new(false);
/// A class of Metal's was announced: from here on protocols are asked for.
static METAL: AtomicBool = AtomicBool::new(false);
/// A replaced hook has been told.
static REPLACED_TOLD: AtomicBool = AtomicBool::new(false);

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

/// Keeps installing, and adding to the ledger's census, to the calling thread while `run` runs.
pub fn installing<R>(run: impl FnOnce() -> R) -> R {
    struct Unlock;
    impl Drop for Unlock {
        fn drop(&mut self) {
            // SAFETY: locked below, by this thread.
            unsafe { HOOKED.unlock() };
        }
    }
    HOOKED.lock(ledger::thread() as usize);
    let _unlock = Unlock;
    run()
}

/// The classes that were gone through, sorted by address.
///
/// # Safety
/// The caller is inside [`installing`].
pub unsafe fn known() -> Vec<Known> {
    // SAFETY: locked, as the caller promises; the closure does not lock.
    unsafe { HOOKED.with(|hooked| hooked.clone()) }
}

/// What a class is to us.
enum Found {
    /// Of this family, as are its ancestors: so many of its lineage, itself included.
    Ours(Family, usize),
    /// Around an object of the driver's, which is hooked itself.
    Wrapper,
    /// Nothing.
    Other,
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
    let (family, depth) = match unsafe { find(class) } {
        Found::Ours(family, depth) => (family, depth),
        Found::Wrapper => return record_wrapper(class),
        Found::Other => return,
    };
    ledger::set_flag(flag::METAL_SEEN);
    let me = ledger::thread() as usize;
    HOOKED.lock(me);
    // SAFETY: as above. The base classes come along: a driver's encoder inherits work from them.
    for class in unsafe { runtime::lineage(class) }.take(depth) {
        // SAFETY: locked above; the closure does not lock.
        let place = unsafe {
            HOOKED.with(|hooked| hooked.binary_search_by_key(&(class as usize), |it| it.class))
        };
        if let Err(at) = place {
            arm();
            // SAFETY: as above.
            unsafe {
                let methods = runtime::own_methods(class);
                hook_methods(class, family, &methods);
                let known = Known {
                    class: class as usize,
                    family,
                    methods: addresses(&methods),
                };
                HOOKED.with(|hooked| hooked.insert(at, known));
            }
        }
    }
    // SAFETY: locked above.
    unsafe {
        look_for_added();
        HOOKED.unlock();
    }
    look_for_replaced();
}

fn addresses(methods: &[OwnMethod]) -> Vec<usize> {
    let mut addresses: Vec<_> = methods.iter().map(|it| it.method as usize).collect();
    addresses.sort_unstable();
    addresses
}

/// Hooks what was added to classes since they were gone through: a category that was loaded later, `class_addMethod`.
///
/// # Safety
/// [`HOOKED`] is locked by the caller.
unsafe fn look_for_added() {
    // SAFETY: promised by the caller; the closure does not lock it.
    let known = unsafe { HOOKED.with(|hooked| hooked.len()) };
    for index in 0..known {
        // SAFETY: as above; a class with hooks is not disposed of.
        unsafe {
            let (class, family, count) = HOOKED.with(|hooked| {
                let it = &hooked[index];
                (it.class as Class, it.family, it.methods.len())
            });
            if runtime::own_method_count(class) == count {
                continue;
            }
            let mut methods = runtime::own_methods(class);
            let all = addresses(&methods);
            let before = HOOKED.with(|hooked| std::mem::replace(&mut hooked[index].methods, all));
            methods.retain(|it| before.binary_search(&(it.method as usize)).is_err());
            hook_methods(class, family, &methods);
        }
    }
}

/// Counts the hooks that somebody else's code took the place of, and tells of the first. Asked as classes are announced and
/// at the exit, not as calls are made.
///
/// Whoever replaced a hook may well call it in turn, as we call what was there before us; so nothing is undone.
pub fn look_for_replaced() {
    for (number, method, hook) in slots::bound() {
        // SAFETY: a class with hooks is not disposed of, nor are its methods.
        let code = unsafe { runtime::implementation(method) };
        if code == hook {
            continue;
        }
        let slot = slots::get(number);
        slots::bind(number, slot.class(), std::ptr::null_mut());
        count(Counter::HooksReplaced, 1);
        note_replaced(slot.census(), code);
        if REPLACED_TOLD.swap(true, Ordering::Relaxed) {
            continue;
        }
        // SAFETY: a slot with a method has its class and its selector's name, which the runtime keeps.
        let (class, selector) = unsafe {
            (
                runtime::class_name(slot.class()),
                CStr::from_ptr(slot.selector().cast()),
            )
        };
        say(format_args!(
            "somebody replaced the hook of -[{} {}]; its calls may pass this library by. Further ones are only counted \
             (hooks_replaced)",
            class.to_string_lossy(),
            selector.to_string_lossy()
        ));
    }
}

/// Notes in the census which file has the code that took the place of a hook.
fn note_replaced(entry: u32, code: Imp) {
    let image = image::file_of(code).unwrap_or_default(); // empty: of no file
    installing(|| ledger::note_image(entry, census_flag::REPLACED, &image));
}

/// What a class is, by its superclasses, and where those say nothing by the protocols that it conforms to.
///
/// # Safety
/// `class` is a class of the runtime.
unsafe fn find(class: Class) -> Found {
    // SAFETY: promised by the caller, for the lineage too.
    unsafe {
        for (depth, ancestor) in runtime::lineage(class).enumerate() {
            let name = runtime::class_name(ancestor).to_bytes();
            if let Some((_, family)) = rules::ROOTS.iter().find(|it| it.0.as_bytes() == name) {
                return Found::Ours(*family, depth + 1);
            }
            if name == rules::WRAPPER_ROOT.as_bytes() {
                return Found::Wrapper;
            }
            if name.starts_with(b"_MTL") {
                METAL.store(true, Ordering::Relaxed);
            }
        }
        if !METAL.load(Ordering::Relaxed) {
            return Found::Other;
        }
        let mut found = Found::Other;
        for (depth, ancestor) in runtime::lineage(class).enumerate() {
            if let Some(family) = by_protocol(ancestor) {
                found = Found::Ours(family, depth + 1);
            }
        }
        if matches!(found, Found::Ours(..)) && runtime::ivar_offset(class, rules::WRAPPED).is_some()
        {
            return Found::Wrapper;
        }
        found
    }
}

/// # Safety
/// `class` is a class of the runtime.
unsafe fn by_protocol(class: Class) -> Option<Family> {
    rules::PROTOCOLS
        .iter()
        // SAFETY: promised by the caller.
        .find(|(name, _)| unsafe { runtime::conforms(class, name) })
        .map(|(_, family)| *family)
}

/// One entry for the class: its methods are all left alone for one reason.
fn record_wrapper(class: Class) {
    let me = ledger::thread() as usize;
    HOOKED.lock(me);
    arm();
    // SAFETY: the runtime gave the class; locked above.
    unsafe {
        let name = runtime::class_name(class).to_bytes();
        ledger::add_to_census(name, b"*", b"", Finding::LeftAlone(Reason::Wrapper));
        HOOKED.unlock();
    }
}

/// Once, before the first hook.
pub(super) fn arm() {
    if ARMED.swap(true, Ordering::Relaxed) {
        return;
    }
    engine::prepare();
    receiver::prepare();
    if let Err(failure) = ledger::arm() {
        say(format_args!(
            "{failure}; the hooks stand, but their calls are not recorded"
        ));
    }
}

/// Hooks those of a class's own methods that are to be hooked.
///
/// # Safety
/// `class` is a class of the runtime, and `methods` are of its own list.
unsafe fn hook_methods(class: Class, family: Family, methods: &[OwnMethod]) {
    // SAFETY: promised by the caller.
    let (name, impl_offset) = unsafe {
        (
            runtime::class_name(class),
            runtime::ivar_offset(class, c"_impl"),
        )
    };
    let mut installed = 0_u64;
    for method in methods {
        // SAFETY: the method is the class's own.
        let (finding, slot) = match unsafe { hook_method(method, class, family, impl_offset) } {
            Ok(slot) => {
                installed += 1;
                slots::bind(slot, class, method.method);
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
    remark(format_args!(
        "{} of {} methods of {} hooked",
        installed,
        methods.len(),
        name.to_string_lossy()
    ));
}

/// Hooks one method; its slot.
///
/// # Safety
/// `class` is a class of the runtime, and `method` is in its own list.
unsafe fn hook_method(
    method: &OwnMethod,
    class: Class,
    family: Family,
    impl_offset: Option<usize>,
) -> Result<usize, Reason> {
    let selector = method.name.to_str().map_err(|_| Reason::Unreadable)?;
    let encoding = method.encoding.to_bytes();
    let role = rules::decide_encoded(family, selector, encoding)?;
    let shape = abi::classify(encoding)?;
    let filling = Filling {
        shape,
        role,
        original: method.implementation,
        impl_offset: impl_offset.filter(|_| role == Role::Work),
        selector: method.name,
    };
    if slots::is_hook(method.implementation) {
        return Err(Reason::NotInstalled);
    }
    let (slot, forwarder) = slots::fill(&filling)?;
    // SAFETY: the class is the one that has the method.
    unsafe { domains::describe(slot, class, family, role, method.name) };
    // SAFETY: the forwarder takes what the method's shape says; the slot is filled, so that it finds its original.
    if unsafe { runtime::install(method.method, forwarder) } {
        Ok(slot)
    } else {
        Err(Reason::NotInstalled)
    }
}

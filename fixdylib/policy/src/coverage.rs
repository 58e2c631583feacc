//! How much of a driver a policy reaches, asked of a class dump.
//!
//! # What counts as work
//! [`counts_as_work`] says it of an encoder's or a command buffer's method: not construction, end and destruction; not a
//! query; not bookkeeping of labels, debug groups, counters and debuggers. The published version 2.9 reaches 72 of the 303
//! methods that are work by this rule in the six concrete encoder classes of macOS 14.6 and 15.6, its list of 119 being for
//! three kinds of objects: encoders, command buffers, and `MPSCommandBuffer`.

use agx_ledger::Reason;

use crate::abi::Convention;
use crate::dump::{Class, Dump};
use crate::policies::{Hooks, Policy};
use crate::published::{self, Object};
use crate::rules::{self, Family};

/// All kinds of objects, encoders first.
pub const OBJECTS: [Object; 8] = [
    Object::Compute,
    Object::Blit,
    Object::Render,
    Object::ParallelRender,
    Object::ResourceState,
    Object::AccelerationStructure,
    Object::Buffer,
    Object::MpsBuffer,
];

/// The concrete class of one kind of object, and what a policy reaches of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The kind.
    pub object: Object,
    /// Its concrete class in the dump.
    pub class: String,
    /// Methods that the class itself has.
    pub own: usize,
    /// Of those, the ones that are work.
    pub work: usize,
    /// Of those, the ones that the policy hooks.
    pub work_reached: usize,
    /// Selectors on the policy's list for this kind; for a policy that discovers its methods, those that it hooks.
    pub hooks: usize,
    /// Of those, the ones that are methods of the class itself.
    pub own_hooks: usize,
    /// Of those, the ones that the class inherits.
    pub inherited_hooks: usize,
    /// The others: they name a method that the class does not have.
    pub unmatched: Vec<&'static str>,
}

/// A method that a policy should hook and cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached {
    /// Its class.
    pub class: String,
    /// Its selector.
    pub selector: String,
    /// Its type encoding.
    pub encoding: String,
    /// Why.
    pub reason: Reason,
}

/// What a policy reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// One for each kind of object whose class is in the dump, in the order of [`OBJECTS`].
    pub objects: Vec<Reach>,
    /// Methods of all classes in the dump that are hooked: base classes and subclasses too where the policy goes to them.
    pub hooked: usize,
    /// Methods of all classes in the dump that should be hooked and cannot be. Empty for a published list.
    pub unreached: Vec<Unreached>,
}

impl Coverage {
    /// The encoders' part.
    pub fn encoders(&self) -> impl Iterator<Item = &Reach> {
        self.objects
            .iter()
            .filter(|it| !matches!(it.object, Object::Buffer | Object::MpsBuffer))
    }

    /// Work methods of the concrete encoder classes: how many are reached, and how many there are.
    pub fn encoder_work(&self) -> (usize, usize) {
        self.encoders().fold((0, 0), |(reached, all), it| {
            (reached + it.work_reached, all + it.work)
        })
    }

    /// Selectors on the policy's list that name no method of their class.
    pub fn unmatched(&self) -> usize {
        self.objects.iter().map(|it| it.unmatched.len()).sum()
    }
}

/// Construction, end and destruction of an encoder or a command buffer.
const LIFE: [&str; 10] = [
    ".cxx_",
    "init",
    "reInit",
    "dealloc",
    "endEncoding",
    "deferredEndEncoding",
    "preEndEncoding",
    "destroyImpl",
    "commitEncoder",
    "commitWith",
];

/// Labels, debug groups, counters, what a debugger asks or sets, and what a command buffer keeps for itself.
const BOOKKEEPING: [&str; 20] = [
    "setLabel:",
    "pushDebugGroup:",
    "popDebugGroup",
    "insertDebugSignpost:",
    "commandBatchId",
    "filterCounterRange",
    "setMTLCounterSampleLocation",
    "newKernelDebugInfo",
    "enableNullBufferBinds:",
    "parallelExecution",
    "setParallelExecution:",
    "addSplitHandler:",
    "isSupportedVersion:",
    "description",
    "formattedDescription:",
    "fillCommandBufferArgs",
    "getDriverEncoderInfoData:",
    "reserveKernelCommandBufferSpace:",
    "setPrevious",
    "validate",
];

/// What a runtime asks of any object.
const INTROSPECTION: [&str; 2] = ["forwardingTargetForSelector:", "respondsToSelector:"];

/// Whether a method is work: it changes what is sent to the GPU.
pub fn counts_as_work(selector: &str) -> bool {
    let life = selector == "commit" || LIFE.iter().any(|it| selector.starts_with(it));
    let bookkeeping =
        BOOKKEEPING.iter().any(|it| selector.starts_with(it)) || INTROSPECTION.contains(&selector);
    let named = |verb: &str| {
        selector
            .strip_prefix(verb)
            .is_some_and(|rest| rest.starts_with(|next: char| next.is_ascii_uppercase()))
    };
    let asks = !selector.contains(':')
        && (named("get")
            || named("is")
            || matches!(selector, "commandBuffer" | "device" | "globalTraceObjectID"));
    !life && !bookkeeping && !asks
}

/// The base class of a kind of object and `true`; the class itself and `false` where the driver has none of its own.
pub const fn base(object: Object) -> (&'static str, bool) {
    match object {
        Object::Compute => ("IOGPUMetalComputeCommandEncoder", true),
        Object::Blit => ("IOGPUMetalBlitCommandEncoder", true),
        Object::Render => ("IOGPUMetalRenderCommandEncoder", true),
        Object::ParallelRender => ("IOGPUMetalParallelRenderCommandEncoder", true),
        Object::ResourceState => ("IOGPUMetalResourceStateCommandEncoder", true),
        Object::AccelerationStructure => {
            ("_MTLSWRaytracingAccelerationStructureCommandEncoder", false)
        }
        Object::Buffer => ("IOGPUMetalCommandBuffer", true),
        Object::MpsBuffer => ("MPSCommandBuffer", false),
    }
}

/// The concrete class of a kind of object: the driver's first class under the kind's base class.
pub fn concrete<'d, 'a>(dump: &'d Dump<'a>, object: Object) -> Option<&'d Class<'a>> {
    let (name, is_base) = base(object);
    dump.classes.iter().find(|it| {
        if is_base {
            it.superclass == name
        } else {
            it.name == name
        }
    })
}

/// Why a policy leaves a method alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Left {
    /// A published version's list does not have it for objects of this class.
    NotListed,
    /// The class is none whose methods are hooked.
    OtherClass,
    /// A rule says so, or it cannot be forwarded.
    Reason(Reason),
}

/// Whether `policy` hooks a method of a class's own: `object` says of which kind of object it is the concrete class,
/// `family` under which root it stands.
///
/// # Errors
/// Why it is left alone.
pub fn decide(
    policy: &Policy,
    (object, family): (Option<Object>, Option<Family>),
    selector: &str,
    encoding: &str,
    convention: Convention,
) -> Result<(), Left> {
    match policy.hooks {
        Hooks::Published(column) => object
            .filter(|object| published::hooks(column, *object, selector))
            .map(|_| ())
            .ok_or(Left::NotListed),
        Hooks::Discovered => {
            let family = family.ok_or(Left::OtherClass)?;
            discovered(family, selector, encoding, convention).map_err(Left::Reason)
        }
    }
}

/// What a policy does about one method.
fn reaches(
    policy: &Policy,
    object: Object,
    family: Family,
    selector: &str,
    encoding: &str,
    convention: Convention,
) -> bool {
    let class = (Some(object), Some(family));
    decide(policy, class, selector, encoding, convention).is_ok()
}

/// Whether a policy that discovers its methods hooks this one.
fn discovered(
    family: Family,
    selector: &str,
    encoding: &str,
    convention: Convention,
) -> Result<(), Reason> {
    rules::decide_encoded(family, selector, encoding.as_bytes())?;
    convention.classify(encoding.as_bytes()).map(|_| ())
}

fn reach(
    dump: &Dump<'_>,
    class: &Class<'_>,
    object: Object,
    policy: &Policy,
    convention: Convention,
) -> Reach {
    let family = dump.family(class).unwrap_or(Family::Encoder); // the concrete classes are all under a root
    let own_hooks = || {
        class
            .methods
            .iter()
            .filter(|it| reaches(policy, object, family, it.selector, it.encoding, convention))
    };
    let work = || {
        class
            .methods
            .iter()
            .filter(|it| counts_as_work(it.selector))
    };
    let own = own_hooks().count();
    let (mut inherited, mut unmatched) = (0, Vec::new());
    match policy.hooks {
        Hooks::Published(column) => {
            for row in published::of(column).filter(|row| row.object == object) {
                let at = dump
                    .lineage(class)
                    .position(|it| it.methods.iter().any(|it| it.selector == row.selector));
                match at {
                    Some(0) => {}
                    Some(_) => inherited += 1,
                    None => unmatched.push(row.selector),
                }
            }
        }
        Hooks::Discovered => {
            inherited = inherited_by_discovery(dump, class, family, convention);
        }
    }
    Reach {
        object,
        class: class.name.to_owned(),
        own: class.methods.len(),
        work: work().count(),
        work_reached: work()
            .filter(|it| reaches(policy, object, family, it.selector, it.encoding, convention))
            .count(),
        hooks: own + inherited + unmatched.len(),
        own_hooks: own,
        inherited_hooks: inherited,
        unmatched,
    }
}

/// Methods of the class's ancestors, up to its root, that are hooked there and that it does not override.
fn inherited_by_discovery(
    dump: &Dump<'_>,
    class: &Class<'_>,
    family: Family,
    convention: Convention,
) -> usize {
    let mut seen: Vec<&str> = class.methods.iter().map(|it| it.selector).collect();
    let mut count = 0;
    for ancestor in dump.lineage(class).skip(1) {
        if dump.family(ancestor).is_none() {
            break;
        }
        for method in &ancestor.methods {
            if !seen.contains(&method.selector) {
                seen.push(method.selector);
                let hooked = discovered(family, method.selector, method.encoding, convention);
                count += usize::from(hooked.is_ok());
            }
        }
    }
    count
}

/// What `policy` reaches of the classes in `dump`, called by `convention`.
pub fn of(dump: &Dump<'_>, policy: &Policy, convention: Convention) -> Coverage {
    let objects: Vec<Reach> = OBJECTS
        .into_iter()
        .filter_map(|object| {
            let class = concrete(dump, object)?;
            Some(reach(dump, class, object, policy, convention))
        })
        .collect();
    let (mut hooked, mut unreached) = (0, Vec::new());
    match policy.hooks {
        Hooks::Published(_) => {
            hooked = objects
                .iter()
                .map(|it| it.own_hooks + it.inherited_hooks)
                .sum();
        }
        Hooks::Discovered => {
            for class in &dump.classes {
                let Some(family) = dump.family(class) else {
                    continue;
                };
                for method in &class.methods {
                    match discovered(family, method.selector, method.encoding, convention) {
                        Ok(()) => hooked += 1,
                        Err(reason) if reason.is_rule() => {}
                        Err(reason) => unreached.push(Unreached {
                            class: class.name.to_owned(),
                            selector: method.selector.to_owned(),
                            encoding: method.encoding.to_owned(),
                            reason,
                        }),
                    }
                }
            }
        }
    }
    Coverage {
        objects,
        hooked,
        unreached,
    }
}

#[cfg(test)]
#[path = "coverage_tests.rs"]
mod tests;

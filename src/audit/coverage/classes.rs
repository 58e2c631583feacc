//! One class, and what policies reach of it.

use std::collections::{HashMap, HashSet};

use agx_policy::POLICIES;
use agx_policy::coverage::{OBJECTS, base};
use agx_policy::policies::{Hooks, Policy};
use agx_policy::published::{self, Object};

use super::lineage::{Classes, Lineage, Subject};
use super::{ClassCoverage, ClassPolicy, MethodCoverage, UnknownClass, decide};

/// Which kind of object has this class, as far as the published versions know it: a class right under
/// the kind's base class, or the class that has no subclass of the driver's.
pub(super) fn object(subject: &Subject<'_, '_>, lineage: &Lineage<'_, '_>) -> Option<Object> {
    subject.class?;
    OBJECTS.into_iter().find(|object| match base(*object) {
        (base, true) => lineage.superclass() == Some(base),
        (class, false) => subject.class.and_then(|it| it.name) == Some(class),
    })
}

/// The class, its methods judged by `rules`.
pub(super) fn class(
    subject: &Subject<'_, '_>,
    lineage: &Lineage<'_, '_>,
    rules: &decide::Method<'_, '_>,
) -> ClassCoverage {
    let mut methods = Vec::new();
    for of_class in [false, true] {
        let mut first: HashMap<&str, Option<&str>> = HashMap::new();
        for (method, category) in subject.methods(of_class) {
            // The runtime takes the first of a selector.
            let replaced = method.selector.and_then(|selector| {
                let seen = first.contains_key(selector);
                let by = *first.entry(selector).or_insert(category);
                seen.then(|| by.unwrap_or("(the class's own)"))
            });
            methods.push(rules.judge(method, category, of_class, replaced));
        }
    }
    let is_own = |method: &&MethodCoverage| !method.class_method && !method.is_replaced();
    let here = match rules.object {
        Some(_) => selectors(lineage, &methods),
        None => HashSet::new(),
    };
    let policies = POLICIES
        .iter()
        .map(|policy| of_policy(policy, rules.object, &here, &methods))
        .collect();
    ClassCoverage {
        name: subject.name(),
        kind: rules.kind,
        address: subject.class.map(|class| class.address),
        superclass: lineage.superclass().map(str::to_owned),
        concrete: rules.object.is_some(),
        own: methods.iter().filter(is_own).count(),
        work: methods.iter().filter(|method| method.work).count(),
        policies,
        methods,
    }
}

/// The selectors to which an object of the class would answer by this image.
fn selectors<'s>(lineage: &'s Lineage<'_, '_>, methods: &'s [MethodCoverage]) -> HashSet<&'s str> {
    let own = methods.iter().filter(|method| !method.class_method);
    let own = own.filter_map(|method| method.selector.as_deref());
    let above = lineage.local.iter().flat_map(|it| &it.instance_methods);
    own.chain(above.filter_map(|method| method.selector))
        .collect()
}

/// `here` are the selectors that a concrete class has; of another one they are not asked about.
fn of_policy(
    policy: &Policy,
    object: Option<Object>,
    here: &HashSet<&str>,
    methods: &[MethodCoverage],
) -> ClassPolicy {
    let hooked = || methods.iter().filter(|it| it.is_hooked_by(policy.name));
    let not_here = match (policy.hooks, object) {
        (Hooks::Published(column), Some(object)) => published::of(column)
            .filter(|row| row.object == object && !here.contains(row.selector))
            .map(|row| row.selector.to_owned())
            .collect(),
        _ => Vec::new(),
    };
    ClassPolicy {
        policy: policy.name.to_owned(),
        hooked: hooked().count(),
        work_hooked: hooked().filter(|method| method.work).count(),
        not_here,
    }
}

/// A class of the driver's names whose superclass is of Metal or IOGPU, and not one that is known: what
/// its objects are is not known either.
pub(super) fn unknown(
    subject: &Subject<'_, '_>,
    lineage: &Lineage<'_, '_>,
    index: &Classes<'_, '_>,
) -> Option<UnknownClass> {
    let superclass = lineage.outside.filter(|name| !index.has(name))?;
    let of_framework = superclass.starts_with("IOGPUMetal") || superclass.starts_with("_MTL");
    // Resources, states and libraries are under a class that is known and has nothing to do with encoding.
    let encodes = ["Encoder", "CommandBuffer", "CommandQueue", "Device"]
        .iter()
        .any(|word| superclass.contains(word));
    (of_framework && encodes).then(|| UnknownClass {
        class: subject.name(),
        superclass: superclass.to_owned(),
    })
}

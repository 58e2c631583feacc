//! Whether a method of the driver was hooked in a process: by its ledger, else by what the policy would do, judged by the
//! method's name alone.

use agx_ledger::{Ledger, State};
use agx_policy::policies::Hooks as PolicyHooks;
use agx_policy::published::{self, Object};
use agx_policy::rules::{self, Family};
use agx_policy::{Policy, default_policy};
use serde::Serialize;

/// A method as a report names it: `-[Class selector]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method<'a> {
    /// The class that implements it.
    pub class: &'a str,
    /// Its selector.
    pub selector: &'a str,
}

impl<'a> Method<'a> {
    /// The method that a symbol names; `None` for functions, blocks in methods, and class methods. A category's name, as
    /// in `-[Class(Category) selector]`, is left out.
    pub fn parse(symbol: &'a str) -> Option<Self> {
        let inside = symbol.strip_prefix("-[")?.strip_suffix(']')?;
        let (class, selector) = inside.split_once(' ')?;
        let class = class.split_once('(').map_or(class, |(class, _)| class);
        let plain = |text: &str| !text.is_empty() && !text.contains([' ', '[', ']']);
        (plain(class) && plain(selector)).then_some(Self { class, selector })
    }
}

/// What says which methods were hooked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HooksBy {
    /// The ledger of the process, which lists them.
    Ledger,
    /// The policy that the library's file is named after: what it would hook, by the methods' names.
    Policy,
    /// The default policy, as nothing names another.
    DefaultPolicy,
}

/// The hooks of one process.
#[derive(Debug, Clone, Copy)]
pub enum Hooks<'a> {
    /// As its ledger lists them.
    Listed(&'a Ledger),
    /// As a policy would set them.
    ByName(&'static Policy, HooksBy),
}

/// A method that was hooked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hook {
    /// It was, as far as is known until the end.
    Stood,
    /// Somebody else's code took the hook's place: that of this file, where it is known.
    Replaced(Option<String>),
}

impl<'a> Hooks<'a> {
    /// The hooks of the process with this ledger, or whose library's name names this policy; `None` where there were none.
    pub fn of(ledger: Option<&'a Ledger>, policy: Option<&str>) -> Option<Self> {
        match ledger {
            Some(ledger) => (ledger.armed && !ledger.disabled).then_some(Self::Listed(ledger)),
            None => Some(match policy.and_then(|name| agx_policy::find(name).ok()) {
                Some(policy) => Self::ByName(policy, HooksBy::Policy),
                None => Self::ByName(default_policy(), HooksBy::DefaultPolicy),
            }),
        }
    }

    /// What says so.
    pub fn by(self) -> HooksBy {
        match self {
            Self::Listed(_) => HooksBy::Ledger,
            Self::ByName(_, by) => by,
        }
    }

    /// The hook of a method, if it was hooked.
    pub fn find(self, method: Method<'_>) -> Option<Hook> {
        match self {
            Self::Listed(ledger) => {
                let mut entries = ledger.in_state(State::Hooked);
                let entry = entries
                    .find(|it| it.class == method.class && it.selector == method.selector)?;
                Some(if entry.replaced {
                    Hook::Replaced(entry.image.clone())
                } else {
                    Hook::Stood
                })
            }
            Self::ByName(policy, _) => would_hook(policy, method).then_some(Hook::Stood),
        }
    }
}

/// Whether a policy hooks a method, by the names of class and selector. Where they do not tell, it counts as not hooked:
/// methods without arguments may be plain getters, and published versions hook a base class's method only where the
/// driver's own class has none.
fn would_hook(policy: &Policy, method: Method<'_>) -> bool {
    match policy.hooks {
        PolicyHooks::Discovered => family(method.class)
            .is_some_and(|family| rules::decide(family, method.selector, None).is_ok()),
        PolicyHooks::Published(column) => object(method.class)
            .is_some_and(|object| published::hooks(column, object, method.selector)),
    }
}

/// Beginnings of the names of the driver's classes and of Metal's own below them.
const LAYERS: [&str; 3] = ["AGX", "IOGPUMetal", "_MTL"];

/// Ends of the names of encoder classes in class dumps of macOS 12 to 26.
const ENCODERS: [&str; 4] = [
    "CommandEncoder",
    "Context",
    "ThreadedRenderPass",
    "Context_mtlnext",
];

/// The family of a class of Metal or the driver, by its name.
fn family(class: &str) -> Option<Family> {
    if class == "MPSCommandBuffer" {
        return Some(Family::Proxy);
    }
    if !LAYERS.iter().any(|layer| class.starts_with(layer)) {
        return None;
    }
    if ["CommandBuffer", "CommandBuffer_mtlnext"]
        .iter()
        .any(|end| class.ends_with(end))
    {
        return Some(Family::Buffer);
    }
    ENCODERS
        .iter()
        .any(|end| class.ends_with(end))
        .then_some(Family::Encoder)
}

/// The driver's own classes, by the ends of their names, and what published versions take them for.
const OBJECTS: [(&str, Object); 6] = [
    ("FamilyComputeContext", Object::Compute),
    ("FamilyBlitContext", Object::Blit),
    ("FamilyRenderContext", Object::Render),
    ("FamilyThreadedRenderPass", Object::ParallelRender),
    ("FamilyResourceStateContext", Object::ResourceState),
    ("FamilyCommandBuffer", Object::Buffer),
];

fn object(class: &str) -> Option<Object> {
    if class == "MPSCommandBuffer" {
        return Some(Object::MpsBuffer);
    }
    let mut objects = OBJECTS.iter().filter(|_| class.starts_with("AGX"));
    objects
        .find(|(end, _)| class.ends_with(end))
        .map(|(_, object)| *object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use agx_ledger::Reason;
    use agx_ledger::builder::Builder;
    use agx_ledger::layout::{census_flag, state};

    fn method(symbol: &str) -> Option<(&str, &str)> {
        Method::parse(symbol).map(|it| (it.class, it.selector))
    }

    #[test]
    fn a_method_is_read_from_its_symbol() {
        assert_eq!(
            method("-[AGXG16XFamilyComputeContext setBuffer:offset:atIndex:]"),
            Some(("AGXG16XFamilyComputeContext", "setBuffer:offset:atIndex:"))
        );
        assert_eq!(method("-[A(Late) b]"), Some(("A", "b")));
        for other in [
            "+[A b]",
            "__44-[A b]_block_invoke",
            "-[A b]_block",
            "-[A]",
            "-[ b]",
            "-[A b c]",
            "main",
            "",
        ] {
            assert_eq!(method(other), None, "{other}");
        }
    }

    fn hooks_by_name(policy: &str, symbol: &str) -> bool {
        let method = Method::parse(symbol).expect("a method");
        Hooks::of(None, Some(policy)).is_some_and(|it| it.find(method).is_some())
    }

    #[test]
    fn a_policy_is_asked_by_name_where_there_is_no_ledger() {
        let rows = [
            (
                "-[AGXG16XFamilyComputeContext setBuffer:offset:atIndex:]",
                true,
                true,
            ),
            ("-[AGXG16XFamilyComputeContext setSubstream:]", true, false),
            (
                "-[IOGPUMetalCommandBuffer encodeSignalEvent:value:]",
                true,
                false,
            ),
            ("-[AGXG16XFamilyCommandBuffer commit]", true, true),
            ("-[AGXG16XFamilyBlitContext dealloc]", false, true),
            (
                "-[AGXG18PFamilyComputeContext_mtlnext setObject:]",
                true,
                false,
            ),
            (
                "-[AGXG16XFamilyDevice newBufferWithLength:options:]",
                false,
                false,
            ),
            ("-[NSObject setBuffer:offset:atIndex:]", false, false),
        ];
        for (symbol, discovered, published) in rows {
            assert_eq!(hooks_by_name("v3", symbol), discovered, "v3: {symbol}");
            assert_eq!(hooks_by_name("v2.9", symbol), published, "v2.9: {symbol}");
        }
        let unnamed = Hooks::of(None, None).expect("the default");
        assert_eq!(unnamed.by(), HooksBy::DefaultPolicy);
    }

    #[test]
    fn a_ledger_knows_better() {
        let class = "AGXG16XFamilyComputeContext";
        let bytes = Builder::new(7, 1, 1)
            .armed()
            .method(
                class,
                "setBuffer:offset:atIndex:",
                state::UNHOOKED,
                Reason::Vector.number(),
            )
            .method(class, "useResource:usage:", state::HOOKED, 0)
            .method(class, "endEncoding", state::HOOKED, 0)
            .found(census_flag::REPLACED, "libother.dylib")
            .build();
        let ledger = Ledger::parse(&bytes).expect("a ledger");
        let hooks = Hooks::of(Some(&ledger), Some("v3")).expect("it is armed");
        let find = |selector| hooks.find(Method { class, selector });
        assert_eq!(find("setBuffer:offset:atIndex:"), None);
        assert_eq!(find("useResource:usage:"), Some(Hook::Stood));
        assert_eq!(
            find("endEncoding"),
            Some(Hook::Replaced(Some("libother.dylib".to_owned())))
        );
        let unarmed = Ledger::parse(&Builder::new(7, 1, 1).build()).expect("a ledger");
        assert!(Hooks::of(Some(&unarmed), Some("v3")).is_none());
    }
}

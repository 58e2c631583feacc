//! What policies reach of an image, as it is told and kept.

use agx_policy::POLICIES;
use serde::{Deserialize, Serialize};

use super::Kind;

/// What the policies reach of the classes of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Each policy's numbers, in the order of [`agx_policy::POLICIES`].
    pub policies: Vec<PolicyCoverage>,
    /// The classes of encoders, command buffers, queues and devices, as the image lists them.
    pub classes: Vec<ClassCoverage>,
    /// Classes of which nobody can say what they are, as their superclass is not known.
    pub unknown: Vec<UnknownClass>,
}

/// What one policy reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyCoverage {
    /// Its name.
    pub policy: String,
    /// Methods that it hooks.
    pub hooked: usize,
    /// Methods of encoders and command buffers that are work.
    pub work: usize,
    /// Of those, the ones that it hooks.
    pub work_hooked: usize,
    /// Of the work, that of the encoders' concrete classes: what `agxrun fix list` counts.
    pub encoder_work: usize,
    /// Of those, the ones that it hooks.
    pub encoder_work_hooked: usize,
    /// Methods that it should hook and cannot.
    pub not_forwardable: usize,
}

/// A class of encoders, command buffers, queues or devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassCoverage {
    /// Its name, or where it stands.
    pub name: String,
    /// What its objects are.
    pub kind: Kind,
    /// Where `class_t` stands; none of another image's class, to which this one adds methods.
    pub address: Option<u64>,
    /// Its superclass's name, where it is known.
    pub superclass: Option<String>,
    /// Whether the published versions look their methods up on it: the class right under IOGPU's.
    pub concrete: bool,
    /// Instance methods, categories' included; one that another takes the place of aside.
    pub own: usize,
    /// Of those, the ones that are work.
    pub work: usize,
    /// What each policy hooks of it.
    pub policies: Vec<ClassPolicy>,
    /// Its methods, categories' first.
    pub methods: Vec<MethodCoverage>,
}

/// What a policy hooks of a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassPolicy {
    /// Its name.
    pub policy: String,
    /// Methods that it hooks.
    pub hooked: usize,
    /// Of the work, the methods that it hooks.
    pub work_hooked: usize,
    /// Selectors on its list for such objects that name no method in this image: inherited from
    /// another one, or of no class at all.
    pub not_here: Vec<String>,
}

/// A method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodCoverage {
    /// Its selector; none where it cannot be read.
    pub selector: Option<String>,
    /// Its type encoding; none where it cannot be read.
    pub types: Option<String>,
    /// Where its code begins; none where it cannot be read.
    pub address: Option<u64>,
    /// Bytes from there to the next function; none where the code is not looked at.
    pub size: Option<u64>,
    /// Whether it is the class's own, not its objects'.
    pub class_method: bool,
    /// The category that adds it.
    pub category: Option<String>,
    /// Whether it changes what is sent to the GPU: by its name, and not what the rules of hooking leave
    /// alone on purpose.
    pub work: bool,
    /// The policies that hook it.
    pub hooked: Vec<String>,
    /// Why the others leave it alone.
    pub left: Vec<LeftAlone>,
}

/// Why some policies leave a method alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftAlone {
    /// Of which sort the reason is.
    pub kind: LeftKind,
    /// The reason, for people.
    pub reason: String,
    /// Those policies.
    pub policies: Vec<String>,
}

/// Of which sort the reason is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftKind {
    /// The version's list does not have it.
    NotListed,
    /// Its class is none whose methods are hooked, or it is the class's own.
    OtherClass,
    /// A rule: it is no work that needs guarding.
    Rule,
    /// It should be hooked, and its arguments cannot be passed on.
    NotForwardable,
    /// Another method of the same selector takes its place.
    Replaced,
    /// Its selector or its types cannot be read.
    Unreadable,
}

/// A class whose superclass is in another image, and not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnknownClass {
    /// Its name.
    pub class: String,
    /// The superclass's name.
    pub superclass: String,
}

impl Coverage {
    /// A policy's numbers.
    pub fn policy(&self, name: &str) -> Option<&PolicyCoverage> {
        self.policies.iter().find(|it| it.policy == name)
    }

    /// All methods, each with its class.
    pub fn methods(&self) -> impl Iterator<Item = (&ClassCoverage, &MethodCoverage)> {
        self.classes.iter().flat_map(|class| {
            let methods = class.methods.iter();
            methods.map(move |method| (class, method))
        })
    }

    /// The methods that a policy hooks.
    pub fn hooked_by(
        &self,
        policy: &str,
    ) -> impl Iterator<Item = (&ClassCoverage, &MethodCoverage)> {
        self.methods()
            .filter(move |(_, method)| method.is_hooked_by(policy))
    }

    /// The method whose code has `address`. Where its size is not known, only its first byte counts.
    pub fn method_at(&self, address: u64) -> Option<(&ClassCoverage, &MethodCoverage)> {
        self.methods().find(|(_, method)| {
            let into = method.address.and_then(|start| address.checked_sub(start));
            into.is_some_and(|into| into < method.size.unwrap_or(1))
        })
    }

    pub(super) fn count(classes: &[ClassCoverage]) -> Vec<PolicyCoverage> {
        POLICIES
            .iter()
            .map(|policy| {
                let mut sum = PolicyCoverage {
                    policy: policy.name.to_owned(),
                    hooked: 0,
                    work: 0,
                    work_hooked: 0,
                    encoder_work: 0,
                    encoder_work_hooked: 0,
                    not_forwardable: 0,
                };
                for class in classes {
                    let of = class.policies.iter().find(|it| it.policy == policy.name);
                    let (hooked, work_hooked) = of.map_or((0, 0), |of| (of.hooked, of.work_hooked));
                    sum.hooked += hooked;
                    sum.work += class.work;
                    sum.work_hooked += work_hooked;
                    if class.concrete && class.kind.is_encoder() {
                        sum.encoder_work += class.work;
                        sum.encoder_work_hooked += work_hooked;
                    }
                    let stuck = |method: &&MethodCoverage| {
                        let left = method.left_by(policy.name);
                        left.is_some_and(|left| left.kind == LeftKind::NotForwardable)
                    };
                    sum.not_forwardable += class.methods.iter().filter(stuck).count();
                }
                sum
            })
            .collect()
    }
}

impl ClassCoverage {
    /// What a policy hooks of it.
    pub fn policy(&self, name: &str) -> Option<&ClassPolicy> {
        self.policies.iter().find(|it| it.policy == name)
    }
}

impl MethodCoverage {
    /// Whether a policy hooks it.
    pub fn is_hooked_by(&self, policy: &str) -> bool {
        self.hooked.iter().any(|name| name == policy)
    }

    /// Whether another method of the same selector takes its place.
    pub fn is_replaced(&self) -> bool {
        self.left.iter().any(|left| left.kind == LeftKind::Replaced)
    }

    /// Why a policy leaves it alone; none where it hooks it.
    pub fn left_by(&self, policy: &str) -> Option<&LeftAlone> {
        let has = |left: &&LeftAlone| left.policies.iter().any(|name| name == policy);
        self.left.iter().find(has)
    }

    /// `-[Class selector]`, with what is known of it.
    pub fn name(&self, class: &ClassCoverage) -> String {
        let sign = if self.class_method { '+' } else { '-' };
        let selector = self.selector.as_deref().unwrap_or("(unreadable)");
        match &self.category {
            Some(category) => format!("{sign}[{}({category}) {selector}]", class.name),
            None => format!("{sign}[{} {selector}]", class.name),
        }
    }
}

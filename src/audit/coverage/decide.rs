//! What each policy does about one method.

use agx_policy::abi::Convention;
use agx_policy::coverage::{Left, counts_as_work, decide};
use agx_policy::published::Object;
use agx_policy::{POLICIES, Policy};

use super::{Kind, LeftAlone, LeftKind, MethodCoverage};
use crate::audit::{self, Code};

/// What is the same for all methods of a class.
pub(super) struct Method<'c, 'b> {
    pub kind: Kind,
    /// Which kind of object's concrete class it is, as the published versions find it.
    pub object: Option<Object>,
    pub convention: Convention,
    pub code: Option<&'c Code<'b>>,
}

impl Method<'_, '_> {
    /// One method of the class, or of the class itself. `replaced` says by which category.
    pub(super) fn judge(
        &self,
        method: &audit::Method<'_>,
        category: Option<&str>,
        of_class: bool,
        replaced: Option<&str>,
    ) -> MethodCoverage {
        let mut judged = MethodCoverage {
            selector: method.selector.map(str::to_owned),
            types: method.types.map(str::to_owned),
            address: method.implementation,
            size: method.implementation.and_then(|it| self.size(it)),
            class_method: of_class,
            category: category.map(str::to_owned),
            work: !of_class
                && replaced.is_none()
                && self.kind.takes_work()
                && method.selector.is_some_and(counts_as_work),
            hooked: Vec::new(),
            left: Vec::new(),
        };
        for policy in &POLICIES {
            match self.left(policy, method, of_class, replaced) {
                None => judged.hooked.push(policy.name.to_owned()),
                Some((kind, reason)) => add(&mut judged.left, policy, kind, reason),
            }
        }
        // The rules know what comes back as well: a getter is no work, whatever its name.
        let is_rule = |left: &LeftAlone| left.kind == LeftKind::Rule;
        judged.work &= !judged.left.iter().any(is_rule);
        judged
    }

    /// Bytes from `address`, where a function begins, to the next one.
    fn size(&self, address: u64) -> Option<u64> {
        let function = self.code?.function_at(address)?;
        (function.start == address).then(|| function.end - function.start)
    }

    /// Why a policy leaves it alone; none where it hooks it.
    fn left(
        &self,
        policy: &Policy,
        method: &audit::Method<'_>,
        of_class: bool,
        replaced: Option<&str>,
    ) -> Option<(LeftKind, String)> {
        let (Some(selector), types) = (method.selector, method.types) else {
            return Some((LeftKind::Unreadable, "its selector cannot be read".into()));
        };
        if let Some(by) = replaced {
            let reason = format!("the category `{by}` takes its place");
            return Some((LeftKind::Replaced, reason));
        }
        if of_class {
            return Some((LeftKind::OtherClass, "a method of the class itself".into()));
        }
        if self.kind == Kind::Wrapper {
            let reason = agx_ledger::Reason::Wrapper.to_string();
            return Some((LeftKind::OtherClass, reason));
        }
        let class = (self.object, self.kind.family());
        // A published list asks for no types.
        let decided = decide(
            policy,
            class,
            selector,
            types.unwrap_or(""),
            self.convention,
        );
        Some(match decided.err()? {
            Left::NotListed => (LeftKind::NotListed, "not on the version's list".into()),
            Left::OtherClass => (
                LeftKind::OtherClass,
                format!("no method of a {} is hooked", self.kind),
            ),
            Left::Reason(_) if types.is_none() => {
                (LeftKind::Unreadable, "its types cannot be read".into())
            }
            Left::Reason(reason) if reason.is_rule() => (LeftKind::Rule, reason.to_string()),
            Left::Reason(reason) => (LeftKind::NotForwardable, reason.to_string()),
        })
    }
}

fn add(left: &mut Vec<LeftAlone>, policy: &Policy, kind: LeftKind, reason: String) {
    let policy = policy.name.to_owned();
    let same = |it: &&mut LeftAlone| it.kind == kind && it.reason == reason;
    match left.iter_mut().find(same) {
        Some(left) => left.policies.push(policy),
        None => left.push(LeftAlone {
            kind,
            reason,
            policies: vec![policy],
        }),
    }
}
